import Foundation
import Shared
import TestSupport
import Testing

/// `make faults` cancels many more jobs than the suite does.
@Suite("A job that is cancelled as GitHub cancels leaves no process, whatever its target started", .longPrograms)
struct GitHubCancelTests {
  private struct Outcome {
    var complaints: [String] = []
    /// Seconds from the first signal to the job's last word on the benchmark host, and until no process was left.
    var ended = 0.0
    var silent = 0.0
  }

  /// Seconds after the first signal by which the benchmark host must have been told, and by which nothing may be left.
  private static let toldWithin = 5.0
  private static let silentWithin = 15.0

  @Test("SIGINT, 7.5 s, SIGTERM, 2.5 s, SIGKILL")
  func cancelled() async throws {
    let began = ContinuousClock.now
    let trials = TrialReport.count(usual: 2)
    var outcomes: [Outcome] = []
    while outcomes.count < trials {
      let done = outcomes.count
      let more = Box<[Outcome]>([])
      try await FaultHost.with(settings: FixtureProject.settings(blocks: 400)) { host in
        let nasty = try NastyProject(in: host.testbed.folder + "/nasty")
        for number in done..<trials {
          let outcome = await tried(number, host, nasty)
          more.value.append(outcome)
          if !outcome.complaints.isEmpty {
            // Nothing of a failed trial may stay on the machine.
            for pid in nasty.alive + host.agents.map(\.pid) { kill(pid, SIGKILL) }
            return
          }
        }
      }
      outcomes += more.value
    }
    for (number, outcome) in outcomes.enumerated() where !outcome.complaints.isEmpty {
      Issue.record("cancel \(number): \(outcome.complaints.joined(separator: "; "))")
    }
    TrialReport.print(
      "cancel by GitHub's sequence, a target that will not die", trials: trials,
      held: outcomes.count { $0.complaints.isEmpty },
      worst: String(
        format: "%.1f s to the job's end, %.1f s until nothing was left", outcomes.map(\.ended).max() ?? 0,
        outcomes.map(\.silent).max() ?? 0),
      since: began)
  }

  private func tried(_ number: Int, _ host: FaultHost, _ nasty: NastyProject) async -> Outcome {
    var outcome = Outcome()
    do { try await cancel(number, host, nasty, &outcome) } catch { outcome.complaints.append("\(error)") }
    return outcome
  }

  private func cancel(_ number: Int, _ host: FaultHost, _ nasty: NastyProject, _ outcome: inout Outcome) async throws {
    var random = TrialReport.random(for: "cancel \(number)")
    let before = host.jobs
    let bench = try host.start(["run", "path:nasty", "--layers", "startup"])
    try await waitFor("the target to leave a process behind", 60) { !nasty.alive.isEmpty || !bench.isRunning }
    let job = try #require(host.jobs.subtracting(before).first, "\(bench.said)")
    try await Task.sleep(for: .seconds(Double.random(in: 0...1, using: &random)))
    let first = ContinuousClock.now
    func since() -> Double { (ContinuousClock.now - first) / .seconds(1) }
    kill(bench.pid, SIGINT)
    var signals: [(seconds: Double, signal: Int32)] = [(7.5, SIGTERM), (10, SIGKILL)]
    var isSilent = false
    while since() < Self.silentWithin + 5, !(isSilent && outcome.ended > 0 && !bench.isRunning) {
      if let next = signals.first, since() >= next.seconds {
        if bench.isRunning { kill(bench.pid, next.signal) }
        signals.removeFirst()
      }
      if outcome.ended == 0, case .finished(let last)? = host.events(of: job).last?.event {
        outcome.ended = since()
        if last.outcome != .cancelled { outcome.complaints.append("the job ended as \(last.outcome.rawValue)") }
      }
      isSilent = nasty.alive.isEmpty && host.agents.isEmpty
      if !isSilent { outcome.silent = since() }
      try await Task.sleep(for: .milliseconds(20))
    }
    let result = try await bench.end(within: 5)
    if result.status != Shared.ExitStatus.cancelled.rawValue {
      outcome.complaints.append("exit status \(result.status ?? -1): \(result.error.suffix(600))")
    }
    if outcome.ended == 0 || outcome.ended > Self.toldWithin {
      outcome.complaints.append("the job had its end after \(outcome.ended) s (0: never)")
    }
    if outcome.silent > Self.silentWithin {
      outcome.complaints.append(
        "left: \(nasty.alive.count) of the target's and \(host.agents.map { "\($0.role) \($0.pid)" })")
    }
  }
}
