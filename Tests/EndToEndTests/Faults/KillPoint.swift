import Foundation
import Shared
import TestSupport

/// When a fault comes: somewhere in a phase of a run, which is told by what stands on the benchmark host's disk.
final class KillPoint {
  private let host: FaultHost
  private let before: Set<String>
  /// The job of the run, as soon as it is there.
  private(set) var job: String?

  private static let limit = 60.0

  init(host: FaultHost, before: Set<String>) {
    self.host = host
    self.before = before
  }

  /// Waits for the phase, and then for a random part of it.
  func wait(for phase: KillTests.Phase, _ random: inout SeededRandom) async throws {
    switch phase {
    case .connecting: try await pause(upTo: 0.3, &random)
    case .uploading:
      try await waitFor("the upload", Self.limit) { isUploading }
      try await pause(upTo: 0.15, &random)
    case .queued:
      try await events("the queue") { $0.contains { if case .queued = $0.event { true } else { false } } }
      try await pause(upTo: 0.3, &random)
    case .preparing:
      try await events("the preparing") { $0.contains { if case .phase = $0.event { true } else { false } } }
      try await pause(upTo: 0.6, &random)
    case .measuring:
      let count = Int.random(in: 1...17, using: &random)
      try await events("value \(count)") { $0.count { if case .sample = $0.event { true } else { false } } >= count }
      try await pause(upTo: 0.1, &random)
    case .summarising:
      try await events("the summary") { $0.contains { if case .importTree = $0.event { true } else { false } } }
      try await pause(upTo: 0.8, &random)
    case .reporting:
      try await events("the last word") { if case .finished = $0.last?.event { true } else { false } }
      try await pause(upTo: 0.05, &random)
    }
  }

  private func events(_ what: String, _ condition: ([NumberedEvent]) -> Bool) async throws {
    try await waitFor(what, Self.limit) {
      if job == nil { job = host.jobs.subtracting(before).first }
      return job.map { condition(host.events(of: $0)) } ?? false
    }
  }

  private var isUploading: Bool {
    let agents = host.home + "/agents"
    // Nothing there yet: not begun.
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: agents)) ?? []
    return !names.isEmpty
  }

  private func pause(upTo seconds: Double, _ random: inout SeededRandom) async throws {
    try await Task.sleep(for: .seconds(Double.random(in: 0...seconds, using: &random)))
  }
}

/// The fault itself.
struct Fault {
  var host: FaultHost
  var bench: BenchProcess
  var job: String?

  /// True when there was somebody to hit.
  func strike(_ victim: KillTests.Victim, _ random: inout SeededRandom) async throws -> Bool {
    switch victim {
    case .controller:
      guard bench.isRunning else { return false }
      return kill(bench.pid, SIGKILL) == 0
    case .serve: return try await strike(SIGKILL) { host.agents.filter { $0.role == .serve }.map(\.pid) }
    case .supervisor: return try await strike(SIGKILL) { agents(.supervisor) }
    case .worker: return try await strike(SIGKILL) { agents(.worker) }
    case .sshd: return try await strike(SIGKILL) { SSHDProcesses.sessions(of: host.server) }
    case .frozen:
      var frozen: [pid_t] = []
      let hit = try await strike(SIGSTOP) {
        frozen = SSHDProcesses.sessions(of: host.server)
        return frozen
      }
      try await Task.sleep(for: .seconds(Double.random(in: 0.1...2, using: &random)))
      let end = Bool.random(using: &random) ? SIGCONT : SIGKILL
      for pid in frozen { kill(pid, end) }
      return hit
    }
  }

  private func agents(_ role: AgentProcess.Role) -> [pid_t] {
    host.agents.filter { $0.role == role && (job == nil || $0.job == job) }.map(\.pid)
  }

  /// Hits all that are there, waiting a moment for somebody to come.
  private func strike(_ signal: Int32, _ victims: () -> [pid_t]) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(1)
    while ContinuousClock.now < deadline, bench.isRunning {
      let hit = victims()
      if !hit.isEmpty { return hit.map { kill($0, signal) == 0 }.contains(true) }
      try await Task.sleep(for: .milliseconds(2))
    }
    return false
  }
}
