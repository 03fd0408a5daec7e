import Foundation
import Shared
import TestSupport
import Testing

/// Trials one after the other on one benchmark host, each a run with one fault.
struct KillLane {
  struct Outcome: Sendable {
    var trial: KillTests.Trial
    var complaints: [String]
    /// From the fault to the report.
    var seconds = 0.0
    /// Whether there was somebody to hit.
    var hit = false
    /// How many values were in finished blocks at the fault.
    var safe = 0
  }

  private static let run = ["run", "path:fast"]

  private let host: FaultHost
  private let undisturbed: Outline

  static func run(_ trials: [KillTests.Trial]) async throws -> [Outcome] {
    var outcomes: [Outcome] = []
    while outcomes.count < trials.count {
      let done = outcomes.count
      // A trial that went wrong may leave anything behind: the next ones get a benchmark host of their own.
      let more = Box<[Outcome]>([])
      try await FaultHost.with { host in
        let first = try await host.start(Self.run).end()
        try #require(first.status == 0, "an undisturbed run fails: \(first.error)")
        let folder = try #require(try host.testbed.results().first)
        let undisturbed = try Outline(folder: "\(host.testbed.folder)/results/\(folder)")
        let lane = KillLane(host: host, undisturbed: undisturbed)
        for trial in trials.dropFirst(done) {
          let outcome = await lane.tried(trial)
          more.value.append(outcome)
          if TrialReport.isThorough { print("    \(outcome.trial) \(outcome.complaints.isEmpty ? "held" : "BROKE")") }
          if !outcome.complaints.isEmpty { return }
        }
      }
      outcomes += more.value
    }
    return outcomes
  }

  private func tried(_ trial: KillTests.Trial) async -> Outcome {
    var outcome = Outcome(trial: trial, complaints: [])
    do { try await perform(trial, &outcome) } catch { outcome.complaints.append("\(error)") }
    return outcome
  }

  private func perform(_ trial: KillTests.Trial, _ outcome: inout Outcome) async throws {
    var random = TrialReport.random(for: "kill \(trial.number)")
    let before = host.jobs
    let folders = Set(try host.testbed.results())
    if trial.phase == .uploading { try FileManager.default.removeItem(atPath: host.home + "/agents") }
    let holder = trial.phase == .queued ? try held() : nil
    let bench = try host.start(Self.run)
    let moment = KillPoint(host: host, before: before)
    try await moment.wait(for: trial.phase, &random)
    let job = moment.job
    let fault = Fault(host: host, bench: bench, job: job)
    outcome.hit = try await fault.strike(trial.victim, &random)
    let struck = ContinuousClock.now
    let safe = SafeValues(job.map { host.events(of: $0) } ?? [])
    outcome.safe = safe.count
    if let holder {
      // The job must be waiting still, or again, when the machine gets free.
      try await Task.sleep(for: .milliseconds(Int.random(in: 100...700, using: &random)))
      holder.unlock()
    }
    var result = try await bench.end()
    if trial.victim == .controller, outcome.hit { result = try await takeOver(before) }
    outcome.seconds = (ContinuousClock.now - struck) / .seconds(1)
    if result.status != 0 {
      outcome.complaints.append("exit status \(result.status ?? -1): \(result.error.suffix(800))")
    }
    try check(folders, safe, &outcome)
    try await host.waitForSilence()
  }

  /// After the controller was killed: the job is taken over where the benchmark host has it, and begun again where it has not.
  private func takeOver(_ before: Set<String>) async throws -> Testbed.Result {
    // A serve that was about to take the job may do so still.
    try await waitFor("the killed controller's session to end", 40) {
      !host.agents.contains { $0.role == .serve }
    }
    guard let job = host.jobs.subtracting(before).first else { return try await host.start(Self.run).end() }
    return try await host.start(["attach", job]).end()
  }

  private func check(_ folders: Set<String>, _ safe: SafeValues, _ outcome: inout Outcome) throws {
    let fresh = try host.testbed.results().filter { !folders.contains($0) }
    let paths = fresh.map { "\(host.testbed.folder)/results/\($0)" }
    // A run that was killed before it had a job may leave a folder with its name in it alone.
    guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0 + "/summary.md") }) else {
      return outcome.complaints.append("no report: \(fresh)")
    }
    outcome.complaints += undisturbed.differences(to: try Outline(folder: path))
    let lost = safe.lost(in: path)
    if let first = lost.first { outcome.complaints.append("\(lost.count) finished values are lost, such as \(first)") }
    let numbers = Events.read(path + "/events.ndjson").map(\.number)
    if numbers != Array(1...max(1, numbers.count)) { outcome.complaints.append("the events' numbers have gaps") }
  }

  private func held() throws -> HeldLock {
    let lock = try #require(FileLock(path: host.testbed.folder + "/lock", create: true))
    try #require(lock.tryLock())
    lock.write("another job of somebody else")
    return HeldLock(lock: lock)
  }
}

/// The machine's lock in the hands of the test.
final class HeldLock {
  private var lock: FileLock?
  init(lock: FileLock) { self.lock = lock }
  func unlock() { lock = nil }
}

/// A value that a closure of the same task fills.
final class Box<Value>: @unchecked Sendable {
  // One task alone uses it: the closure that it is handed to runs to its end before anybody looks.
  var value: Value
  init(_ value: Value) { self.value = value }
}
