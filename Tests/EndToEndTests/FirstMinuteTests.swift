import Foundation
import Shared
import TestSupport
import Testing

@Suite("The first minute: what nobody says is taken from what is there, and a slip is answered", .programs)
struct FirstMinuteTests {
  @Test(
    "a slip on the command line is told in the same three lines as anything else",
    arguments: [
      (["compre", "a"], "there is no command 'compre'", "did you mean 'cf-bench compare'?"),
      (["help", "repot"], "there is no command 'repot'", "did you mean 'cf-bench report'?"),
      (["frobnicate"], "there is no command 'frobnicate'", "--help lists all of them"),
      (["run"], "Missing expected argument", "it is written 'cf-bench run [<options>] <revision>'"),
      (["run", "x", "--nope"], "Unknown option '--nope'", "see 'cf-bench run --help'"),
      (["run", "x", "--python", "abc"], "'python' can't be 'abc'", "correct it, or leave it out"),
      (["compare"], "there is nothing to compare", "name two"),
      (["report"], "there are no results yet", "measure first"),
    ])
  func slips(words: [String], what: String, fix: String) async throws {
    try await Testbed.with { testbed in
      let run = try await testbed.bench(words)
      #expect(run.status == Shared.ExitStatus.usage.rawValue && run.output.isEmpty, "\(run)")
      #expect(run.error.hasPrefix("error: ") && run.error.contains(what), "\(run.error)")
      #expect(run.error.contains("\n  fix: ") && run.error.contains(fix), "\(run.error)")
    }
  }

  @Test("in a repository, without a setting: its project, its commands, this machine; in CI no machine is guessed")
  func repository() async throws {
    try await Testbed.with { testbed in
      var testbed = testbed
      testbed.environment["CF_BENCH_MACHINE"] = nil
      testbed.environment["CF_BENCH_STATE"] = testbed.folder + "/state"
      testbed.environment["CI"] = nil
      try testbed.writeProjects()
      let repository = testbed.folder + "/slow"
      try await testbed.git("init", "-q", "-b", "main", repository)
      try await testbed.commit(repository, "one")
      try await testbed.git("-C", repository, "checkout", "-q", "-b", "perf/x")
      try testbed.write("slow/more.txt", "more")
      try await testbed.commit(repository, "two")

      let inCI = try await testbed.tool(
        "bash", ["-c", "cd slow && CI=1 \(try BuiltProduct.path("cf-bench")) compare --layers startup --budget 1"])
      #expect(inCI.status == 2 && inCI.error.contains("no machine is named"), "\(inCI.error)")
      let run = try await testbed.tool(
        "bash", ["-c", "cd slow && \(try BuiltProduct.path("cf-bench")) compare --layers startup --budget 1"])
      #expect(run.status == 0, "\(run.error)")
      #expect(run.error.contains("measuring on this machine: no VM in Azure is known here"), "\(run.error)")
      #expect(run.error.contains("the target is slowpoke of \(repository), its commands are slowpoke"), "\(run.error)")
      #expect(run.output.contains("slowpoke --version"), "\(run.output)")
      let again = try await testbed.tool("bash", ["-c", "cd slow && \(try BuiltProduct.path("cf-bench")) report"])
      #expect(again.status == 0 && again.output.contains("slowpoke --version"), "\(again)")
    }
  }

  @Test(
    "what 'make install' puts somewhere works from there with nothing else on the PATH, and 'make uninstall' takes all of it away"
  )
  func installed() async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1))
      try testbed.writeProjects()
      let built = URL(filePath: try BuiltProduct.path("cf-bench")).deletingLastPathComponent().path
      let place = testbed.folder + "/prefix"
      // As it was built for the tests: the release build is not made again for this.
      func make(_ target: String) async throws -> Testbed.Result {
        try await testbed.tool(
          "make", ["-C", Testbed.packageRoot, "-o", "build", target, "release=\(built)", "PREFIX=\(place)"])
      }
      let made = try await make("install")
      #expect(made.status == 0, "\(made.error)")
      for file in [
        "bash-completion/completions/cf-bench", "zsh/site-functions/_cf-bench",
        "fish/vendor_completions.d/cf-bench.fish",
        "cf-bench/fixtures/depot/opportunities.json", "cf-bench/bench/bench_all.sh", "cf-bench/tools/uv",
      ] {
        #expect(FileManager.default.fileExists(atPath: "\(place)/share/\(file)"), "\(file)")
      }
      let run = try await testbed.tool(
        "env", ["PATH=\(place)/bin:/usr/bin:/bin", "cf-bench", "run", "path:fast", "--layers", "startup"])
      #expect(run.status == 0 && run.output.contains("slowpoke --version"), "\(run.error)")
      #expect(try await make("uninstall").status == 0)
      let left = FileManager.default.subpaths(atPath: place) ?? []
      var isFolder = ObjCBool(false)
      #expect(
        left.filter {
          !(FileManager.default.fileExists(atPath: "\(place)/\($0)", isDirectory: &isFolder) && isFolder.boolValue)
        }
          == [])
    }
  }
}
