import Foundation
import Glibc
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("What a job's folder tells is read without reading its files whole")
struct JobFolderTests {
  /// What this thread has read by now, in bytes (proc(5), `io`).
  private static func bytesRead() throws -> Int {
    let text = try String(contentsOfFile: "/proc/thread-self/io", encoding: .utf8)
    let field = text.split(separator: "\n").first { $0.hasPrefix("rchar: ") }
    return field.flatMap { Int($0.dropFirst(7)) } ?? 0
  }

  private static func folder(in home: String) throws -> JobFolder {
    JobFolder(try #require(JobID("job")), in: AgentHome(environment: ["CF_BENCH_HOME": home]))
  }

  @Test("the end of a runner's log costs no more than that end")
  func outputTail() async throws {
    try await withTemporaryFolder { home in
      let folder = try Self.folder(in: home)
      try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
      let file = open(folder.log, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      try #require(pwrite(file, "the end\n", 8, 64 << 20) == 8)
      close(file)
      let before = try Self.bytesRead()
      let tail = folder.outputTail
      let cost = try Self.bytesRead() - before
      #expect(tail.hasSuffix("the end\n") && before > 0)
      #expect(cost < 1 << 20)
    }
  }
}
