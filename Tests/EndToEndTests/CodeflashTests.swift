import Foundation
import Shared
import TestSupport
import Testing

@Suite("Layers 3 and 4 from the command line, with two releases of codeflash", .atMost(2, "codeflash"))
struct CodeflashTests {
  /// Environments of real releases take long to make: they are kept in the build folder.
  private let far = ["CF_BENCH_HOME": Testbed.packageRoot + "/.build/tests-far"]
  private let python = ["--set", "python=\(InstalledPython.path)", "--set", "optimize.timeout=10m"]

  @Test("both releases find what there is, offline, and every document is there")
  func compare() async throws {
    try await Testbed.with { testbed in
      let run = try await testbed.bench(
        [
          "compare", "codeflash==0.20.5", "codeflash==0.20.6", "--layers", "optimize", "--json", "--set",
          // One block a side, whatever else the machine does meanwhile.
          "optimize.blocks=1", "--set", "statistics.set-aside=false",
        ] + python, extra: far,
        limit: 500)
      #expect(run.status == 0, "\(run.error)")
      let document = try JSONDecoder().decode(ComparisonDocument.self, from: Data(run.output.utf8))
      let findings = try #require(document.findings.first)
      #expect(findings.verdict == .equivalent && findings.base.found == 1 && findings.head.found == 1)
      #expect(document.metrics.map(\.name) == ["Full optimize run", "Peak memory"])
      #expect(document.metrics.map(\.unit) == ["s", "B"] && document.complete)
      let comparison = try testbed.comparisonFolder()
      for name in ["optimize-diff.svg", "memory-timeline.svg", "comment.md"] {
        #expect(try !testbed.read("\(comparison)/\(name)").isEmpty)
      }
      #expect(try testbed.read(comparison + "/comment.md").contains("Opportunities found"))
      for side in try testbed.results() where !side.contains("-vs-") {
        let file = "\(testbed.folder)/results/\(side)/optimize.json"
        #expect(try await SchemaValidator.errors(ofFiles: [file], schema: "optimize") == nil)
        let optimize = try JSONDecoder().decode(OptimizeDocument.self, from: Data(contentsOf: URL(filePath: file)))
        #expect(optimize.results.first?.network == "network namespace" && optimize.results.first?.recall == 1)
      }
    }
  }

  @Test("codeflash that can't run its tests is broken: said so, with exit status 4")
  func broken() async throws {
    try await Testbed.with { testbed in
      let run = try await testbed.bench(
        ["run", "codeflash==0.20.6", "--layers", "optimize", "--set", "target.requirements=pytest==9.2.0"] + python,
        extra: far)
      #expect(run.status == 4, "\(run.error)")
      let said = run.error + run.output
      #expect(run.error.contains("is broken on depot.pricing:total_with_tax"), "\(run.error)")
      #expect(run.output.contains("_nodeid") && run.output.contains("pytest<9.2"), "\(run.output)")
      #expect(!said.contains("Optional(") && !said.contains("Shared."))
    }
  }

  @Test(
    "what a live service answers is recorded into files, without its key", .enabled(if: CodeflashPorts.areFree))
  func record() async throws {
    let ports = try await CodeflashPorts.hold()
    defer { extendLifetime(ports) }
    let name = "depot.pricing.total_with_tax.json"
    let known = Testbed.packageRoot + "/fixtures/depot/recordings/" + name
    let key = "cf-secret-\(UUID().uuidString)"
    try await Testbed.with { testbed in
      let service = try SecondStandIn(in: testbed.folder, recording: known, key: key)
      let run = try await testbed.bench(
        [
          "record", "codeflash==0.20.6", "--form", "quick", "--output", "new/recordings",
          "--set", "optimize.live-address=http://127.0.0.1:\(service.port)",
        ] + python, extra: far.merging(["CODEFLASH_API_KEY": key]) { $1 })
      #expect(run.status == 0, "\(run.error)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: testbed.folder + "/new/recordings") == [name])
      let text = try testbed.read("new/recordings/" + name)
      let made = try JSONDecoder().decode(MadeRecording.self, from: Data(text.utf8))
      #expect(made.schema == 1 && made.function == "depot.pricing:total_with_tax")
      #expect(made.recorded == "from the live service")
      let endpoints = Set(made.answers.map(\.endpoint))
      #expect(endpoints.isSuperset(of: ["/ai/optimize", "/ai/testgen", "/ai/optimize-line-profiler", "/ai/explain"]))
      #expect(made.answers.filter { $0.endpoint == "/ai/testgen" }.compactMap(\.test_index).sorted() == [0, 1])
      #expect(!(text + run.output + run.error).contains(key))
    }
  }

  private struct MadeRecording: Decodable {
    var schema: Int
    var function: String
    var recorded: String
    var answers: [Answer]
    struct Answer: Decodable {
      var endpoint: String
      var test_index: Int?
    }
  }

  @Test("layers of codeflash for another package, and a project that is none, are refused before anything is done")
  func refusals() async throws {
    try await Testbed.with { testbed in
      let other = try await testbed.bench(["run", "path:x", "--layers", "memory", "--set", "target.package=slowpoke"])
      #expect(other.status == 2 && other.error.contains("--layers startup,micro"), "\(other.error)")
      let project = try await testbed.bench(
        ["run", "codeflash==0.20.6", "--layers", "optimize", "--set", "optimize.project=\(testbed.folder)"])
      #expect(project.status == 2 && project.error.contains("opportunities.json"), "\(project.error)")
      let key = try await testbed.bench(["record", "codeflash==0.20.6", "--form", "half"])
      #expect(key.status == 2 && key.error.contains("--form quick"), "\(key.error)")
    }
  }
}
