import Foundation
import TestSupport
import Testing

@Suite("The workflows that test and release, and the installation of what they release")
struct WorkflowReleaseTests {
  #if arch(arm64)
    private static let (platform, other) = ("linux-aarch64", "linux-x86_64")
  #else
    private static let (platform, other) = ("linux-x86_64", "linux-aarch64")
  #endif

  private static let repository =
    #""repository":{"full_name":"\#(WorkflowRig.repository)","private":false,"default_branch":"main"}"#

  @Test("a tag becomes a draft with archives and pins, whose programs the action installs", .timeLimit(.minutes(4)))
  func release() async throws {
    try await Rig.with { rig in
      let built = try makeBuilt(rig)
      let version = try await rig.bench(["--version"]).output.trimmingCharacters(in: .newlines)
      try await makeRepository(rig, tag: "v\(version)")
      let folder = rig.folder + "/release"
      try makePrograms(rig, artifacts: folder + "/run/artifacts", version: version)

      var run = tagged("v\(version)")
      run.environment["CF_BENCH_BUILT"] = built
      let outcome = try await execute(run, folder, rig)
      #expect(outcome.results == ["build": "success", "draft": "success"], "\(outcome.said)")
      #expect(try outcome.step("Attest where it comes from").said.contains("not run"))
      let calls = try rig.read("gh-calls").split(separator: "\n")
      #expect(calls.last?.contains("release create v\(version) --repo octo/project --draft --verify-tag") == true)
      #expect(calls.last?.hasSuffix("SHA256SUMS") == true, "\(calls)")
      let pins = try outcome.step("Make the draft").said.split(separator: "\n").filter {
        $0.hasPrefix("\(version) linux-")
      }
      #expect(pins.count == 2, "\(outcome.said)")

      try await install(rig, pins.joined(separator: "\n") + "\n", archives: rig.folder + "/files")
      try await wrongTag(rig, built)
    }
  }

