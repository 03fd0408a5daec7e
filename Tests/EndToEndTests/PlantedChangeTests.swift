import Foundation
import Shared
import TestSupport
import Testing

/// What is put into a copy of codeflash is found where it was put: the proof that the layers measure what they say.
@Suite("A slower context extraction and a larger index are seen", .atMost(2, "codeflash"), .thorough)
struct PlantedChangeTests {
  /// A checkout of a release: its module, and a build of our own.
  private func write(_ name: String, in testbed: Testbed) async throws -> URL {
    let folder = URL(filePath: testbed.folder).appending(path: name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let uv = try await testbed.tool(
      "uv", ["pip", "install", "--quiet", "--no-deps", "--target", folder.path, "codeflash==0.20.6"])
    try #require(uv.status == 0, "\(uv.error)")
    let information = folder.appending(path: "codeflash-0.20.6.dist-info")
    let needs = try String(contentsOf: information.appending(path: "METADATA"), encoding: .utf8)
      .split(separator: "\n").filter { $0.hasPrefix("Requires-Dist: ") && !$0.contains("extra ==") }
      .map { String($0.dropFirst("Requires-Dist: ".count)) }
    try FileManager.default.removeItem(at: information)
    let backend = LightBackend(
      name: "codeflash", version: "0.20.6", source: ".", function: "codeflash.main:main", needs: needs)
    for (file, text) in try backend.files { try testbed.write("\(name)/\(file)", text) }
    return folder
  }

  /// Puts lines behind the first line that begins with `place`, indented as the line after it.
  private func plant(_ lines: String, behind place: String, in file: URL) throws {
    var text = try String(contentsOf: file, encoding: .utf8)
    let start = try #require(text.range(of: place)?.upperBound, "\(file.lastPathComponent) has no '\(place)'")
    let end = try #require(text.range(of: ":\n", range: start..<text.endIndex)?.upperBound)
    text.insert(contentsOf: lines, at: end)
    try text.write(to: file, atomically: true, encoding: .utf8)
  }

  @Test("40 ms in layer 2, and in layer 4 25 MiB by the line that holds them")
  func seen() async throws {
    try await Testbed.with { testbed in
      try DepotProject.write(to: URL(filePath: testbed.folder + "/small"))
      _ = try await write("base", in: testbed)
      let head = try await write("head", in: testbed)
      try plant(
        "    import time\n    end = time.perf_counter() + 0.04\n    while time.perf_counter() < end: pass\n",
        behind: "def get_code_optimization_context(",
        in: head.appending(path: "codeflash/languages/python/context/code_context_extractor.py"))
      try plant(
        "        self.kept = [str(number) * 3 for number in range(400_000)]\n",
        behind: "def __init__(self, project_root",
        in: head.appending(path: "codeflash/languages/python/reference_graph.py"))
      let run = try await testbed.bench(
        [
          "compare", "path:base", "path:head", "--json", "--layers", "micro,memory", "--budget", "8",
          "--set", "micro.only=[extract code context, build the call graph]", "--set", "optimize.project=small",
          "--set", "profiles=always", "--set", "optimize.looping-time=0.2s", "--set", "memory.blocks=2",
          "--set", "python=\(InstalledPython.path)",
        ], extra: ["CF_BENCH_HOME": Testbed.packageRoot + "/.build/tests-far"], limit: 900)
      #expect(run.status == 0, "\(run.error)")
      let document = try JSONDecoder().decode(ComparisonDocument.self, from: Data(run.output.utf8))
      for name in ["micro: extract code context", "micro: build the call graph"] {
        let row = try #require(document.metrics.first { $0.name == name })
        #expect(row.verdict == .regressed, "\(row)")
      }
      let context = try #require(document.metrics.first { $0.name == "micro: extract code context" })
      #expect((0.02...0.08).contains(context.head - context.base), "\(context)")
      let peak = try #require(document.metrics.first { $0.name == "Peak memory" })
      #expect((15e6...45e6).contains(peak.head - peak.base), "\(peak)")
      let line = try #require(document.memoryLines.first)
      #expect(line.file.hasSuffix("reference_graph.py"), "\(line)")
    }
  }
}
