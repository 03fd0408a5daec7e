import Foundation
import TestSupport
import Testing

/// A repository on "GitHub" with a small Python project and our workflows, run by `Tests/WorkflowRunner` on this machine.
struct WorkflowTestbed: Sendable {
  let testbed: Testbed
  let github: StandInGitHub
  /// By name: `main`, `perf/x`, and `fork` with `fork newer` after it.
  var commits: [String: String] = [:]

  static let repository = "octo/project"
  static let fork = "stranger/project"
  static let pull = 7
  static let forkPull = 9
  static let workflows = "\(Testbed.packageRoot)/.github/workflows"

  /// One run of a workflow, and what its runner is told.
  struct Run {
    var workflow = "\(WorkflowTestbed.workflows)/bench.yml"
    var event: String
    var payload: String
    var inputs: [String: String] = [:]
    var variables: [String: String] = [:]
    var secrets = ["CF_BENCH_SSH_KEY": ""]
    /// Inputs of the action that the test decides: workflows measure on a VM.
    var set = ["machine": "local"]
    var environment: [String: String] = [:]
    /// More flags of the runner.
    var flags: [String] = []
  }

  /// What the runner told.
  struct Outcome: Decodable, Sendable {
    var started: Bool
    var jobs: [String: Job]
    /// What GitHub would have complained of.
    var complaints: [String]
    /// Processes that outlived their job.
    var orphans: [String]

    struct Job: Decodable, Sendable {
      var result: String
      var steps: [Step]
      var concurrency: String?
      var summary: String?
    }

    struct Step: Decodable, Sendable {
      var name: String
      var outcome: String
      var status: Int?
      var outputs: [String: String]
      var annotations: [Note]
      var unknownCommands: [String]
      var log: String?
      var steps: [Step]
      /// Seconds from the cancel to its end.
      var cancelledAfter: Double?
      var all: [Step] { [self] + steps.flatMap(\.all) }
      /// What it printed.
      var said: String { log.flatMap { try? String(contentsOfFile: $0, encoding: .utf8) } ?? "" }
    }

    struct Note: Decodable, Sendable {
      var kind: String
      var title: String?
      var message: String
    }

    var steps: [Step] { jobs.values.flatMap(\.steps).flatMap(\.all) }

    /// Of whichever job ran it; actions have steps of their own.
    func step(_ name: String) throws -> Step {
      try #require(steps.last { $0.name == name && $0.outcome != "skipped" }, "no step '\(name)' ran: \(said)")
    }

    var results: [String: String] { jobs.mapValues(\.result) }
    var said: String { steps.map { "\($0.name): \($0.outcome)\n\($0.said)" }.joined(separator: "\n") }
  }

  /// Runs `body` with a fresh repository, which has no workflow of its own.
  static func with(_ body: (WorkflowTestbed) async throws -> Void) async throws {
    try await Testbed.with { testbed in
      try await StandInGitHub.with { github in
        var made = WorkflowTestbed(testbed: testbed, github: github)
        try await made.makeRepository()
        try await made.makeWrapper()
        try await body(made)
      }
    }
  }

  var git: String { "\(testbed.folder)/git/\(Self.repository)" }
  var work: String { testbed.folder + "/work" }

  // MARK: The repository

