import Foundation
import LocalSSHD
import Shared
import TestSupport
import Testing

/// A benchmark host for faults: a private sshd, and everything of the agent's below one folder.
struct FaultHost: Sendable {
  let testbed: Testbed
  let server: PrivateSSHD
  /// Flags that lead a command there.
  let machine: [String]
  /// The agent's home.
  let home: String

  static func with(
    settings: String = FixtureProject.settings(blocks: 3), environment: [String: String] = [:],
    _ body: @escaping (FaultHost) async throws -> Void
  ) async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", settings)
      try testbed.writeProjects()
      try await at(testbed, environment: environment, body)
    }
  }

  static func at(
    _ testbed: Testbed, environment: [String: String] = [:], _ body: @escaping (FaultHost) async throws -> Void
  ) async throws {
    let passed = testbed.environment.filter {
      ["PATH", "CF_BENCH_HOME", "CF_BENCH_LOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"].contains($0.key)
    }.merging(environment) { $1 }
    // Many may knock at once.
    let options = PrivateSSHDOptions(environment: passed, extraConfiguration: ["MaxStartups 200"])
    try await withPrivateSSHD(options) { server in
      let machine = [
        "--machine", "ssh://\(server.user)@127.0.0.1:\(server.port)", "--identity", server.clientKey,
        "--known-hosts", server.knownHosts,
      ]
      try await body(FaultHost(testbed: testbed, server: server, machine: machine, home: passed["CF_BENCH_HOME"] ?? ""))
    }
  }

  /// Starts `cf-bench` and does not wait for it.
  func start(_ arguments: [String]) throws -> BenchProcess {
    try BenchProcess(arguments + machine, in: testbed)
  }

  /// The jobs that are there, by name.
  var jobs: Set<String> {
    // No folder: no job yet.
    Set((try? FileManager.default.contentsOfDirectory(atPath: home + "/jobs"))?.filter { !$0.hasPrefix(".") } ?? [])
  }

  func journal(_ job: String) -> String { "\(home)/jobs/\(job)/journal.ndjson" }

  /// The whole lines of a journal so far.
  func events(of job: String) -> [NumberedEvent] { Events.read(journal(job)) }

  /// The agent's processes.
  var agents: [AgentProcess] { AgentProcess.all(below: home) }

  /// Waits until none of the agent's processes is left.
  func waitForSilence(_ seconds: Double = 15) async throws {
    try await waitFor("the agent's processes to end", seconds) { agents.isEmpty }
  }
}

/// Looks every few milliseconds until it is so.
func waitFor(_ what: String, _ seconds: Double, _ condition: () throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while try !condition() {
    guard ContinuousClock.now < deadline else { throw WaitedTooLong(description: "waited \(seconds) s for \(what)") }
    try await Task.sleep(for: .milliseconds(3))
  }
}

struct WaitedTooLong: Error, CustomStringConvertible {
  var description: String
}

enum Events {
  /// The whole lines of a journal, or of the controller's copy; none where there is no file yet.
  static func read(_ path: String) -> [NumberedEvent] {
    let bytes = FileManager.default.contents(atPath: path) ?? Data()
    let whole = bytes[..<(bytes.lastIndex(of: UInt8(ascii: "\n")) ?? bytes.startIndex)]
    // A line that is damaged is for the caller to miss.
    return whole.split(separator: UInt8(ascii: "\n")).compactMap { try? NumberedEvent(line: $0) }
  }
}
