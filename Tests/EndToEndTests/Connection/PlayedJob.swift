import Foundation
import LocalSSHD
import Shared
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import AgentCore
@testable import ControllerCore

/// A benchmark host whose one job is played by the test: its runner's lock is held here, and its journal is written here by the
/// agent's own writer; `serve`, sshd, proxy and controller are the real ones.
struct PlayedJob {
  var testbed: Testbed
  var server: PrivateSSHD
  var proxy: CuttingProxy
  var job: JobID
  private let lock: FileLock
  let writer: JournalWriter

  static func with(
    cuts: CuttingProxy.Cuts = .init(up: 0, down: 0, count: 0), random: SeededRandom = TrialReport.random(for: "line"),
    _ body: (PlayedJob) async throws -> Void
  ) async throws {
    try await Testbed.with { testbed in
      try await serving(testbed) { server in
        let proxy = try CuttingProxy(to: server.port, cuts: cuts, random: random)
        defer { proxy.stop() }
        try await body(try PlayedJob(testbed: testbed, server: server, proxy: proxy))
      }
    }
  }

  /// A private sshd whose sessions have the testbed's home.
  static func serving(
    _ testbed: Testbed, extraConfiguration: [String] = [], _ body: (PrivateSSHD) async throws -> Void
  ) async throws {
    let names = ["PATH", "CF_BENCH_HOME", "CF_BENCH_LOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"]
    let options = PrivateSSHDOptions(
      environment: testbed.environment.filter { names.contains($0.key) }, extraConfiguration: extraConfiguration)
    try await withPrivateSSHD(options) { server in try await body(server) }
  }

  private init(testbed: Testbed, server: PrivateSSHD, proxy: CuttingProxy) throws {
    self.testbed = testbed
    self.server = server
    self.proxy = proxy
    job = try #require(JobID("played"))
    let folder = JobFolder(job, in: AgentHome(environment: testbed.environment))
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try JSONEncoder().encode(try Self.manifest(job)).write(to: URL(filePath: folder.manifest))
    lock = try #require(FileLock(path: folder.runnerLock, create: true))
    try #require(lock.tryLock())
    lock.write("\(getpid())")
    writer = try JournalWriter(folder: folder.path)
    try writer.emit(.started(Started(job: job, agentVersion: "1", agentSHA256: "", pid: getpid())))
    try PlayedJob.trust(server, port: proxy.port, in: testbed)
    try PlayedJob.installAgent(in: testbed)
  }

  /// Puts the agent where a controller would have brought it: what is tried here is the line after that.
  static func installAgent(in testbed: Testbed) throws {
    let path = try BuiltProduct.path("cf-bench-agent")
    let agent = try AgentBinary.find(environment: ["CF_BENCH_AGENT": path])
    let folder = testbed.folder + "/far/agents/\(agent.sha256)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: path, toPath: folder + "/cf-bench-agent")
  }

  static func manifest(_ job: JobID) throws -> JobManifest {
    let command = StartupCommand(name: "sleep", arguments: ["sleep", "1"], isControl: false)
    return JobManifest(
      id: job, createdAt: Timestamp.rfc3339(), owner: "tests", target: TargetPlan(package: "six", importName: "six"),
      sides: [SidePlan(side: .head, label: "six==1.17.0", source: .release(requirement: "six==1.17.0"))],
      python: PythonPlan(versions: ["3.11"], fallbackToSystem: true), requirements: [],
      layers: LayerPlans(
        startup: StartupPlan(commands: [command], blocks: 1, warmupRuns: 0, importRuns: 1, timeoutSeconds: 300)),
      seed: 1, limits: JobLimits())
  }

  /// Writes the server's host key as that of the proxy's port.
  static func trust(_ server: PrivateSSHD, port: Int, in testbed: Testbed) throws {
    let known = try String(contentsOfFile: server.knownHosts, encoding: .utf8)
    try testbed.write("known", known.replacing("]:\(server.port) ", with: "]:\(port) "))
  }

  var machine: [String] {
    [
      "--machine", "ssh://\(server.user)@127.0.0.1:\(proxy.port)", "--identity", server.clientKey, "--known-hosts",
      testbed.folder + "/known",
    ]
  }

  /// Writes events until the journal's last one has this number.
  func write(upTo number: Int) throws {
    while writer.last < number {
      try writer.emit(.phase(Phase(text: "event \(writer.last + 1), and what it has to say")))
    }
  }

  func finish() throws { try writer.emitLast(.finished(Finished(outcome: .done, seconds: 1))) }

  /// A folder of results that says whose it is: where an attach goes on.
  func makeFolder() throws -> RunFolder {
    try RunFolder.create(
      in: FilePath(testbed.folder + "/results"), base: nil, head: "six==1.17.0", job: job, alpha: 0.01, delta: 0.02)
  }

  func journal() throws -> Data { try Data(contentsOf: URL(filePath: writer.journalPath)) }
}

/// `cf-bench` as a child that a test looks at while it runs.
struct RunningBench: Sendable {
  var pid: pid_t
  var log: String

  /// What it has said on standard error so far.
  func said() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }  // not begun yet

  /// Waits for words, or for anything else that `condition` looks at; at most a minute.
  func wait(
    for what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
  ) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while !(try condition()) {
      try #require(kill(pid, 0) == 0, "cf-bench ended before \(what): \(said())", sourceLocation: sourceLocation)
      try #require(ContinuousClock.now < deadline, "no \(what): \(said())", sourceLocation: sourceLocation)
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  func wait(saying words: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    try await wait(for: "'\(words)'", sourceLocation: sourceLocation) { said().contains(words) }
  }
}

extension Testbed {
  /// Runs `cf-bench` and has `body` look at it meanwhile.
  func whileBench(
    _ arguments: [String], extra: [String: String] = [:], _ body: (RunningBench) async throws -> Void
  ) async throws -> Result {
    let keys = environment.merging(extra) { $1 }.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
    let log = folder + "/log-\(UUID().uuidString)"
    let file = try FileDescriptor.open(
      FilePath(log), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    let result = try await Subprocess.run(
      .path(FilePath(try BuiltProduct.path("cf-bench"))), arguments: Arguments(arguments),
      environment: .custom(Dictionary(uniqueKeysWithValues: keys)), workingDirectory: FilePath(folder), input: .none,
      output: .discarded, error: .fileDescriptor(file, closeAfterSpawningProcess: true)
    ) { execution in
      try await body(RunningBench(pid: execution.processIdentifier.value, log: log))
    }
    let status: Int32? = if case .exited(let code) = result.terminationStatus { code } else { nil }
    return Result(status: status, output: "", error: try String(contentsOfFile: log, encoding: .utf8))
  }
}
