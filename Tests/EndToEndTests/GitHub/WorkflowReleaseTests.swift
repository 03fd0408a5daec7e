import Foundation
import TestSupport
import Testing

@Suite("The workflows that test and release, and the installation of what they release", .programs)
struct WorkflowReleaseTests {
  #if arch(arm64)
    private static let (platform, other) = ("linux-aarch64", "linux-x86_64")
  #else
    private static let (platform, other) = ("linux-x86_64", "linux-aarch64")
  #endif

  private static let repository =
    #""repository":{"full_name":"\#(WorkflowTestbed.repository)","private":false,"default_branch":"main"}"#

  @Test("a tag becomes a draft with archives and pins, whose programs the action installs")
  func release() async throws {
    try await Testbed.with { testbed in
      let built = try makeBuilt(testbed)
      let version = try await testbed.bench(["--version"]).output.trimmingCharacters(in: .newlines)
      try await makeRepository(testbed, tag: "v\(version)")
      let folder = testbed.folder + "/release"
      try makePrograms(testbed, artifacts: folder + "/run/artifacts", version: version)

      var run = tagged("v\(version)")
      run.environment["CF_BENCH_BUILT"] = built
      let outcome = try await execute(run, folder, testbed)
      #expect(outcome.results == ["build": "success", "draft": "success"], "\(outcome.said)")
      #expect(try outcome.step("Attest where it comes from").said.contains("not run"))
      let calls = try testbed.read("gh-calls").split(separator: "\n")
      #expect(calls.last?.contains("release create v\(version) --repo octo/project --draft --verify-tag") == true)
      #expect(calls.last?.hasSuffix("SHA256SUMS") == true, "\(calls)")
      let pins = try outcome.step("Make the draft").said.split(separator: "\n").filter {
        $0.hasPrefix("\(version) linux-")
      }
      #expect(pins.count == 2, "\(outcome.said)")

      try await install(testbed, pins.joined(separator: "\n") + "\n", archives: testbed.folder + "/files")
      try await wrongTag(testbed, built)
    }
  }

