import Foundation
import LocalSSHD
import Shared
import TestSupport
import Testing

@Suite("What goes wrong gets words a newcomer can act on, and the right exit status", .programs)
struct FaultTests {
  /// Expects one failed run: its status, each of `words` on standard error, and no Swift in sight.
  /// - Parameter output: words of the report, on standard output.
  private func expect(
    _ run: Testbed.Result, status: Shared.ExitStatus, _ words: String..., output: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(run.status == status.rawValue, "\(run.error)", sourceLocation: sourceLocation)
    for word in words { #expect(run.error.contains(word), "\(run.error)", sourceLocation: sourceLocation) }
    for word in output { #expect(run.output.contains(word), "\(run.output)", sourceLocation: sourceLocation) }
    let said = run.error + run.output
    for leak in ["Error(", "Optional(", "Shared.", "Swift."] {
      #expect(!said.contains(leak), "\(said)", sourceLocation: sourceLocation)
    }
  }

  private func withHost(
    _ settings: String = FixtureProject.settings(blocks: 1), environment: [String: String] = [:],
    _ body: @escaping (Testbed, PrivateSSHD, _ machine: [String]) async throws -> Void
  ) async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", settings)
      try testbed.writeProjects()
      let passed = testbed.environment.filter {
        ["PATH", "CF_BENCH_HOME", "CF_BENCH_LOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"].contains($0.key)
      }
      let options = PrivateSSHDOptions(environment: passed.merging(environment) { $1 })
      try await withPrivateSSHD(options) { server in
        try await body(testbed, server, ["--machine", "ssh://\(server.user)@127.0.0.1:\(server.port)"])
      }
    }
  }

  @Test("a host key that nobody vouched for ends the run before a key is shown")
  func unknownHost() async throws {
    try await withHost { testbed, server, machine in
      try testbed.write("empty", "")
      let run = try await testbed.bench(
        ["run", "path:fast", "--identity", server.clientKey, "--known-hosts", testbed.folder + "/empty"] + machine)
      expect(run, status: .infrastructure, "SHA256:", "fix:")
    }
  }

  @Test("a changed host key is named as such")
  func changedHost() async throws {
    try await withHost { testbed, server, machine in
      _ = try await testbed.tool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", testbed.folder + "/other"])
      let key = try testbed.read("other.pub").split(separator: " ").prefix(2).joined(separator: " ")
      try testbed.write("known", "[127.0.0.1]:\(server.port) \(key)\n")
      let run = try await testbed.bench(
        ["run", "path:fast", "--identity", server.clientKey, "--known-hosts", testbed.folder + "/known"] + machine)
      expect(run, status: .infrastructure, "changed", "ssh-keygen -R")
    }
  }

