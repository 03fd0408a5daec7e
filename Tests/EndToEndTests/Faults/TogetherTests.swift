import Foundation
import Shared
import TestSupport
import Testing

@Suite("Eight controllers at once on one host measure one after the other, in order", .programs)
struct TogetherTests {
  /// One job's time on the machine, from its journal.
  private struct Turn {
    var job: String
    var from: String
    var to: String
  }

  @Test("the holder is killed at random, and the next one starts")
  func together() async throws {
    let began = ContinuousClock.now
    let rounds = TrialReport.count(usual: 1)
    let count = TrialReport.isThorough ? 8 : 4
    var held = 0
    var longestGap = 0.0
    for round in 0..<rounds {
      let gap = Box(0.0)
      let complaints = Box<[String]>([])
      try await FaultHost.with(settings: FixtureProject.settings(blocks: 2)) { host in
        // The first run brings the agent and the environment, so that the others are as quick as each other.
        let first = try await host.start(["run", "path:fast", "--layers", "startup"]).end()
        try #require(first.status == 0, "\(first.error)")
        complaints.value = try await self.round(round, count, host, longestGap: gap)
      }
      longestGap = max(longestGap, gap.value)
      if complaints.value.isEmpty { held += 1 } else { Issue.record("\(complaints.value.joined(separator: "; "))") }
    }
    TrialReport.print(
      "\(count) controllers at once, two holders killed", trials: rounds, held: held,
      worst: String(format: "%.1f s between two turns", longestGap), since: began)
  }

  private func round(_ round: Int, _ count: Int, _ host: FaultHost, longestGap: Box<Double>) async throws -> [String] {
    var random = TrialReport.random(for: "together \(round)")
    let before = host.jobs
    let benches = try (0..<count).map { _ in try host.start(["run", "path:fast", "--layers", "startup"]) }
    // Two turns end with the death of their holder.
    var deaths = Set((0..<count - 1).shuffled(using: &random).prefix(2).map { $0 })
    var seen: [String] = []
    let deadline = ContinuousClock.now + .seconds(300)
    while benches.contains(where: \.isRunning) {
      try #require(ContinuousClock.now < deadline, "\(benches.filter(\.isRunning).map(\.said))")
      for job in host.jobs.subtracting(before) where !seen.contains(job) && measures(host.events(of: job)) {
        seen.append(job)
        if deaths.remove(seen.count - 1) != nil {
          for agent in host.agents where agent.job == job { kill(agent.pid, SIGKILL) }
        }
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    var complaints: [String] = []
    for bench in benches {
      let result = try await bench.end(within: 5)
      if result.status != 0 { complaints.append("exit status \(result.status ?? -1): \(result.error.suffix(400))") }
    }
    let jobs = host.jobs.subtracting(before)
    if jobs.count != count { complaints.append("\(jobs.count) jobs") }
    let turns = jobs.flatMap { self.turns(of: $0, host.events(of: $0)) }.sorted { $0.from < $1.from }
    for (one, next) in zip(turns, turns.dropFirst()) {
      if one.to > next.from { complaints.append("\(one) and \(next) overlap") }
      longestGap.value = max(longestGap.value, seconds(one.to, next.from))
    }
    complaints += outOfOrder(jobs, turns, host)
    return complaints
  }

  private func measures(_ events: [NumberedEvent]) -> Bool {
    events.contains { if case .sample = $0.event { true } else { false } }
  }

  /// From the first value to the last one of each runner that the job had.
  private func turns(of job: String, _ events: [NumberedEvent]) -> [Turn] {
    var turns: [Turn] = []
    var isNew = true
    for event in events {
      switch event.event {
      case .resumed: isNew = true
      case .sample:
        if isNew { turns.append(Turn(job: job, from: event.time, to: event.time)) }
        turns[turns.count - 1].to = event.time
        isNew = false
      default: break
      }
    }
    return turns
  }

  /// Those who waited behind fewer come first; a job whose runner was killed stands at the end again.
  private func outOfOrder(_ jobs: Set<String>, _ turns: [Turn], _ host: FaultHost) -> [String] {
    let places = jobs.compactMap { job -> (job: String, ahead: Int)? in
      for event in host.events(of: job) {
        if case .queued(let queued) = event.event, let ahead = queued.ahead { return (job, ahead) }
        if case .sample = event.event { break }
      }
      return nil
    }.sorted { $0.ahead < $1.ahead }
    let begun = turns.map(\.job).uniqued()
    let expected = places.map(\.job)
    let found = begun.filter(expected.contains)
    return found == expected ? [] : ["the order is \(found), not \(expected)"]
  }

  private func seconds(_ from: String, _ to: String) -> Double {
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    guard let from = try? Date(from, strategy: style), let to = try? Date(to, strategy: style) else { return .infinity }
    return to.timeIntervalSince(from)
  }
}

extension Sequence where Element: Hashable {
  /// Each element once, where it first stood.
  fileprivate func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
