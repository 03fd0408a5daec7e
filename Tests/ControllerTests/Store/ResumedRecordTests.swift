import Shared
import Testing

@testable import ControllerCore

@Suite("A job that was taken over by another runner reads like one that never was interrupted")
struct ResumedRecordTests {
  private static let blocks = 4

  private func sample(_ block: Int, _ arm: Arm, _ position: Int, _ python: String, value: Double) -> JobEvent {
    .sample(
      Sample(layer: .startup, metric: "m", python: python, arm: arm, block: block, position: position, value: value))
  }

  private func ready(_ python: String) -> [JobEvent] {
    [Side.base, .head].map { side in
      .sideReady(
        SideReady(
          side: side, label: side.rawValue, python: python, interpreterVersion: python, interpreterNote: nil,
          commit: nil, identity: side.rawValue, distributions: [], reused: false, seconds: 1))
    }
  }

  /// A block with everything that comes in one. The first has a timeline, as the layers tell one.
  private func block(_ number: Int, _ python: String, value: Double, timeline: Bool) -> [JobEvent] {
    let order: [Arm] = number == 2 ? [.base, .copy, .head, .head, .copy, .base] : [.base, .head, .head, .base]
    var events = order.enumerated().map { sample(number, $0.element, $0.offset, python, value: value) }
    if timeline { events.append(.memoryTimeline(MemoryTimeline(python: python, side: .base, points: []))) }
    events.append(
      .optimizeRun(
        OptimizeRun(
          purpose: .measured, python: python, side: .base, block: number, position: 0, form: .quick, seconds: value,
          cpuSeconds: 1, memory: TreeMemory(), network: "open", functions: [])))
    events.append(
      .blockFinished(
        BlockFinished(
          layer: .startup, python: python, block: number, order: order, metrics: ["m"], seconds: 1,
          disturbance: number == 1 ? "stolen from" : nil)))
    events.append(
      .blockFinished(
        BlockFinished(layer: .optimize, python: python, block: number, order: order, metrics: [], seconds: 1)))
    return events
  }

  /// What one interpreter brings, from block `first` on.
  private func interpreter(_ python: String, from first: Int = 0, value: Double = 1, hasTimeline: Bool = false)
    -> [JobEvent]
  {
    var events: [JobEvent] = [.layerStarted(LayerStarted(layer: .startup, python: python, plannedSamples: 16))]
    events.append(.skipped(Skipped(layer: .startup, metric: "s", python: python, side: nil, reason: "none")))
    events.append(
      .trouble(Trouble(python: python, problem: Problem(what: "t", fix: "f", exitStatus: .partial))))
    for number in first..<Self.blocks {
      events += block(number, python, value: value, timeline: number == first && !hasTimeline)
    }
    events.append(.importTree(ImportTree(side: .base, python: python, run: 0, modules: [])))
    events.append(
      .profile(
        FunctionProfile(metric: "m", python: python, side: .base, calls: 1, seconds: 1, functions: [])))
    events.append(.layerFinished(LayerFinished(layer: .startup, python: python, seconds: 4)))
    return events
  }

  private func start() throws -> [JobEvent] {
    let job = try #require(JobID("j"))
    return [
      .started(Started(job: job, agentVersion: "1", agentSHA256: "a", pid: 1, bootID: "b")), .host(EventFixture.host),
    ]
  }

  private var end: [JobEvent] { [.host(EventFixture.host), .finished(Finished(outcome: .done, seconds: 9))] }

  private func resumed(_ reason: Resumed.Reason) -> [JobEvent] {
    [.resumed(Resumed(reason: reason, attempt: 2, bootID: "b", agentSHA256: "a")), .host(EventFixture.host)]
  }

  private func record(_ events: [JobEvent]) -> JobRecord {
    JobRecord(events: events.enumerated().map { NumberedEvent(number: $0.offset + 1, time: "t", event: $0.element) })
  }

  /// Everything of a record that is counted or shown.
  private func counts(_ record: JobRecord) -> [String] {
    let samples = (record.samples + record.copySamples).map { "\($0.python) \($0.side) \($0.block) \($0.position)" }
    return samples.sorted() + [
      "\(record.blocks.map { "\($0.python) \($0.layer) \($0.block)" })", "\(record.sides.count)",
      "\(record.layers.count)", "\(record.layersFinished.count)", "\(record.importTrees.count)",
      "\(record.profiles.count)", "\(record.skipped.count)", "\(record.troubles.count)",
      "\(record.optimizeRuns.map(\.block))", "\(record.memoryTimelines.count)", "\(record.host != nil)",
      "\(record.hostAfter != nil)",
    ]
  }

  @Test("interrupted after any event, with its blocks kept, ids and counts are those of an undisturbed run")
  func keeps() throws {
    let first = ready("3.11") + interpreter("3.11")
    let second = ready("3.12") + interpreter("3.12")
    let whole = counts(record(try start() + first + second + end))
    for cut in 0...second.count {
      let before = try start() + first + second.prefix(cut)
      let done = second.prefix(cut).compactMap { event -> Int? in
        if case .blockFinished(let body) = event, body.layer == .optimize { body.block } else { nil }
      }
      let halfDone = second.prefix(cut).contains {
        if case .blockFinished(let body) = $0, body.layer == .startup { body.block == done.count } else { false }
      }
      // The two layers take turns here: one that finished its block does not measure it again.
      var rest = interpreter("3.12", from: done.count, hasTimeline: !done.isEmpty || halfDone)
      if halfDone { rest = rest.filter { !$0.isPartOfStartup(block: done.count) } }
      let events =
        before + resumed(.runnerKilled) + ready("3.12")
        + [.continued(Continued(python: "3.12", keepsBlocks: true))] + rest + end
      let found = counts(record(events))
      #expect(found == whole, "cut after \(cut)")
    }
  }

  @Test("measured anew, nothing of before is left, and the other interpreter stands")
  func anew() throws {
    let first = ready("3.11") + interpreter("3.11", value: 5)
    let second = ready("3.12") + interpreter("3.12", value: 1)
    let whole = counts(record(try start() + first + second + end))
    for cut in 1...second.count {
      let before = try start() + first + second.prefix(cut)
      let events =
        before + resumed(.rebooted) + ready("3.12")
        + [.continued(Continued(python: "3.12", keepsBlocks: false, why: "the machine was booted since"))]
        + interpreter("3.12", value: 2) + end
      let found = record(events)
      #expect(counts(found) == whole, "cut after \(cut)")
      #expect(Set(found.samples.filter { $0.python == "3.12" }.map(\.value)) == [2])
      #expect(Set(found.samples.filter { $0.python == "3.11" }.map(\.value)) == [5])
    }
  }

  @Test("knobs that a second runner turned again are told once")
  func tuning() throws {
    let report = TuningReport(
      knob: .governor, before: "a", wanted: "b", after: "b", outcome: .changed, detail: nil)
    let events = try start() + [.tuned(report)] + resumed(.runnerKilled) + [.tuned(report)] + end
    #expect(record(events).tuning.count == 1)
  }
}

extension JobEvent {
  /// Whether this belongs to a block of the first layer.
  fileprivate func isPartOfStartup(block: Int) -> Bool {
    switch self {
    case .sample(let body): body.block == block
    case .blockFinished(let body): body.layer == .startup && body.block == block
    default: false
    }
  }
}