  @Test("a key that the host does not take, and a locked key without its passphrase")
  func keys() async throws {
    try await withHost { testbed, server, machine in
      _ = try await testbed.tool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", testbed.folder + "/stranger"])
      let common = ["run", "path:fast", "--known-hosts", server.knownHosts] + machine
      let refused = try await testbed.bench(common + ["--identity", testbed.folder + "/stranger"])
      expect(refused, status: .infrastructure, "127.0.0.1", "fix:")
      _ = try await testbed.tool(
        "ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", testbed.folder + "/locked"])
      let locked = try await testbed.bench(common + ["--identity", testbed.folder + "/locked"])
      expect(locked, status: .infrastructure, "passphrase", "CF_BENCH_KEY_PASSPHRASE")
    }
  }

  @Test("a benchmark host from whose home no program may run")
  func noExecution() async throws {
    try await Testbed.with { testbed in
      try await testbed.withMount(options: "noexec,size=200m") { mount in
        try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1))
        try testbed.writeProjects()
        let run = try await testbed.bench(["run", "path:fast"], extra: ["CF_BENCH_HOME": mount + "/home"])
        expect(run, status: .infrastructure, "noexec", "CF_BENCH_HOME")
      }
    }
  }

  @Test("a benchmark host whose disk is full before the agent is there")
  func fullDisk() async throws {
    try await Testbed.with { testbed in
      try await testbed.withMount(options: "size=1m") { mount in
        try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1))
        try testbed.writeProjects()
        let run = try await testbed.bench(["run", "path:fast"], extra: ["CF_BENCH_HOME": mount + "/home"])
        expect(run, status: .infrastructure, "disk", "full", "df -h")
      }
    }
  }

  @Test("a benchmark host without hyperfine")
  func noHyperfine() async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1))
      try testbed.writeProjects()
      let path = try await testbed.pathWithout("hyperfine")
      let run = try await testbed.bench(["run", "path:fast", "--layers", "startup"], extra: ["PATH": path])
      #expect(
        run.status == 0
          && run.error.contains("hyperfine is not there or does not run: the agent times the commands itself"),
        "\(run.error)")
      let doctor = try await testbed.bench(["doctor"], extra: ["PATH": path])
      #expect(doctor.output.contains("for hyperfine: sudo apt-get install hyperfine"), "\(doctor.output)")
    }
  }

  /// A login finds what pip and cargo put into its own home, whatever its `PATH`.
  private static let homeHasUV = [".local/bin/uv", ".cargo/bin/uv"].contains {
    FileManager.default.fileExists(atPath: NSHomeDirectory() + "/" + $0)
  }

  @Test(
    "a host without uv gets this machine's, once; what else it lacks is told before anything is queued",
    .disabled(if: homeHasUV))
  func missingTools() async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1))
      try testbed.writeProjects()
      let far = testbed.folder + "/other"
      func run(without names: [String], _ body: ([String]) async throws -> Void) async throws {
        try FileManager.default.removeItem(atPath: testbed.folder + "/bin")
        let environment = [
          "PATH": try await testbed.pathWithout(names), "CF_BENCH_HOME": far, "CF_BENCH_LOCK": far + ".lock",
        ]
        let passed = testbed.environment.filter { ["SSL_CERT_FILE", "SSL_CERT_DIR"].contains($0.key) }
        let options = PrivateSSHDOptions(environment: environment.merging(passed) { mine, _ in mine })
        try await withPrivateSSHD(options) { server in
          try await body([
            "run", "path:fast", "--layers", "startup", "--known-hosts", server.knownHosts, "--identity",
            server.clientKey,
            "--machine", "ssh://\(server.user)@127.0.0.1:\(server.port)",
          ])
        }
      }
      try FileManager.default.createDirectory(atPath: testbed.folder + "/bin", withIntermediateDirectories: true)
      try await run(without: ["uv", "tar"]) { words in
        let refused = try await testbed.bench(words)
        expect(
          refused, status: .infrastructure, "bringing uv to", "tar is missing on", "unpacks folders that were sent",
          "run there: sudo apt-get install tar")
        #expect(!FileManager.default.fileExists(atPath: far + "/jobs"))
        #expect(!FileManager.default.fileExists(atPath: testbed.folder + "/results"))
      }
      try await run(without: ["uv"]) { words in
        let measured = try await testbed.bench(words)
        #expect(measured.status == 0 && !measured.error.contains("bringing uv to"), "\(measured.error)")
      }
    }
  }

  @Test("a revision that does not exist: folder, ref, release")
  func noRevision() async throws {
    try await Testbed.with { testbed in
      let repository = testbed.folder + "/slow"
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1, repository: repository))
      try testbed.writeProjects()
      try await testbed.git("init", "-q", "-b", "main", repository)
      try await testbed.commit(repository, "only")
      expect(try await testbed.bench(["run", "path:nowhere"]), status: .usage, "nowhere")
      expect(try await testbed.bench(["compare", "main", "perf/none"]), status: .usage, "perf/none", "git fetch")
      expect(try await testbed.bench(["run", "--", "--upload-pack=x"]), status: .usage, "dash")
      let release = try await testbed.bench(["run", "six==99.99.99"])
      expect(release, status: .usage, "six==99.99.99", "fix:")
    }
  }

  @Test("a project that does not install")
  func brokenProject() async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1))
      let project = try FixtureProject(in: testbed.folder + "/broken", spin: 1)
      try project.write("pyproject.toml", "[project]\nname = \"slowpoke\"\nversion = \"not a version\"\n")
      expect(try await testbed.bench(["run", "path:broken"]), status: .partial, "path:broken", "fix:")
    }
  }

  @Test("a target that exits with 1 has no number, and the rest of the job has")
  func failingTarget() async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 2))
      _ = try FixtureProject(in: testbed.folder + "/failing", spin: 10, exitCode: 1)
      let run = try await testbed.bench(["run", "path:failing", "--layers", "startup"])
      expect(run, status: .partial, "slowpoke --version exited with 1", output: "exits as told")
      let folder = try #require(try testbed.results().first)
      #expect(try testbed.read("results/\(folder)/startup.json").contains("python -c pass"))
    }
  }

  @Test("a typing error in the settings is shown with its line and the nearest key")
  func misspelledSetting() async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", "startup:\n  bloks: 3\n")
      let run = try await testbed.bench(["run", "path:fast"])
      expect(run, status: .usage, "bloks", "blocks", "2")
    }
  }

  @Test("on a terminal an error begins a line of its own, where the progress was drawn")
  func clearLine() async throws {
    try await Testbed.with { testbed in
      let bench = try BuiltProduct.path("cf-bench")
      let shown = try await testbed.tool(
        "script",
        ["-qec", "env TERM=xterm CF_BENCH_AGENT=/nowhere '\(bench)' jobs --machine local", "/dev/null"])
      let before = try #require(shown.output.split(separator: "error: ", maxSplits: 1).first)
      #expect(before.hasSuffix("\n") || before.hasSuffix("\r\u{1B}[2K"), "\(shown.output.debugDescription)")
    }
  }
}