  private func tagged(_ tag: String) -> WorkflowTestbed.Run {
    var run = WorkflowTestbed.Run(
      workflow: "\(WorkflowTestbed.workflows)/release.yml", event: "push",
      payload: #"{"ref":"refs/tags/\#(tag)","deleted":false,\#(Self.repository)}"#, set: [:])
    run.flags = ["--matrix", Self.platform]
    return run
  }

  private func execute(
    _ run: WorkflowTestbed.Run, _ folder: String, _ testbed: Testbed, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> WorkflowTestbed.Outcome {
    var environment = WorkflowTestbed.passedOn()
    environment["TMPDIR"] = testbed.folder + "/tmp"
    environment["PATH"] = "\(testbed.folder)/bin:\(testbed.environment["PATH"] ?? "")"
    environment.merge(run.environment) { $1 }
    let outcome = try await WorkflowTestbed.run(
      run, folder: folder, git: testbed.folder + "/git", server: "file://\(testbed.folder)", environment: environment,
      testbed: testbed)
    #expect(outcome.complaints == [], sourceLocation: sourceLocation)
    #expect(outcome.steps.flatMap(\.unknownCommands) == [], sourceLocation: sourceLocation)
    return outcome
  }

  /// What the workflows read of this checkout, as it lies here.
  private func makeRepository(_ testbed: Testbed, tag: String) async throws {
    let work = testbed.folder + "/work"
    try await testbed.git("init", "-q", "-b", "main", work)
    for name in ["LICENSE", "scripts", "bench", "fixtures"] {
      try FileManager.default.copyItem(atPath: "\(Testbed.packageRoot)/\(name)", toPath: "\(work)/\(name)")
    }
    try testbed.write("work/.gitignore", "__pycache__\n")
    try await testbed.commit(work, "all")
    for name in [tag, "v9.9.9"] { try await testbed.git("-C", work, "tag", name) }
    try await testbed.git("clone", "-q", "--bare", work, testbed.folder + "/git")
  }

  /// Programs that hand on to those that were built: packing those themselves takes a minute.
  private func makeBuilt(_ testbed: Testbed) throws -> String {
    try FileManager.default.createDirectory(atPath: testbed.folder + "/built", withIntermediateDirectories: true)
    for name in ["cf-bench", "cf-bench-agent"] {
      try placeProgram(
        "#!/bin/sh\nexec '\(try BuiltProduct.path(name))' \"$@\"\n", at: "\(testbed.folder)/built/\(name)")
    }
    return testbed.folder + "/built"
  }

  /// `make`, since a release build takes minutes, and a `gh` that has the archives of both platforms.
  private func makePrograms(_ testbed: Testbed, artifacts: String, version: String) throws {
    let names = [Self.platform, Self.other].map { "cf-bench-\(version)-\($0).tar.gz" }
    for (name, text) in [
      ("make", "echo \"make $*\""),
      (
        "gh",
        """
        echo "$*" >>'\(testbed.folder)/gh-calls'
        [ "$1 $2" = 'run download' ] || exit 0
        for folder; do :; done
        mkdir -p "$folder/release-\(Self.platform)" "$folder/release-\(Self.other)" '\(testbed.folder)/files'
        unzip -q '\(artifacts)/release-\(Self.platform).zip' -d "$folder/release-\(Self.platform)"
        cp "$folder/release-\(Self.platform)/\(names[0])" '\(testbed.folder)/files/'
        cp "$folder/release-\(Self.platform)/\(names[0])" "$folder/release-\(Self.other)/\(names[1])"
        """
      ),
    ] {
      try FileManager.default.createDirectory(atPath: testbed.folder + "/bin", withIntermediateDirectories: true)
      try placeProgram("#!/bin/sh\nset -e\n\(text)\n", at: "\(testbed.folder)/bin/\(name)")
    }
  }

  /// The whole action, on an event that measures nothing, with the programs of the archive.
  private func install(_ testbed: Testbed, _ pins: String, archives: String) async throws {
    let server = try ArchiveServer(archives, in: testbed)
    defer { server.end() }
    try testbed.write("pins", "# a comment\n" + pins)
    var run = WorkflowTestbed.Run(
      workflow: "\(WorkflowTestbed.workflows)/bench.yml", event: "push",
      payload: #"{"ref":"refs/heads/perf/x","deleted":true,\#(Self.repository)}"#)
    // Deleted branches start no job; what is tried here is the action.
    run.payload = run.payload.replacing("true", with: "false")
    run.set["base"] = "perf/x"
    run.flags = ["--only", "compare", "--ref", "refs/heads/perf/x"]
    run.environment = [
      "CF_BENCH_RELEASE_URL": try await server.address, "CF_BENCH_RELEASE_PINS": testbed.folder + "/pins",
    ]
    try await testbed.git("-C", testbed.folder + "/git", "branch", "perf/x", "main")
    let outcome = try await execute(run, testbed.folder + "/install", testbed)
    let bin = try #require(try outcome.step("Install cf-bench").outputs["bin"], "\(outcome.said)")
    #expect(bin.hasSuffix("/temp/cf-bench/program/bin"))
    for name in ["cf-bench", "cf-bench-agent", "LICENSE", "bench", "fixtures"] {
      #expect(FileManager.default.fileExists(atPath: "\(bin)/\(name)"), "\(name)")
    }
    let measure = try outcome.step("Measure")
    #expect(measure.status == 0 && measure.outputs["measured"] == "false", "\(outcome.said)")

    // One digit of the hash is another.
    let hash = try #require(pins.firstMatch(of: /[0-9a-f]{64}/)?.output)
    try testbed.write("pins", pins.replacing(hash, with: hash.dropLast() + (hash.hasSuffix("0") ? "1" : "0")))
    let refused = try await execute(run, testbed.folder + "/refused", testbed)
    let step = try refused.step("Install cf-bench")
    #expect(step.status == 3 && step.said.contains("is not what was pinned"), "\(refused.said)")
    #expect(step.annotations.map(\.kind) == ["error"])
    #expect(refused.steps.first { $0.name == "Measure" }?.outcome == "skipped")
    #expect(refused.results["compare"] == "failure")
  }

  private func wrongTag(_ testbed: Testbed, _ built: String) async throws {
    var run = tagged("v9.9.9")
    run.environment["CF_BENCH_BUILT"] = built
    let outcome = try await execute(run, testbed.folder + "/wrong", testbed)
    #expect(try outcome.step("Package").status == 2, "\(outcome.said)")
    #expect(outcome.results == ["build": "failure", "draft": "skipped"])
  }

  @Test("CI tests pushes, and of pull requests only those of forks")
  func ci() async throws {
    try await WorkflowTestbed.with { testbed in
      for (run, result, group) in [
        (testbed.push(), "success", "ci-refs/heads/perf/x-newest"),
        (testbed.push("main"), "success", "ci-refs/heads/main-4711"), (testbed.pull("opened"), "skipped", nil),
        (testbed.pull("opened", isFork: true), "success", "ci-refs/pull/9/merge-newest"),
      ] {
        var run = run
        run.workflow = "\(WorkflowTestbed.workflows)/ci.yml"
        let (outcome, _) = try await testbed.run(run)
        #expect(outcome.results == ["lint-and-test": result], "\(outcome.said)")
        #expect(outcome.jobs["lint-and-test"]?.concurrency == group)
        guard result == "success" else { continue }
        #expect(try outcome.step("Check Swift").said.contains("Swift version"))
      }
      // A runner whose Swift is too old.
      let bin = testbed.testbed.folder + "/bin"
      try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
      try placeProgram("#!/bin/sh\necho 'Swift version 5.10.1 (swift-5.10.1-RELEASE)'\n", at: bin + "/swift")
      var old = testbed.push()
      old.workflow = "\(WorkflowTestbed.workflows)/ci.yml"
      old.environment["PATH"] = "\(bin):\(testbed.testbed.environment["PATH"] ?? "")"
      let (outcome, _) = try await testbed.run(old)
      let step = try outcome.step("Check Swift")
      #expect(step.status == 2 && step.annotations.map(\.message) == ["Swift 5.10 is too old, 6.2 or later is needed"])
    }
  }

  /// The one step of the template that fetches something of its own.
  @Test("the unit tests of the template run with the uv that it pins")
  func templateUnitTests() async throws {
    try await WorkflowTestbed.with { testbed in
      let project = try String(contentsOfFile: testbed.work + "/pyproject.toml", encoding: .utf8)
      try await testbed.testbed.git("-C", testbed.work, "checkout", "-q", "-B", "perf/unit", "main")
      try testbed.testbed.write("work/pyproject.toml", project + "\n[dependency-groups]\ndev = [\"pytest\"]\n")
      let locked = try await testbed.testbed.tool("uv", ["lock", "--quiet", "--directory", testbed.work])
      try #require(locked.status == 0, "\(locked.error)")
      try await testbed.testbed.commit(testbed.work, "locked")
      try await testbed.testbed.git("-C", testbed.work, "push", "-q", testbed.git, "perf/unit")
      var run = testbed.push("perf/unit")
      run.workflow = "\(Testbed.packageRoot)/Sources/Controller/Core/GitHub/Templates/cf-bench-workflow.yml"
      run.flags = ["--only", "unit"]
      let (outcome, _) = try await testbed.run(run)
      #expect(outcome.results["unit"] == "success", "\(outcome.said)")
      #expect(try outcome.step("Unit tests").said.contains("1 passed"))
    }
  }
}

/// Python's own web server on one folder.
private final class ArchiveServer {
  private let process = Process()
  private let log: String

  init(_ folder: String, in testbed: Testbed) throws {
    log = testbed.folder + "/server-log"
    try Data().write(to: URL(filePath: log))
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder]
    process.standardOutput = try FileHandle(forWritingTo: URL(filePath: log))
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  var address: String {
    get async throws {
      var found: Substring?
      try await waitFor("the server", 20) {
        found = try String(contentsOfFile: log, encoding: .utf8).firstMatch(of: /port ([0-9]+)/)?.output.1
        return found != nil
      }
      return "http://127.0.0.1:\(found ?? "")"
    }
  }

  /// A child of the test program blocks signals: only this one is sure to end it.
  func end() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  deinit { if process.isRunning { end() } }
}