  private func tagged(_ tag: String) -> WorkflowRig.Run {
    var run = WorkflowRig.Run(
      workflow: "\(WorkflowRig.workflows)/release.yml", event: "push",
      payload: #"{"ref":"refs/tags/\#(tag)","deleted":false,\#(Self.repository)}"#, set: [:])
    run.flags = ["--matrix", Self.platform]
    return run
  }

  private func execute(
    _ run: WorkflowRig.Run, _ folder: String, _ rig: Rig, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> WorkflowRig.Outcome {
    var environment = WorkflowRig.passedOn()
    environment["TMPDIR"] = rig.folder + "/tmp"
    environment["PATH"] = "\(rig.folder)/bin:\(rig.environment["PATH"] ?? "")"
    environment.merge(run.environment) { $1 }
    let outcome = try await WorkflowRig.run(
      run, folder: folder, git: rig.folder + "/git", server: "file://\(rig.folder)", environment: environment, rig: rig)
    #expect(outcome.complaints == [], sourceLocation: sourceLocation)
    #expect(outcome.steps.flatMap(\.unknownCommands) == [], sourceLocation: sourceLocation)
    return outcome
  }

  /// What the workflows read of this checkout, as it lies here.
  private func makeRepository(_ rig: Rig, tag: String) async throws {
    let work = rig.folder + "/work"
    try await rig.git("init", "-q", "-b", "main", work)
    for name in ["LICENSE", "scripts", "bench", "fixtures"] {
      try FileManager.default.copyItem(atPath: "\(Rig.packageRoot)/\(name)", toPath: "\(work)/\(name)")
    }
    try rig.write("work/.gitignore", "__pycache__\n")
    try await rig.commit(work, "all")
    for name in [tag, "v9.9.9"] { try await rig.git("-C", work, "tag", name) }
    try await rig.git("clone", "-q", "--bare", work, rig.folder + "/git")
  }

  /// Programs that hand on to those that were built: packing those themselves takes a minute.
  private func makeBuilt(_ rig: Rig) throws -> String {
    try FileManager.default.createDirectory(atPath: rig.folder + "/built", withIntermediateDirectories: true)
    for name in ["cf-bench", "cf-bench-agent"] {
      try rig.write("built/\(name)", "#!/bin/sh\nexec '\(try BuiltProduct.path(name))' \"$@\"\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(rig.folder)/built/\(name)")
    }
    return rig.folder + "/built"
  }

  /// `make`, since a release build takes minutes, and a `gh` that has the archives of both platforms.
  private func makePrograms(_ rig: Rig, artifacts: String, version: String) throws {
    let names = [Self.platform, Self.other].map { "cf-bench-\(version)-\($0).tar.gz" }
    for (name, text) in [
      ("make", "echo \"make $*\""),
      (
        "gh",
        """
        echo "$*" >>'\(rig.folder)/gh-calls'
        [ "$1 $2" = 'run download' ] || exit 0
        for folder; do :; done
        mkdir -p "$folder/release-\(Self.platform)" "$folder/release-\(Self.other)" '\(rig.folder)/files'
        unzip -q '\(artifacts)/release-\(Self.platform).zip' -d "$folder/release-\(Self.platform)"
        cp "$folder/release-\(Self.platform)/\(names[0])" '\(rig.folder)/files/'
        cp "$folder/release-\(Self.platform)/\(names[0])" "$folder/release-\(Self.other)/\(names[1])"
        """
      ),
    ] {
      try FileManager.default.createDirectory(atPath: rig.folder + "/bin", withIntermediateDirectories: true)
      try rig.write("bin/\(name)", "#!/bin/sh\nset -e\n\(text)\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(rig.folder)/bin/\(name)")
    }
  }

  /// The whole action, on an event that measures nothing, with the programs of the archive.
  private func install(_ rig: Rig, _ pins: String, archives: String) async throws {
    let server = try ArchiveServer(archives, in: rig)
    defer { server.end() }
    try rig.write("pins", "# a comment\n" + pins)
    var run = WorkflowRig.Run(
      workflow: "\(WorkflowRig.workflows)/bench.yml", event: "push",
      payload: #"{"ref":"refs/heads/perf/x","deleted":true,\#(Self.repository)}"#)
    // Deleted branches start no job; what is tried here is the action.
    run.payload = run.payload.replacing("true", with: "false")
    run.set["base"] = "perf/x"
    run.flags = ["--only", "compare", "--ref", "refs/heads/perf/x"]
    run.environment = [
      "CF_BENCH_RELEASE_URL": try await server.address, "CF_BENCH_RELEASE_PINS": rig.folder + "/pins",
    ]
    try await rig.git("-C", rig.folder + "/git", "branch", "perf/x", "main")
    let outcome = try await execute(run, rig.folder + "/install", rig)
    let bin = try #require(try outcome.step("Install cf-bench").outputs["bin"], "\(outcome.said)")
    #expect(bin.hasSuffix("/temp/cf-bench/program/bin"))
    for name in ["cf-bench", "cf-bench-agent", "LICENSE", "bench", "fixtures"] {
      #expect(FileManager.default.fileExists(atPath: "\(bin)/\(name)"), "\(name)")
    }
    let measure = try outcome.step("Measure")
    #expect(measure.status == 0 && measure.outputs["measured"] == "false", "\(outcome.said)")

    // One digit of the hash is another.
    let hash = try #require(pins.firstMatch(of: /[0-9a-f]{64}/)?.output)
    try rig.write("pins", pins.replacing(hash, with: hash.dropLast() + (hash.hasSuffix("0") ? "1" : "0")))
    let refused = try await execute(run, rig.folder + "/refused", rig)
    let step = try refused.step("Install cf-bench")
    #expect(step.status == 3 && step.said.contains("is not what was pinned"), "\(refused.said)")
    #expect(step.annotations.map(\.kind) == ["error"])
    #expect(refused.steps.first { $0.name == "Measure" }?.outcome == "skipped")
    #expect(refused.results["compare"] == "failure")
  }

  private func wrongTag(_ rig: Rig, _ built: String) async throws {
    var run = tagged("v9.9.9")
    run.environment["CF_BENCH_BUILT"] = built
    let outcome = try await execute(run, rig.folder + "/wrong", rig)
    #expect(try outcome.step("Package").status == 2, "\(outcome.said)")
    #expect(outcome.results == ["build": "failure", "draft": "skipped"])
  }

  @Test("CI tests pushes, and of pull requests only those of forks", .timeLimit(.minutes(2)))
  func ci() async throws {
    try await WorkflowRig.with { rig in
      for (run, result, group) in [
        (rig.push(), "success", "ci-refs/heads/perf/x-newest"),
        (rig.push("main"), "success", "ci-refs/heads/main-4711"), (rig.pull("opened"), "skipped", nil),
        (rig.pull("opened", isFork: true), "success", "ci-refs/pull/9/merge-newest"),
      ] {
        var run = run
        run.workflow = "\(WorkflowRig.workflows)/ci.yml"
        let (outcome, _) = try await rig.run(run)
        #expect(outcome.results == ["lint-and-test": result], "\(outcome.said)")
        #expect(outcome.jobs["lint-and-test"]?.concurrency == group)
        guard result == "success" else { continue }
        #expect(try outcome.step("Check Swift").said.contains("Swift version"))
      }
      // A runner whose Swift is too old.
      let bin = rig.rig.folder + "/bin"
      try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
      try rig.rig.write("bin/swift", "#!/bin/sh\necho 'Swift version 5.10.1 (swift-5.10.1-RELEASE)'\n")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: bin + "/swift")
      var old = rig.push()
      old.workflow = "\(WorkflowRig.workflows)/ci.yml"
      old.environment["PATH"] = "\(bin):\(rig.rig.environment["PATH"] ?? "")"
      let (outcome, _) = try await rig.run(old)
      let step = try outcome.step("Check Swift")
      #expect(step.status == 2 && step.annotations.map(\.message) == ["Swift 5.10 is too old, 6.2 or later is needed"])
    }
  }

  /// The one step of the template that fetches something of its own.
  @Test("the unit tests of the template run with the uv that it pins", .timeLimit(.minutes(3)))
  func templateUnitTests() async throws {
    try await WorkflowRig.with { rig in
      let project = try String(contentsOfFile: rig.work + "/pyproject.toml", encoding: .utf8)
      try await rig.rig.git("-C", rig.work, "checkout", "-q", "-B", "perf/unit", "main")
      try rig.rig.write("work/pyproject.toml", project + "\n[dependency-groups]\ndev = [\"pytest\"]\n")
      let locked = try await rig.rig.tool("uv", ["lock", "--quiet", "--directory", rig.work])
      try #require(locked.status == 0, "\(locked.error)")
      try await rig.rig.commit(rig.work, "locked")
      try await rig.rig.git("-C", rig.work, "push", "-q", rig.git, "perf/unit")
      var run = rig.push("perf/unit")
      run.workflow = "\(Rig.packageRoot)/Sources/Controller/GitHub/Templates/cf-bench-workflow.yml"
      run.flags = ["--only", "unit"]
      let (outcome, _) = try await rig.run(run)
      #expect(outcome.results["unit"] == "success", "\(outcome.said)")
      #expect(try outcome.step("Unit tests").said.contains("1 passed"))
    }
  }
}

/// Python's own web server on one folder.
private final class ArchiveServer {
  private let process = Process()
  private let log: String

  init(_ folder: String, in rig: Rig) throws {
    log = rig.folder + "/server-log"
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
