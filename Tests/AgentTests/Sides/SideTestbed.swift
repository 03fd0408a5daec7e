import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

/// Keeps events in the order in which they came, each with the moment of its coming.
final class CollectedEvents: EventSink {
  private(set) var all: [(at: Double, event: JobEvent)] = []

  func emit(_ event: JobEvent) { all.append((MonotonicClock.seconds, event)) }

  var ready: [SideReady] { all.compactMap { if case .sideReady(let body) = $0.event { body } else { nil } } }
  var phases: [String] { all.compactMap { if case .phase(let body) = $0.event { body.text } else { nil } } }
  var samples: [Sample] { all.compactMap { if case .sample(let body) = $0.event { body } else { nil } } }
  var skipped: [Skipped] { all.compactMap { if case .skipped(let body) = $0.event { body } else { nil } } }
  var troubles: [Trouble] { all.compactMap { if case .trouble(let body) = $0.event { body } else { nil } } }
  var trees: [ImportTree] { all.compactMap { if case .importTree(let body) = $0.event { body } else { nil } } }
  var runs: [OptimizeRun] { all.compactMap { if case .optimizeRun(let body) = $0.event { body } else { nil } } }
  var stacks: [StackProfile] { all.compactMap { if case .stacks(let body) = $0.event { body } else { nil } } }
  var recordings: [Recording] { all.compactMap { if case .recording(let body) = $0.event { body } else { nil } } }
  var memoryProfiles: [MemoryProfile] {
    all.compactMap { if case .memoryProfile(let body) = $0.event { body } else { nil } }
  }
  var timelines: [MemoryTimeline] {
    all.compactMap { if case .memoryTimeline(let body) = $0.event { body } else { nil } }
  }
  var profiles: [FunctionProfile] { all.compactMap { if case .profile(let body) = $0.event { body } else { nil } } }
  /// When each sample came, in seconds of the monotonic clock.
  var sampleTimes: [Double] { all.compactMap { if case .sample = $0.event { $0.at } else { nil } } }
}

/// A benchmark host's home in a folder of its own, gone with the test.
final class SideTestbed {
  let folder: String
  let home: AgentHome
  var environment: [String: String]
  let events = CollectedEvents()
  /// The built agent, which layers start for what needs a process of its own.
  var agent: String
  var secrets: [String: String] = [:]
  var scratch: String { folder + "/scratch" }
  static var packageRoot: String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL.path
  }

  /// - Parameter hostHome: a home that outlives the test, for environments that take long to make.
  init(hostHome: String? = nil) throws {
    agent = try BuiltProduct.path("cf-bench-agent")
    let url = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appending(path: "cf-bench-sides-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    folder = url.path
    let own = ProcessInfo.processInfo.environment
    // The rest is the machine's own: its proxy, its certificates, its package index.
    environment = own.merging([
      "PATH": "\(Self.packageRoot)/.tools/bin:\(own["PATH"] ?? "/usr/bin:/bin")", "HOME": folder,
      "CF_BENCH_HOME": hostHome ?? folder + "/far",
      // The download cache too, so that a test run does not fetch what is there.
      "UV_CACHE_DIR": own["UV_CACHE_DIR"] ?? "\(own["HOME"] ?? folder)/.cache/uv",
    ]) { $1 }
    home = AgentHome(environment: environment)
  }

  deinit { removeFolder(folder) }

  func write(_ name: String, _ text: String) throws {
    let url = URL(filePath: folder).appending(path: name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  /// Runs a tool that must succeed, and gives its output without the last newline.
  @discardableResult
  func run(_ program: String, _ arguments: String..., in directory: String? = nil) throws -> String {
    let outcome = try ChildProcess(
      program: program, arguments: arguments,
      environment: environment.merging([
        "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org", "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@example.org", "GIT_CONFIG_GLOBAL": "/dev/null",
      ]) { $1 },
      directory: directory ?? folder, limitSeconds: 300
    ).run()
    try #require(outcome.succeeded, "\(program) \(arguments): \(outcome.outputTail())")
    return outcome.outputText.trimmingCharacters(in: .newlines)
  }

  /// Puts a file where uploads stand, under its digest.
  func upload(_ path: String) throws -> UploadID {
    let data = try Data(contentsOf: URL(filePath: path))
    let id = try #require(UploadID(sha256: SHA256.hex(data)))
    try FileManager.default.createDirectory(atPath: home.uploads, withIntermediateDirectories: true)
    try data.write(to: URL(filePath: "\(home.uploads)/\(id)"))
    return id
  }

  /// A folder as the controller sends it.
  func uploadTree(_ name: String) throws -> UploadID {
    try run("tar", "-czf", "\(name).tar.gz", "-C", name, ".")
    return try upload("\(folder)/\(name).tar.gz")
  }

  /// Sides of these sources, base first; one source is a head alone.
  func builder(
    _ sources: SideSource..., requirements: [String] = [], fallbackToSystem: Bool = false
  ) throws -> SideBuilder {
    let sides = zip(sources.count == 1 ? [Side.head] : [.base, .head], sources).map {
      SidePlan(side: $0, label: "the \($0.rawValue)", source: $1)
    }
    let manifest = JobManifest(
      id: try #require(JobID("test")), createdAt: Timestamp.rfc3339(), owner: "test",
      target: TargetPlan(package: "tidbit", importName: "tidbit"), sides: sides,
      python: PythonPlan(versions: ["/usr/bin/python3"], fallbackToSystem: fallbackToSystem),
      requirements: requirements, layers: LayerPlans(), seed: 1, limits: JobLimits(setupSeconds: 120))
    return SideBuilder(manifest: manifest, home: home, environment: environment, sink: events)
  }

  /// The interpreter that tests prepare sides for: whatever `python3` the machine has.
  func python() throws -> String {
    try run("python3", "-c", "import os, sys; print(os.path.realpath(sys.executable))")
  }

  /// Sides ready to be measured, from packages of these texts.
  func sides(_ packages: SmallPackage..., requirements: [String] = []) throws -> [SideEnvironment] {
    let uploads = try packages.enumerated().map { index, package in
      try package.write(to: "package\(index)", in: self)
      return SideSource.tree(upload: try uploadTree("package\(index)"))
    }
    var builder =
      try uploads.count == 1
      ? builder(uploads[0], requirements: requirements)
      : builder(uploads[0], uploads[1], requirements: requirements)
    return try builder.prepare(python: try python()).sides
  }
}

/// A real Python package with a command, built by a backend of its own: no test needs the network for it.
struct SmallPackage {
  var version = "1.0"
  /// The module `tidbit`; its `main` is the command `tidbit`.
  var module = "def main():\n    print('tidbit')\n"
  var dependencies: [String] = []
  /// Put in front of the build backend's code.
  var backendPrelude = ""
  /// More of its folder, by path.
  var files: [String: String] = [:]

  func write(to name: String, in testbed: SideTestbed) throws {
    try testbed.write("\(name)/src/tidbit.py", module)
    for (file, text) in files { try testbed.write("\(name)/\(file)", text) }
    let backend = LightBackend(
      name: "tidbit", version: version, source: "src", function: "tidbit:main", needs: dependencies)
    for (file, text) in try backend.files {
      try testbed.write("\(name)/\(file)", file == "backend.py" ? backendPrelude + text : text)
    }
  }
}
