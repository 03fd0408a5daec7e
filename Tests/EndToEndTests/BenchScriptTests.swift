import Foundation
import LocalSSHD
import TestSupport
import Testing

@Suite("The scripts of bench/ are doors to the same code", .programs)
struct BenchScriptTests {
  private static let scripts = [
    "bench_startup.sh", "bench_importtime.py", "bench_micro.py", "bench_optimize.sh", "bench_memory.sh", "bench_all.sh",
    "bench_compare.sh",
  ]

  private func script(_ testbed: Testbed, _ name: String, _ arguments: [String]) async throws -> Testbed.Result {
    var testbed = testbed
    testbed.environment["CF_BENCH"] = try BuiltProduct.path("cf-bench")
    return try await testbed.tool("env", [Testbed.packageRoot + "/bench/" + name] + arguments)
  }

  private func withTestbed(_ body: (Testbed) async throws -> Void) async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 2))
      try testbed.writeProjects()
      try await body(testbed)
    }
  }

  @Test("one layer, its table and its files; the import breakdown is the file that was written")
  func oneSide() async throws {
    try await withTestbed { testbed in
      let startup = try await script(testbed, "bench_startup.sh", ["path:fast"])
      #expect(startup.status == 0, "\(startup.error)")
      let direct = try await testbed.bench(["run", "path:fast", "--layers", "startup"])
      #expect(direct.status == 0)
      let folders = try testbed.results()
      #expect(folders.count == 2)
      let files = try folders.map {
        try FileManager.default.contentsOfDirectory(atPath: "\(testbed.folder)/results/\($0)").sorted()
      }
      #expect(files[0] == files[1])
      let imports = try await script(testbed, "bench_importtime.py", ["path:fast"])
      #expect(imports.status == 0, "\(imports.error)")
      let tables = imports.output.split(separator: "\n\n").map { $0.split(separator: "\n") }
      #expect(tables.map(\.first) == ["slowpoke --version", "import slowpoke"])
      for lines in tables {
        #expect(lines.dropFirst().first?.split(separator: " ") == ["own", "cumulative", "module"])
        let own = lines.dropFirst(2).dropLast().compactMap { $0.split(separator: " ").first.flatMap { Double($0) } }
        #expect(own.count > 5 && own == own.sorted(by: >))
        #expect(lines.contains { $0.hasSuffix("  slowpoke") })
        #expect(lines.last?.hasSuffix("all \(own.count) modules") == true)
      }
    }
  }

  @Test("two revisions, compared; the micro table has every target")
  func compared() async throws {
    try await withTestbed { testbed in
      let compared = try await script(testbed, "bench_compare.sh", ["path:slow", "path:fast", "--layers", "startup"])
      #expect(compared.status == 0, "\(compared.error)")
      #expect(try testbed.results().contains { $0.contains("-vs-") })
      let micro = try await script(
        testbed, "bench_micro.py", ["path:fast", "--set", "micro.targets=targets.yaml", "--set", "micro.blocks=2"])
      #expect(micro.status == 0, "\(micro.error)")
      #expect(micro.output.contains("micro: spin"), "\(micro.output)")
      let named = try await script(
        testbed, "bench_micro.py", ["path:fast", "spinn", "--set", "micro.targets=targets.yaml"])
      #expect(named.status == 2)
      #expect(named.error.contains("did you mean 'spin'"), "\(named.error)")
    }
  }

  @Test("the exit status is that of cf-bench, also where there is a table to print")
  func partial() async throws {
    try await withTestbed { testbed in
      _ = try FixtureProject(in: testbed.folder + "/failing", spin: 10, exitCode: 1)
      let imports = try await script(testbed, "bench_importtime.py", ["path:failing"])
      #expect(imports.status == 4, "\(imports.error)")
      #expect(imports.output.contains("  slowpoke\n"))
    }
  }

  /// A home folder as on the VM: the scripts, the programs, and a clone that stayed behind.
  private func makeHome(_ testbed: Testbed) async throws {
    let home = testbed.folder + "/home"
    let files = FileManager.default
    try files.createDirectory(atPath: home + "/bench/bin", withIntermediateDirectories: true)
    for name in try files.contentsOfDirectory(atPath: Testbed.packageRoot + "/bench") {
      try files.createSymbolicLink(
        atPath: "\(home)/bench/\(name)", withDestinationPath: "\(Testbed.packageRoot)/bench/\(name)")
    }
    for name in ["cf-bench", "cf-bench-agent"] {
      try files.createSymbolicLink(
        atPath: "\(home)/bench/bin/\(name)", withDestinationPath: try BuiltProduct.path(name))
    }
    let origin = testbed.folder + "/origin"
    _ = try FixtureProject(in: origin, spin: 100_000)
    try await testbed.git("init", "-q", "-b", "main", origin)
    try await testbed.commit(origin, "first")
    try await testbed.git("clone", "-q", origin, home + "/codeflash")
    _ = try FixtureProject(in: origin, spin: 200_000)
    try await testbed.commit(origin, "second")
    try await testbed.git("-C", origin, "branch", "perf/x")
    _ = try FixtureProject(in: home + "/codeflash", spin: 300_000)
    try await testbed.git("-C", home + "/codeflash", "checkout", "-q", "-b", "own")
    try await testbed.commit(home + "/codeflash", "never pushed")
  }

  private func commit(_ testbed: Testbed, _ repository: String, _ ref: String) async throws -> String {
    try await testbed.tool("git", ["-C", testbed.folder + "/" + repository, "rev-parse", ref]).output
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test("on a machine like the VM, over ssh: the fetched clone, results in ~/results, nobody's branch moved")
  func byHand() async throws {
    try await withTestbed { testbed in
      try await makeHome(testbed)
      let before = try await testbed.tool("git", ["-C", testbed.folder + "/home/codeflash", "show-ref", "--heads"])
        .output
      var environment = testbed.environment.filter {
        ["PATH", "CF_BENCH_HOME", "CF_BENCH_LOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"].contains($0.key)
      }
      environment["HOME"] = testbed.folder + "/home"
      try await withPrivateSSHD(PrivateSSHDOptions(environment: environment)) { server in
        for (revision, commit) in [
          ("perf/x", try await commit(testbed, "origin", "perf/x")),
          ("main", try await commit(testbed, "origin", "main")),
          ("", try await commit(testbed, "home/codeflash", "own")),
        ] {
          let command =
            "bash ~/bench/bench_all.sh \(revision) --layers startup --config \(testbed.folder)/cf-bench.yaml"
          let run = try await testbed.tool(
            "ssh",
            [
              "-p", "\(server.port)", "-i", server.clientKey, "-o", "BatchMode=yes", "-o",
              "UserKnownHostsFile=\(server.knownHosts)", "\(server.user)@127.0.0.1", command,
            ])
          #expect(run.status == 0, "\(run.error)")
          #expect(run.error.contains("main is behind origin/main") == (revision == "main"))
          let folder = try #require(run.error.split(separator: "\n").last?.split(separator: "/").last)
          #expect(try testbed.read("home/results/\(folder)/events.ndjson").contains(commit), "\(revision)")
        }
      }
      let after = try await testbed.tool("git", ["-C", testbed.folder + "/home/codeflash", "show-ref", "--heads"])
        .output
      #expect(before == after)
      let names = try FileManager.default.contentsOfDirectory(atPath: testbed.folder + "/home/results")
      #expect(names.count == 3 && names.contains { $0.hasPrefix("perf-x-") } && names.contains { $0.hasPrefix("own-") })
    }
  }

  @Test("whatever stands in an argument reaches cf-bench as it is")
  func arguments() async throws {
    try await withTestbed { testbed in
      try placeProgram(
        "#!/bin/bash\n[ \"$1\" = settings ] || printf '%s\\0' \"$@\"\nexit 4\n", at: testbed.folder + "/recorder")
      let odd = ["a b", "$(touch canary)", "`touch canary`", "it's", "\"", "x\ny\n", "*", "", "--", "-n", "\\"]
      for name in Self.scripts where name != "bench_importtime.py" {
        let taken = name == "bench_compare.sh" ? 2 : 1
        let given = Array(odd.prefix(taken)) + ["--more"] + odd.dropFirst(taken)
        let run = try await testbed.tool(
          "env", ["CF_BENCH=\(testbed.folder)/recorder", "\(Testbed.packageRoot)/bench/\(name)"] + given)
        #expect(run.status == 4, "\(run.error)")
        let words = run.output.split(separator: "\0", omittingEmptySubsequences: false).dropLast().map(String.init)
        let expected = ["--more"] + odd.dropFirst(taken) + ["--"] + odd.prefix(taken)
        #expect(words.suffix(expected.count) == expected[...], "\(name)")
      }
      #expect(!FileManager.default.fileExists(atPath: testbed.folder + "/canary"))
    }
  }

  @Test("--help tells its use, and wrong use ends with 2 and words", arguments: scripts)
  func use(name: String) async throws {
    try await withTestbed { testbed in
      let help = try await script(testbed, name, ["--help"])
      #expect(help.status == 0)
      #expect(help.output.contains("usage: \(name)"))
      let nothing = try await script(testbed, name, [])
      #expect(nothing.status == 2, "\(nothing.error)")
      #expect(nothing.error.contains("fix:"))
    }
  }

  @Test("a hostile revision is a revision and never a command")
  func hostile() async throws {
    try await withTestbed { testbed in
      for text in ["$(touch canary)", "x; touch canary", "`touch canary`", "a\ntouch canary", "-x;touch canary"] {
        let result = try await script(testbed, "bench_all.sh", [text, "--layers", "startup"])
        #expect(result.status != 0)
      }
      #expect(!FileManager.default.fileExists(atPath: testbed.folder + "/canary"))
    }
  }
}
