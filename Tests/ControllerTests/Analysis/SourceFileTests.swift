import Foundation
import Shared
import Statistics
import SystemPackage
import Testing

@testable import ControllerCore

@Suite("Files of hyperfine and pyperf")
struct SourceFileTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "fixtures/analyze")

  private func fixture(_ name: String) throws -> AnalysisInputs.SampleFile {
    let path = Self.fixtures.appending(path: name).path
    return .init(path: path, bytes: Array(try Data(contentsOf: URL(filePath: path))))
  }

  private func file(_ text: String) -> AnalysisInputs.SampleFile { .init(path: "x.json", bytes: Array(text.utf8)) }

  private func source(_ name: String, _ results: [(String, [Double])]) -> SampleSource {
    var source = SampleSource(label: name, results: [])
    for (name, values) in results { source.add(.init(name: name, layer: .startup, values: values)) }
    return source
  }

  private func document(_ base: SampleSource, _ heads: [SampleSource]) throws -> ComparisonDocument {
    try UnpairedSources.sampleSet(base: base, heads: heads, alpha: 0.01, matchesSingles: true)
      .document(rule: DecisionRule(alpha: 0.01, delta: 0.02), replays: false)
  }

  @Test("hyperfine's own file: a result a command")
  func hyperfine() throws {
    let source = try HyperfineFile.read(try fixture("hyperfine-base.json"), label: "base")
    #expect(source.results.map(\.name) == ["nap", "blink"] && source.results.map(\.values.count) == [12, 12])
    #expect(source.results.allSatisfy { $0.layer == .startup && $0.unit == .seconds } && source.caveats.isEmpty)
  }

  @Test("pyperf's own file: a process is one value, calibration is passed over")
  func pyperf() throws {
    let read = try PyperfFile.read(try fixture("pyperf-base.json"), label: "base")
    let result = try #require(read.source.results.first)
    #expect(result.name == "sorted" && result.python == "3.11.7" && result.values.count == 10 && result.layer == .micro)
    // The first process that measured holds two values.
    #expect(result.values.first == (5.682699066200669e-06 + 2.2920925903946454e-06) / 2)
    #expect(read.hostname == "vm" && read.bootTime == "2026-11-23 08:07:13")
  }

  @Test("a name in the benchmark's metadata comes before the file's; bytes are memory, counts have no result")
  func pyperfMetadata() throws {
    let text = """
      {"version": "1.0", "metadata": {"name": "whole", "unit": "byte"}, "benchmarks": [
        {"runs": [{"values": [2, 4]}, {"warmups": [[1, 0.5]]}]},
        {"metadata": {"name": "own", "unit": "integer"}, "runs": [{"values": [1]}]}]}
      """
    let source = try PyperfFile.read(file(text), label: "b").source
    #expect(source.results == [.init(name: "whole", layer: .memory, unit: .bytes, values: [3])])
    #expect(source.troubles.map(\.metric) == ["own"])
  }

  @Test("startup.json of several Pythons, parameters, runs that failed")
  func hyperfineParameters() throws {
    func entry(_ command: String, _ parameters: String, _ codes: String = "[0, 1]") -> String {
      #"{"command": "\#(command)", "times": [1, 2], "exit_codes": \#(codes), "parameters": {\#(parameters)}}"#
    }
    let text = """
      {"results": [\(entry("x", #""python": "3.12""#)), \(entry("x", #""python": "3.13""#, "[0, 0]")),
        \(entry("y", #""n": "1""#, "[null, 0]")), \(entry("y", #""n": "2""#, "[0, 0]"))]}
      """
    let source = try HyperfineFile.read(file(text), label: "b")
    #expect(source.results.map(\.name) == ["x", "x", "y (n=1)", "y (n=2)"])
    #expect(source.results.map(\.python) == ["3.12", "3.13", "unknown", "unknown"])
    #expect(Set(source.results.map(\.match)).count == 4 && source.caveats.count == 2)
    #expect(throws: AnalysisError.sameName(path: "x.json", name: "x")) {
      try HyperfineFile.read(
        file("{\"results\": [\(entry("x", "")), \(entry("x", ""))]}"), label: "b")
    }
  }

  @Test("JSON that only looks like it says what is missing")
  func otherShapes() {
    #expect(
      throws: AnalysisError.notOfKind(
        path: "x.json", kind: .hyperfine, reason: "the field 'results[0].command' is missing")
    ) { try HyperfineFile.read(file(#"{"results": [{"times": [1]}]}"#), label: "b") }
    // pytest-benchmark's files have that field too.
    #expect(
      throws: AnalysisError.notOfKind(
        path: "x.json", kind: .pyperf, reason: "the field 'benchmarks[0].runs' is missing")
    ) { try PyperfFile.read(file(#"{"benchmarks": [{"name": "x", "stats": {}}]}"#), label: "b") }
  }

  @Test("the only results of two files match whatever their names; more than one match by name")
  func matching() throws {
    let values = (0..<12).map { 1 + Double($0) / 1000 }
    let single = try document(source("a", [("x", values)]), [source("b", [("y", values.map { 2 * $0 })])])
    #expect(single.metrics.map(\.name) == ["x"] && single.metrics.first?.verdict == .regressed)
    #expect(single.method.caveats.last == "x of a is held against y of b: each is the only result of its file.")
    let several = try document(
      source("a", [("x", values), ("only", values)]),
      [source("b", [("x", values), ("new", values)]), source("c", [("x", values), ("only", values)])])
    #expect(several.metrics.map(\.name) == ["x [b]", "x [c]", "only [c]"] && !several.complete)
    #expect(several.troubles.map(\.metric) == ["only [b]", "new [b]"] && several.head.label == "b, c")
    #expect(
      throws: AnalysisError.nothingInCommon(base: "a", head: "b", baseNames: ["x", "y"], headNames: ["z"])
    ) { try document(source("a", [("x", values), ("y", values)]), [source("b", [("z", values)])]) }
  }

  @Test("a bad value on one side is told once", arguments: [0, -1, Double.infinity])
  func badValue(value: Double) throws {
    let document = try document(
      source("a", [("x", [1, value]), ("y", [1])]), [source("b", [("x", [1]), ("y", [1])])])
    #expect(document.troubles.count == 1 && document.metrics.map(\.name) == ["y"])
    #expect(document.troubles.first?.problem.why == "value 2 in a is \(value), of which no ratio can be made")
    #expect(try self.document(source("a", [("x", [])]), [source("b", [("x", [1])])]).troubles.count == 1)
  }

  @Test("what a side does not have, with its reason, is no trouble")
  func skipped() throws {
    var head = source("b", [("x", [1])])
    head.skipped = [Skipped(layer: .startup, metric: "y", python: "unknown", side: .head, reason: "not there yet")]
    let document = try document(source("a", [("x", [1]), ("y", [1])]), [head])
    #expect(document.complete && document.skipped.map(\.reason) == ["not there yet"])
  }

  @Test("a compressed file is said to be one")
  func compressed() throws {
    let folder = try TemporaryFolder()
    let path = folder.path.appending("x.json.gz")
    try TemporaryFolder.write([0x1f, 0x8b, 8, 0], path)
    #expect(throws: AnalysisError.notText(path: path.string, isCompressed: true)) {
      try AnalysisInputs.read([path.string])
    }
  }

  @Test("two machines are not held against each other; a new start is said")
  func machines() throws {
    func read(_ host: String?, _ boot: String?) -> PyperfFile.Read {
      .init(source: source("f", []), hostname: host, bootTime: boot)
    }
    #expect(throws: AnalysisError.self) {
      try PyperfMachines.caveats([read("a", nil), read("b", nil)], paths: ["x", "y"])
    }
    #expect(try PyperfMachines.caveats([read("a", "1"), read("a", "2")], paths: ["x", "y"]).count == 1)
    #expect(try PyperfMachines.caveats([read("a", "1"), read("a", "1")], paths: ["x", "y"]).isEmpty)
    #expect(FileLabels.of(["a/x.json", "b/y.json"]) == ["x.json", "y.json"])
    #expect(FileLabels.of(["a/x.json", "b/x.json"]) == ["a/x.json", "b/x.json"])
  }
}
