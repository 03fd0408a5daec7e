import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

/// Talks to the real `cf-bench-agent serve` of one home.
struct Conversation {
  var home: String
  /// What keeps measurements apart; the home's own unless several homes share one.
  var lock: String?
  /// Settings of the benchmark host's environment.
  var settings: [String: String] = [:]
  /// Whether what its jobs install is not shared with other homes.
  var hasOwnEnvironments = false

  private var environment: [String: String] {
    var environment = ProcessInfo.processInfo.environment.filter { ["PATH", "HOME", "SSL_CERT_FILE"].contains($0.key) }
    environment["PATH"] = "\(SchemaValidator.packageRoot.path)/.tools/bin:" + (environment["PATH"] ?? "/usr/bin:/bin")
    environment["CF_BENCH_HOME"] = home
    environment["CF_BENCH_LOCK"] = lock ?? home + "/lock"
    environment["CF_BENCH_AGENT_PACE"] = "0.3"
    return environment.merging(settings) { $1 }
  }

  /// Sends requests to a `serve` of its own and reads to the end: a followed job's end.
  func send(_ requests: [AgentRequest]) throws -> [AgentMessage] {
    if !hasOwnEnvironments { try shareEnvironments() }
    let outcome = try ChildProcess(
      program: try BuiltProduct.path("cf-bench-agent"), arguments: ["serve"], environment: environment,
      directory: "/", input: try requests.flatMap { try $0.line() }, limitSeconds: 100
    ).run()
    #expect(outcome.end == .exited(0))
    var framer = LineFramer()
    return try framer.lines(of: outcome.output).map { line in try line.withUnsafeBytes { try AgentMessage(line: $0) } }
  }

  /// The folder of the release that most jobs of tests install. It is installed before any of them looks: a job that is
  /// killed while it installs would leave what others wait for half made.
  private static let shared = Result {
    let home = SchemaValidator.packageRoot.path + "/.build/tests-jobs"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    let first = Conversation(home: home, hasOwnEnvironments: true)
    let manifest = try Manifests.sleeping(name: "first-\(getpid())", blocks: 1)
    _ = try first.send([.submit(SubmitRequest(manifest: manifest))])
    let events = try first.follow(manifest.id)
    try #require(events.contains { if case .blockFinished = $0 { true } else { false } }, "\(events)")
    return home + "/environments"
  }

  private func shareEnvironments() throws {
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    symlink(try Self.shared.get(), home + "/environments")  // from the second time on it is there
  }

  func folder(_ job: JobID) -> JobFolder { JobFolder(job, in: AgentHome(environment: ["CF_BENCH_HOME": home])) }

  /// Waits until a job's journal has an event of this type; a job that ends without one has failed the test.
  func wait(for type: String, of job: JobID) async throws {
    let journal = folder(job).journal
    try await waitUntil {
      let events = try String(contentsOfFile: journal, encoding: .utf8)
      let isThere = events.contains("\"type\":\"\(type)\"")
      try #require(isThere || !events.contains("\"type\":\"finished\""), "\(events)")
      return isThere
    }
  }

  /// The events that a job's journal has, read through `attach`: returns at the job's end.
  func follow(_ job: JobID) throws -> [JobEvent] {
    try send([.attach(AttachRequest(job: job, after: 0))]).compactMap {
      if case .event(_, let line) = $0 { try NumberedEvent(line: line).event } else { nil }
    }
  }
}
