import Foundation
import TestSupport
import Testing

@Suite("The scripts of bench/ are doors to the same code")
struct BenchScriptTests {
  private static let scripts = [
    "bench_startup.sh", "bench_importtime.py", "bench_micro.py", "bench_optimize.sh", "bench_memory.sh", "bench_all.sh",
    "bench_compare.sh",
  ]

  private func script(_ rig: Rig, _ name: String, _ arguments: [String]) async throws -> Rig.Result {
    var rig = rig
    rig.environment["CF_BENCH"] = try BuiltProduct.path("cf-bench")
    return try await rig.tool("env", [Rig.packageRoot + "/bench/" + name] + arguments)
  }

  private func withRig(_ body: (Rig) async throws -> Void) async throws {
    try await Rig.with { rig in
      try rig.write("cf-bench.yaml", FixtureProject.settings(blocks: 2))
      try rig.writeProjects()
      try await body(rig)
    }
  }

  @Test("one layer, its table and its files; the import breakdown is the file that was written")
  func oneSide() async throws {
    try await withRig { rig in
      let startup = try await script(rig, "bench_startup.sh", ["path:fast"])
      #expect(startup.status == 0, "\(startup.error)")
      let direct = try await rig.bench(["run", "path:fast", "--layers", "startup"])
      #expect(direct.status == 0)
      let folders = try rig.results()
      #expect(folders.count == 2)
      let files = try folders.map {
        try FileManager.default.contentsOfDirectory(atPath: "\(rig.folder)/results/\($0)").sorted()
      }
      #expect(files[0] == files[1])
      let imports = try await script(rig, "bench_importtime.py", ["path:fast"])
      #expect(imports.status == 0, "\(imports.error)")
      let lines = imports.output.split(separator: "\n")
      #expect(lines.first?.contains("own, us") == true)
      #expect(lines.count > 5)
    }
  }

  @Test("two revisions, compared; the micro table has every target")
  func compared() async throws {
    try await withRig { rig in
      let compared = try await script(rig, "bench_compare.sh", ["path:slow", "path:fast", "--layers", "startup"])
      #expect(compared.status == 0, "\(compared.error)")
      #expect(try rig.results().contains { $0.contains("-vs-") })
      let micro = try await script(
        rig, "bench_micro.py", ["path:fast", "--set", "micro.targets=targets.yaml", "--set", "micro.blocks=2"])
      #expect(micro.status == 0, "\(micro.error)")
      #expect(micro.output.split(separator: "\n").count >= 3)
    }
  }

  @Test("--help tells its use, and wrong use ends with 2 and words", arguments: scripts)
  func use(name: String) async throws {
    try await withRig { rig in
      let help = try await script(rig, name, ["--help"])
      #expect(help.status == 0)
      #expect(help.output.contains("usage: \(name)"))
      let nothing = try await script(rig, name, [])
      #expect(nothing.status == 2, "\(nothing.error)")
      #expect(nothing.error.contains("fix:"))
    }
  }

  @Test("a hostile revision is a revision and never a command")
  func hostile() async throws {
    try await withRig { rig in
      for text in ["$(touch canary)", "x; touch canary", "`touch canary`", "a\ntouch canary", "-x;touch canary"] {
        let result = try await script(rig, "bench_all.sh", [text, "--layers", "startup"])
        #expect(result.status != 0)
      }
      #expect(!FileManager.default.fileExists(atPath: rig.folder + "/canary"))
    }
  }
}
