import Foundation
import Shared
import TestSupport
import Testing

@Suite("Layer 3 from the command line, with real releases of codeflash", .atMost(2, "codeflash"))
struct CodeflashTests {
  /// Environments of real releases take long to make: they are kept in the build folder.
  private let far = ["CF_BENCH_HOME": Testbed.packageRoot + "/.build/tests-far"]
  private let python = [
    "--set", "python=\(InstalledPython.path)", "--set", "optimize.timeout=10m", "--set", "optimize.looping-time=0.2s",
  ]

  /// One block a side, whatever else the machine does meanwhile.
  private let oneBlock = [
    "--layers", "optimize", "--set", "optimize.project=small", "--set", "optimize.blocks=1", "--set",
    "statistics.set-aside=false",
  ]

  /// The document of layer 3 in a side's folder.
  private func expectFound(in folder: String) async throws {
    let file = folder + "/optimize.json"
    #expect(try await SchemaValidator.errors(ofFiles: [file], schema: "optimize") == nil)
    let optimize = try JSONDecoder().decode(OptimizeDocument.self, from: Data(contentsOf: URL(filePath: file)))
    #expect(optimize.results.first?.network == "network namespace" && optimize.results.first?.recall == 1)
  }

  @Test("a release finds what there is, offline, and every document is there")
  func run() async throws {
    try await Testbed.with { testbed in
      try DepotProject.write(to: URL(filePath: testbed.folder + "/small"))
      let run = try await testbed.bench(["run", "codeflash==0.20.6"] + oneBlock + python, extra: far, limit: 500)
      #expect(run.status == 0, "\(run.error)")
      #expect(run.output.contains("1 of 1"), "\(run.output)")
      let folder = try testbed.folder + "/results/" + #require(try testbed.results().first)
      try await expectFound(in: folder)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(files.contains("optimize.svg") && files.contains("memory-timeline.svg") && files.contains("summary.md"))
    }
  }

  @Test("both releases find what there is, and every document of the comparison is there", .thorough)
  func compare() async throws {
    try await Testbed.with { testbed in
      try DepotProject.write(to: URL(filePath: testbed.folder + "/small"))
      let run = try await testbed.bench(
        ["compare", "codeflash==0.20.5", "codeflash==0.20.6", "--json"] + oneBlock + python, extra: far, limit: 500)
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
        try await expectFound(in: "\(testbed.folder)/results/\(side)")
      }
    }
  }

  @Test("codeflash that can't run its tests is broken: said so, with exit status 4")
  func broken() async throws {
    try await Testbed.with { testbed in
      try DepotProject.write(to: URL(filePath: testbed.folder + "/small"))
      try testbed.write("small/tests/conftest.py", "raise RuntimeError('no test runs here')\n")
      let run = try await testbed.bench(
        ["run", "codeflash==0.20.6", "--layers", "optimize", "--set", "optimize.project=small"] + python, extra: far)
      #expect(run.status == 4, "\(run.error)")
      let said = run.error + run.output
      #expect(run.error.contains("is broken on depot.pricing:total_with_tax"), "\(run.error)")
      #expect(run.output.contains("no test runs here"), "\(run.output)")
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
      let other = try await testbed.bench(["run", "path:x", "--layers", "optimize", "--set", "target.package=slowpoke"])
      #expect(other.status == 2 && other.error.contains("--layers startup,micro"), "\(other.error)")
      let project = try await testbed.bench(
        ["run", "codeflash==0.20.6", "--layers", "optimize", "--set", "optimize.project=\(testbed.folder)"])
      #expect(project.status == 2 && project.error.contains("opportunities.json"), "\(project.error)")
      let key = try await testbed.bench(["record", "codeflash==0.20.6", "--form", "half"])
      #expect(key.status == 2 && key.error.contains("--form quick"), "\(key.error)")
    }
  }
}