  private mutating func makeRepository() async throws {
    try await testbed.git("init", "-q", "-b", "main", work)
    // What the jobs before the comparison run.
    try writeFile(
      "scripts/ci-swift.sh", String(contentsOfFile: "\(Testbed.packageRoot)/scripts/ci-swift.sh", encoding: .utf8))
    try writeFile("Makefile", "test lint:\n\t@echo of '$(FILTER)'\n")
    try writeFile("tests/test_nothing.py", "def test_nothing():\n    pass\n")
    try writeFile("cf-bench.yaml", Self.settings)
    commits["main"] = try await commit("slow", spin: 2_000_000)
    try await testbed.git("-C", work, "checkout", "-q", "-b", "perf/x")
    commits["perf/x"] = try await commit("fast", spin: 1000)
    try await testbed.git("-C", work, "checkout", "-q", "-b", "fork", "main")
    commits["fork"] = try await commit("of a stranger", spin: 2000)
    try await testbed.git("clone", "-q", "--bare", work, git)
    try await testbed.git("-C", git, "update-ref", "-d", "refs/heads/fork")
    try await testbed.git("-C", git, "config", "uploadpack.allowAnySHA1InWant", "true")
    commits["fork newer"] = try await commit("of a stranger, later", spin: 3000)
    try await testbed.git("-C", work, "push", "-q", git, "\(sha("fork")):refs/pull/\(Self.forkPull)/head")
    try await testbed.git("-C", work, "push", "-q", git, "\(sha("fork")):refs/pull/\(Self.forkPull)/merge")
    try await testbed.git("-C", work, "push", "-q", git, "\(sha("perf/x")):refs/pull/\(Self.pull)/merge")
    try github.set(
      json: #"""
        {"git":"\#(git)","permissions":{"alice":"write","eve":"read"},
         "pulls":[{"number":\#(Self.pull),"head":{"ref":"perf/x"}},
          {"number":\#(Self.forkPull),"head":{"ref":"perf/x","sha":"\#(sha("fork"))","repo":{"full_name":"\#(Self.fork)"}}}]}
        """#)
  }

  /// Of one layer, and of little of it.
  static let settings = """
    target:
      package: \(FixtureProject.name)
      import: \(FixtureProject.name)
      requirements: []
    layers: [startup]
    startup:
      commands:
        - name: slowpoke --version
          run: [slowpoke, --version]
      blocks: 12
      import-runs: 1
    statistics:
      set-aside: false
    """

  private func writeFile(_ name: String, _ text: String) throws {
    let url = URL(filePath: "\(work)/\(name)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  private func commit(_ message: String, spin: Int) async throws -> String {
    _ = try FixtureProject(in: work, spin: spin)
    try await testbed.commit(work, message)
    return try await testbed.tool("git", ["-C", work, "rev-parse", "HEAD"]).output.trimmingCharacters(in: .newlines)
  }

  func sha(_ name: String) -> String { commits[name] ?? name }

  /// gh for the steps: it alone goes through the stand-in, git and uv do not. It notes with which token it was called.
  private func makeWrapper() async throws {
    let exports = github.ready.environment.filter { $0.key != "GH_TOKEN" }.map { "export \($0.key)='\($0.value)'" }
    let script =
      "#!/bin/sh\nprintf '%s\\n' \"$GH_TOKEN $*\" >>'\(testbed.folder)/gh-calls'\n" + exports.joined(separator: "\n")
      + "\nexec gh \"$@\"\n"
    try placeProgram(script, at: testbed.folder + "/gh")
    try testbed.write("gh-calls", "")
  }

  /// Calls of gh since the last time, each with its token in front.
  func callsOfGH() throws -> [String] {
    defer { try? testbed.write("gh-calls", "") }
    return try testbed.read("gh-calls").split(separator: "\n").map(String.init)
  }

  // MARK: Runs

  /// Runs a workflow to its end, and records what GitHub would have complained of.
  /// - Parameter meanwhile: gets the runner's process.
  func run(
    _ run: Run, meanwhile: (Process) async throws -> Void = { _ in }, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> (outcome: Outcome, folder: String) {
    let folder = "\(testbed.folder)/runs/\(UUID().uuidString)"
    let outcome = try await Self.run(
      run, folder: folder, git: git, server: "file://\(testbed.folder)/git", environment: environment(run),
      testbed: testbed,
      meanwhile: meanwhile)
    #expect(outcome.complaints == [], "\(outcome.said)", sourceLocation: sourceLocation)
    #expect(outcome.steps.flatMap(\.unknownCommands) == [], sourceLocation: sourceLocation)
    return (outcome, folder)
  }

  private func environment(_ run: Run) throws -> [String: String] {
    var environment = Self.passedOn()
    environment["CF_BENCH_CI_BIN"] = URL(filePath: try BuiltProduct.path("cf-bench")).deletingLastPathComponent().path
    environment["CF_BENCH_GH"] = testbed.folder + "/gh"
    environment["CF_BENCH_GITHUB_PACE"] = "0.01"
    for name in ["CF_BENCH_HOME", "CF_BENCH_LOCK", "TMPDIR"] { environment[name] = testbed.environment[name] }
    return environment.merging(run.environment) { $1 }
  }

  /// Where this machine has its packages and its certificates from: no part of what is tried.
  static func passedOn() -> [String: String] {
    let own = ProcessInfo.processInfo.environment
    var environment = own.filter { name, _ in
      name.hasPrefix("SSL_CERT") || name.hasPrefix("PIP_") || name.hasPrefix("UV_")
        || name.lowercased().hasSuffix("_proxy")
    }
    environment["UV_CACHE_DIR"] =
      own["UV_CACHE_DIR"] ?? (own["XDG_CACHE_HOME"] ?? "\(own["HOME"] ?? "/root")/.cache") + "/uv"
    return environment
  }

  /// Runs a workflow beside any testbed.
  static func run(
    _ run: Run, folder: String, git: String, server: String, environment: [String: String], testbed: Testbed,
    meanwhile: (Process) async throws -> Void = { _ in }
  ) async throws -> Outcome {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(run.payload.utf8).write(to: URL(filePath: folder + "/payload.json"))
    func json(_ values: [String: String]) throws -> String {
      String(decoding: try JSONEncoder().encode(values), as: UTF8.self)
    }
    let process = Process()
    process.executableURL = URL(filePath: "\(Testbed.packageRoot)/.tools/venv/bin/python")
    process.arguments =
      [
        "\(Testbed.packageRoot)/Tests/WorkflowRunner/run.py", "--workflow", run.workflow, "--event", run.event,
        "--payload",
        folder + "/payload.json", "--repository", Self.repository, "--git", git, "--folder", folder + "/run",
        "--server",
        server, "--inputs", try json(run.inputs), "--vars", try json(run.variables), "--secrets", try json(run.secrets),
        "--set", try json(run.set), "--env", try json(environment), "--limit", "120",
      ] + run.flags
    process.environment = testbed.environment
    process.standardInput = FileHandle.nullDevice
    for name in ["output", "error"] { try Data().write(to: URL(filePath: "\(folder)/\(name)")) }
    process.standardOutput = try FileHandle(forWritingTo: URL(filePath: folder + "/output"))
    process.standardError = try FileHandle(forWritingTo: URL(filePath: folder + "/error"))
    try process.run()
    defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    try await meanwhile(process)
    try await waitFor("the workflow to end", 240) { !process.isRunning }
    let error = try String(contentsOfFile: folder + "/error", encoding: .utf8)
    try #require(process.terminationStatus == 0, "\(error)")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Outcome.self, from: Data(contentsOf: URL(filePath: folder + "/output")))
  }

  // MARK: Events

  private static let owner = #""repository":{"full_name":"\#(repository)","private":false,"default_branch":"main"}"#

  func push(_ branch: String = "perf/x") -> Run {
    Run(
      event: "push",
      payload: #"{"ref":"refs/heads/\#(branch)","after":"\#(sha(branch))","deleted":false,\#(Self.owner)}"#)
  }

  func byHand(_ inputs: [String: String], isPrivate: Bool = false) -> Run {
    let owner = isPrivate ? Self.owner.replacing("false", with: "true") : Self.owner
    return Run(event: "workflow_dispatch", payload: "{\"ref\":\"refs/heads/main\",\(owner)}", inputs: inputs, set: [:])
  }

  func pull(_ action: String, label: String? = nil, isFork: Bool = false) -> Run {
    let (number, commit) = isFork ? (Self.forkPull, sha("fork")) : (Self.pull, sha("perf/x"))
    let labelled = label.map { #","label":{"name":"\#($0)"}"# } ?? ""
    return Run(
      event: "pull_request",
      payload: #"""
        {"action":"\#(action)"\#(labelled),"number":\#(number),\#(Self.owner),
         "pull_request":{"number":\#(number),"state":"open",
          "head":{"sha":"\#(commit)","ref":"perf/x","repo":{"full_name":"\#(isFork ? Self.fork : Self.repository)"}},
          "base":{"sha":"\#(sha("main"))","ref":"main","repo":{"full_name":"\#(Self.repository)"}}}}
        """#)
  }

  func comment(_ body: String, by login: String, association: String) -> Run {
    Run(
      event: "issue_comment",
      payload: #"""
        {"action":"created",\#(Self.owner),"sender":{"login":"\#(login)"},
         "comment":{"id":31,"body":"\#(body)","author_association":"\#(association)",
          "user":{"login":"\#(login)","type":"User"}},
         "issue":{"number":\#(Self.forkPull),"state":"open","pull_request":{"url":"x"}}}
        """#)
  }

  /// The end of the fork's run, whose results stand in a file.
  func ended(run: Int, artifact: String) throws -> Run {
    try github.set(
      json: #"""
        {"runs":[{"id":\#(run),"head_sha":"\#(sha("fork"))","head_branch":"perf/x",
          "head_repository":{"full_name":"\#(Self.fork)"}}],
         "artifacts":{"\#(run)":[{"name":"cf-bench-results","file":"\#(artifact)"}]}}
        """#)
    return Run(
      workflow: "\(Self.workflows)/bench-comment.yml", event: "workflow_run",
      payload: #"""
        {"action":"completed",\#(Self.owner),
         "workflow_run":{"id":\#(run),"name":"bench","event":"pull_request","conclusion":"success",
          "head_sha":"\#(sha("fork"))","head_branch":"perf/x","head_repository":{"full_name":"\#(Self.fork)"}}}
        """#, set: [:])
  }
}
