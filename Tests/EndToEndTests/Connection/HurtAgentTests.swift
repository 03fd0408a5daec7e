import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore

@Suite("A benchmark host that lost its newest lines, or sends damaged ones", .programs)
struct HurtAgentTests {
  private static let quick = ["CF_BENCH_LINE_PACE": "0.2"]
  private static let end = JobEvent.finished(Finished(outcome: .done, seconds: 1))

  private static func phases(_ word: String, _ count: Int) -> [JobEvent] {
    (0..<count).map { .phase(Phase(text: "\(word) \($0)")) }
  }

  private static func summary(labels: [String] = ["six==1.17.0"]) throws -> JobSummary {
    JobSummary(
      job: try #require(JobID("20260131T123456Z-abc")), owner: "ada@laptop", createdAt: "2026-01-31T12:34:56Z",
      state: .measuring, labels: labels, events: 9, bytes: 900,
      stopping: labels.count == 2 ? StoppingPlan(alpha: 0.02, delta: 0.05, budgetSeconds: 60) : nil)
  }

  private func stored(_ testbed: Testbed) throws -> [String] {
    let folder = try #require(try testbed.results().first)
    return try testbed.read("results/\(folder)/events.ndjson").split(separator: "\n").map(String.init)
  }

  @Test("what the benchmark host has lost is cut off here too, and what it measured since takes its place")
  func rewound() async throws {
    var chain = JournalChain()
    let kept = try PlayedAgent.lines(Self.phases("kept", 6), chain: &chain)
    var other = chain
    let lost = try PlayedAgent.lines(Self.phases("lost", 4), chain: &chain, from: 7)
    let again = try PlayedAgent.lines(Self.phases("again", 3) + [Self.end], chain: &other, from: 7)
    var play = PlayedAgent.Play(jobs: [try Self.summary()])
    play.acts = [.init(lines: kept + lost, ends: false), .init(after: 6, lines: kept + again)]
    try await PlayedAgent.with(play) { agent in
      let result = try await agent.testbed.bench(["attach", "20260131T123456Z-abc"] + agent.machine, extra: Self.quick)
      #expect(result.status == 0, "\(result.error)")
      #expect(try stored(agent.testbed) == kept + again)
      let second = try #require(try agent.asked("attach").dropFirst().first?["body"] as? [String: Any])
      #expect(second["after"] as? Int == 10)
      #expect(second["hash"] as? String == chain.head)
    }
  }

  @Test("a damaged line is asked for again, and is an error after the third time", arguments: [1, 2, 3])
  func damaged(times: Int) async throws {
    var chain = JournalChain()
    let lines = try PlayedAgent.lines(Self.phases("event", 9) + [Self.end], chain: &chain)
    var hurt = lines
    hurt[5] = hurt[5].replacing("event 5", with: "event 6")
    var play = PlayedAgent.Play(jobs: [try Self.summary(labels: ["a", "b"])])
    play.acts = Array(repeating: .init(lines: hurt), count: times) + [.init(lines: lines)]
    try await PlayedAgent.with(play) { agent in
      let result = try await agent.testbed.bench(["attach", "20260131T123456Z-abc"] + agent.machine, extra: Self.quick)
      let folder = try agent.testbed.comparisonFolder()
      let stored = try agent.testbed.read(folder + "/events.ndjson").split(separator: "\n").map(String.init)
      guard times == EventMismatch.tries else {
        #expect(stored == lines, "\(result.error)")
        #expect(try agent.testbed.read(folder + "/sides.json").contains("\"alpha\" : 0.02"))
        return
      }
      #expect(result.status == Shared.ExitStatus.infrastructure.rawValue, "\(result.error)")
      #expect(result.error.contains("event 6 of the job 20260131T123456Z-abc does not fit"))
      #expect(stored == Array(lines[..<5]))
    }
  }

  @Test("jobs are listed for people and for programs; one that nobody knows is answered with the nearest names")
  func listed() async throws {
    var waiting = try Self.summary(labels: ["main", "perf/x"])
    waiting.job = try #require(JobID("20260131T130000Z-def"))
    waiting.state = .waiting
    waiting.ahead = 2
    waiting.expectedStart = "2026-01-31T14:05:00Z"
    waiting.owner = "eve\u{1B}[31m@host"
    let play = PlayedAgent.Play(jobs: [try Self.summary(), waiting])
    try await PlayedAgent.with(play) { agent in
      let words = try await agent.testbed.bench(["jobs"] + agent.machine)
      #expect(words.status == 0, "\(words.error)")
      #expect(words.output.contains("perf/x vs main") && words.output.contains("behind 2, starts about 14:05 UTC"))
      #expect(!words.output.contains("\u{1B}"))
      let json = try await agent.testbed.bench(["jobs", "--json"] + agent.machine)
      #expect(try await SchemaValidator.errors(of: [Data(json.output.utf8)], schema: "jobs") == nil)
      for command in ["attach", "cancel"] {
        let unknown = try await agent.testbed.bench([command, "20260131T123456Z-abd"] + agent.machine)
        #expect(unknown.status == Shared.ExitStatus.usage.rawValue)
        #expect(unknown.error.contains("nearest names are 20260131T123456Z-abc"), "\(unknown.error)")
        let bad = try await agent.testbed.bench([command, "../x;y"] + agent.machine)
        #expect(bad.status == Shared.ExitStatus.usage.rawValue && bad.error.contains("is no job's name"))
      }
    }
  }
}
