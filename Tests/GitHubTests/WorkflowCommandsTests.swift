import Foundation
import TestSupport
import Testing

@testable import GitHub

@Suite("What a runner reads as commands is ours alone")
struct WorkflowCommandsTests {
  @Test("annotations: one line, whatever is in them; properties can't be added")
  func annotation() {
    let line = WorkflowCommands.line(
      Annotation(
        kind: .error, title: "a,file=x::b\r\n::set-env name=X::y", message: "100%\n::add-mask::x",
        place: .init(file: "a,b:c.py", line: 12)))
    #expect(!line.contains("\n") && !line.contains("\r"))
    #expect(
      line == "::error file=a%2Cb%3Ac.py,line=12,title=a%2Cfile=x%3A%3Ab%0D%0A%3A%3Aset-env name=X%3A%3Ay"
        + "::100%25%0A::add-mask::x")
  }

  @Test("at most ten of a kind, the first ones")
  func bounds() {
    let all = (0..<50).map { Annotation(kind: $0 % 2 == 0 ? .error : .notice, title: "\($0)", message: "") }
    let kept = Annotation.bounded(all)
    #expect(kept.count == 20 && kept.prefix(10).map(\.title) == (0..<10).map { "\($0 * 2)" })
  }

  @Test("outputs: values of many lines, and such that look like an end, come through whole")
  func outputs() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/output"
      let files = StepFiles(environment: ["GITHUB_OUTPUT": path])
      let hostile = "x\nEOF\nverdict<<EOF\nimproved\nEOF\n"
      try files.output([("reason", hostile), ("verdict", "regressed")])
      #expect(try Self.read(path) == ["reason": hostile, "verdict": "regressed"])
    }
  }

  /// As the runner reads the file: a name, a delimiter, and all lines up to it.
  private static func read(_ path: String) throws -> [String: String] {
    var values: [String: String] = [:]
    var lines = try String(contentsOfFile: path, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)[...]
    while let head = lines.popFirst(), !head.isEmpty {
      let parts = head.split(separator: "<<", maxSplits: 1)
      var value: [Substring] = []
      while let line = lines.popFirst(), line != parts[1] { value.append(line) }
      values[String(parts[0])] = value.joined(separator: "\n")
    }
    return values
  }

  @Test("a summary that would not fit is left out as a whole, and what stands there counts")
  func summary() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/summary"
      let files = StepFiles(environment: ["GITHUB_STEP_SUMMARY": path])
      #expect(files.summaryRoom == StepFiles.summaryLimit)
      try files.summary(String(repeating: "x", count: 600_000))
      #expect(files.summaryRoom < 400_000)
      try files.summary(String(repeating: "y", count: 600_000))
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.utf8.count == 600_001 && !text.contains("y"))
    }
  }
}
