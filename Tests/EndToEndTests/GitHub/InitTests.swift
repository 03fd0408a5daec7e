import Foundation
import TestSupport
import Testing

@Suite("cf-bench init writes what a repository needs, and changes nothing that is there", .programs)
struct InitTests {
  private static let action = "codeflash-ai/cf-bench@0123456789012345678901234567890123456789"

  private func withRepository(_ body: (Testbed) async throws -> Void) async throws {
    try await Testbed.with { testbed in
      try await testbed.git("init", "-q", testbed.folder)
      try testbed.write(
        "pyproject.toml", "[build-system]\nname = \"no\"\n\n[project]\nname = \"Spin-Ner\"\nversion = \"1\"\n")
      try await body(testbed)
    }
  }

  private static let files = [
    "cf-bench.yaml", ".github/workflows/cf-bench.yml", ".github/workflows/cf-bench-comment.yml",
    ".github/workflows/cf-bench-reap.yml",
  ]

  @Test("into an empty repository: four files that zizmor, GitHub's schema and cf-bench itself take as they are")
  func fresh() async throws {
    try await withRepository { testbed in
      let result = try await testbed.bench(["init", "--action", Self.action])
      #expect(result.status == 0, "\(result.error)")
      #expect(result.output.contains("still to do:") && result.output.contains("docs/azure-oidc.md"))
      let workflows = Self.files.dropFirst()
      for name in workflows {
        let text = try testbed.read(name)
        #expect(text.contains("@0123456789012345678901234567890123456789 # 012345678901"))
        #expect(!text.contains("0000000000000000000000000000000000000000"))
      }
      let paths = workflows.map { testbed.folder + "/" + $0 }
      let zizmor = try await testbed.tool(
        "zizmor", ["--persona=auditor", "--offline", "--no-progress", "--quiet"] + paths)
      #expect(zizmor.status == 0, "\(zizmor.output)\(zizmor.error)")
      let schema = try await testbed.tool("check-jsonschema", ["--builtin-schema", "vendor.github-workflows"] + paths)
      #expect(schema.status == 0, "\(schema.output)\(schema.error)")
      let settings = try await testbed.bench(["settings"])
      #expect(settings.output.contains("Spin-Ner") && settings.output.contains("spin_ner"), "\(settings.error)")
    }
  }

  @Test("a second time, and where a file was written by hand: all of it stays, to the byte")
  func again() async throws {
    try await withRepository { testbed in
      try testbed.write("cf-bench.yaml", "# mine\nmachine: local\n")
      #expect(try await testbed.bench(["init", "--action", Self.action]).status == 0)
      #expect(try testbed.read("cf-bench.yaml") == "# mine\nmachine: local\n")
      try testbed.write(Self.files[1], "mine too\n")
      let second = try await testbed.bench(["init", "--action", Self.action])
      #expect(second.output.ranges(of: "was there, left as it is").count == 4 && !second.output.contains("written"))
      #expect(try testbed.read(Self.files[1]) == "mine too\n")
    }
  }

  @Test("--dry-run writes nothing; outside of a repository, with a branch for a pin, without a pin: the way out")
  func refused() async throws {
    try await withRepository { testbed in
      let dry = try await testbed.bench(["init", "--action", Self.action, "--dry-run"])
      #expect(dry.output.contains("would be written"))
      #expect(Self.files.allSatisfy { !FileManager.default.fileExists(atPath: testbed.folder + "/" + $0) })
      let branch = try await testbed.bench(["init", "--action", "codeflash-ai/cf-bench@main"])
      #expect(branch.status == 2 && branch.error.contains("does not name a commit") && branch.error.contains("fix:"))
      let unpinned = try await testbed.bench(["init"], extra: ["CF_BENCH_GH": "/nowhere/gh"])
      #expect(unpinned.status == 2 && unpinned.error.contains("--action codeflash-ai/cf-bench@COMMIT"))
      try FileManager.default.removeItem(atPath: testbed.folder + "/.git")
      let nowhere = try await testbed.bench(["init", "--action", Self.action])
      #expect(nowhere.status == 2 && nowhere.error.contains("not in a git repository"))
    }
  }
}
