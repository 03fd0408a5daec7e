import Shared
import Testing

@testable import AgentCore

@Suite("A worker that takes a job over knows from the journal what counts on")
struct JobHistoryTests {
  private func started(_ boot: String?) throws -> JobEvent {
    .started(
      Started(job: try #require(JobID("j")), agentVersion: "1", agentSHA256: "agent", pid: 1, bootID: boot))
  }

  private func ready(_ identity: String = "six==1", python: String = "3.12") -> JobEvent {
    .sideReady(side(identity, python: python))
  }

  private func side(
    _ identity: String = "six==1", python: String = "3.12", version: String = "3.12.1",
    distributions: [String] = ["six==1"]
  ) -> SideReady {
    SideReady(
      side: .head, label: "six", python: python, interpreterVersion: version, interpreterNote: nil, commit: nil,
      identity: identity, distributions: distributions, reused: true, seconds: 1)
  }

  private func sample(_ block: Int) -> JobEvent {
    .sample(
      Sample(layer: .startup, metric: "m", python: "3.12", arm: .head, block: block, position: 0, value: 1))
  }

  private func finished(_ block: Int) -> JobEvent {
    .blockFinished(
      BlockFinished(layer: .startup, python: "3.12", block: block, order: [.head], metrics: ["m"], seconds: 1))
  }

  private func history(_ events: [JobEvent]) -> JobHistory { JobHistory(events) }

  private func resumed(_ boot: String) -> JobEvent {
    .resumed(Resumed(reason: .runnerKilled, attempt: 2, bootID: boot, agentSHA256: "agent"))
  }

  @Test("blocks count on when boot, agent, sides, Python and distributions are the same, and else the reason is told")
  func conditions() throws {
    let past = try #require(history([try started("b1"), ready(), sample(0), finished(0)]).interpreters["3.12"])
    let same = JobHistory.RunConditions(bootID: "b1", agentSHA256: "agent")
    #expect(past.reasonAgainst(same, [side()]) == nil)
    let others: [(JobHistory.RunConditions, SideReady, String)] = [
      (.init(bootID: "b2", agentSHA256: "agent"), side(), "booted"),
      (.init(bootID: nil, agentSHA256: "agent"), side(), "booted"),
      (.init(bootID: "b1", agentSHA256: "other"), side(), "another agent"),
      (same, side("six==2"), "six==2"), (same, side(version: "3.12.2"), "3.12.2"),
      (same, side(distributions: ["six==1", "x==1"]), "distributions"),
    ]
    for (conditions, side, words) in others { #expect(past.reasonAgainst(conditions, [side])?.contains(words) == true) }
    let old = try #require(history([try started(nil), ready(), sample(0), finished(0)]).interpreters["3.12"])
    #expect(old.reasonAgainst(.init(bootID: nil, agentSHA256: "agent"), [side()]) != nil, "nobody knows of the boot")
  }

  @Test("what was measured before a boot stays void when a worker died before it could say so")
  func twice() throws {
    let events = [try started("b1"), ready(), sample(0), finished(0), resumed("b2"), ready(), resumed("b2")]
    let past = try #require(history(events).interpreters["3.12"])
    #expect(past.reasonAgainst(.init(bootID: "b2", agentSHA256: "agent"), [side()])?.contains("booted") == true)
  }

  @Test("samples of a block that was cut off are no part of the block that is measured in its place")
  func cutOff() throws {
    let events = [
      try started("b"), ready(), sample(0), finished(0), sample(1), resumed("b"), ready(),
      .continued(Continued(python: "3.12", keepsBlocks: true)), sample(1), sample(1), finished(1),
    ]
    let blocks = try #require(history(events).interpreters["3.12"]).blocks
    #expect(blocks.map(\.finished.block) == [0, 1] && blocks.map(\.content.samples.count) == [1, 2])
    let anew = history(events + [.continued(Continued(python: "3.12", keepsBlocks: false)), sample(0), finished(0)])
    #expect(anew.interpreters["3.12"]?.blocks.count == 1)
  }

  @Test("an interpreter is complete when all of its layers are finished, and not after it was taken up again")
  func complete() throws {
    let done = JobEvent.layerFinished(LayerFinished(layer: .startup, python: "3.12", seconds: 7))
    let events = [try started("b"), ready(), sample(0), finished(0), done]
    let history = history(events)
    #expect(history.complete("3.12", layers: [.startup])?.secondsSpent == 7)
    #expect(history.complete("3.12", layers: [.startup, .micro]) == nil)
    #expect(history.complete("3.13", layers: [.startup]) == nil)
    let later = JobHistory(events + [.continued(Continued(python: "3.12", keepsBlocks: true))])
    #expect(later.complete("3.12", layers: [.startup]) == nil)
  }
}
