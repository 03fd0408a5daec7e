import Foundation
import LocalSSHD
import Shared
import TestSupport
import Testing

/// `make faults` kills at many more instants than the suite does.
@Suite("Whoever is killed, the report is the one of a run that nobody disturbed", .longPrograms)
struct KillTests {
  enum Victim: String, CaseIterable, Sendable {
    case controller, serve, supervisor, worker
    /// The processes of sshd that hold the connection.
    case sshd
    /// The same, stopped; some of them go on, the rest is killed a little later.
    case frozen
  }

  enum Phase: String, CaseIterable, Sendable {
    case connecting, uploading, queued, preparing, measuring, summarising, reporting

    /// Who is there to be killed.
    var victims: [Victim] {
      switch self {
      case .connecting, .uploading: [.controller, .serve, .sshd, .frozen]
      default: Victim.allCases
      }
    }
  }

  struct Trial: Sendable, CustomStringConvertible {
    var number: Int
    var victim: Victim
    var phase: Phase
    var description: String { "trial \(number): \(victim.rawValue) while \(phase.rawValue)" }
  }

  /// Every pair of victim and phase before any comes a second time, in an order that the seed makes.
  static func trials(_ count: Int) -> [Trial] {
    var random = TrialReport.random(for: "kills")
    let pairs = Phase.allCases.flatMap { phase in phase.victims.map { (victim: $0, phase: phase) } }
    var trials: [Trial] = []
    while trials.count < count {
      for pair in pairs.shuffled(using: &random) where trials.count < count {
        trials.append(Trial(number: trials.count, victim: pair.victim, phase: pair.phase))
      }
    }
    return trials
  }

  @Test("SIGKILL and SIGSTOP at any moment")
  func killed() async throws {
    let began = ContinuousClock.now
    let trials = Self.trials(TrialReport.count(usual: 4))
    // Two at a time: each waits for long.
    let lanes = min(2, trials.count)
    let outcomes = try await withThrowingTaskGroup(of: [KillLane.Outcome].self) { group in
      for lane in 0..<lanes {
        group.addTask {
          try await KillLane.run(trials.filter { $0.number % lanes == lane })
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    for outcome in outcomes where !outcome.complaints.isEmpty {
      Issue.record("\(outcome.trial): \(outcome.complaints.joined(separator: "; "))")
    }
    let slowest = outcomes.max { $0.seconds < $1.seconds }
    let hits = outcomes.count { $0.hit }
    let safe = outcomes.map(\.safe).reduce(0, +)
    TrialReport.print(
      "SIGKILL and SIGSTOP of controller, serve, supervisor, worker, sshd", trials: trials.count,
      held: outcomes.count { $0.complaints.isEmpty },
      worst: String(
        format: "%.1f s from the fault to the report (%@); %d faults hit, %d finished values, none lost",
        slowest?.seconds ?? 0, slowest.map { "\($0.trial.victim.rawValue), \($0.trial.phase.rawValue)" } ?? "", hits,
        safe),
      since: began)
    // Near the end of a run there may be nobody left to hit; of few trials these may be the most.
    if trials.count >= 20 { #expect(hits * 3 >= trials.count * 2, "too many faults came too late") }
  }
}
