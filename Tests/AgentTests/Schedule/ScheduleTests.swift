import Shared
import Statistics
import TestSupport
import Testing

@testable import AgentCore

@Suite("Blocks are measured until each metric is decided, and no longer", .programs)
struct ScheduleTests {
  /// A layer whose values are drawn: what a machine would give, without the waiting.
  private struct Drawn: Layer {
    static let name = LayerName.micro
    var blocks = 60
    /// Metric to the head's and the copy's difference from the base, as logarithms.
    var effects: [String: (head: Double, copy: Double)]
    var noise = 0.01
    var random = SplitMix64(state: 5)
    /// From this block on the layer fails, so often.
    var failsAfter = Int.max
    var failures = Int.max
    private(set) var asked: [Set<String>] = []

    init(_ effects: [String: (head: Double, copy: Double)]) { self.effects = effects }

    func plannedSamples(sides: Int) -> Int { blocks * sides * 2 * effects.count }
    mutating func prepare(in context: LayerContext) {}
    var metrics: [PlannedMetric] {
      effects.keys.sorted().map { PlannedMetric(name: $0, isControl: $0 == "control") }
    }
    var expectedBlockSeconds: Double? = 0.001
    func closingSeconds(telling: Telling) -> Double { 0 }

    mutating func measure(_ block: Block, of open: Set<String>, in context: LayerContext) throws {
      if (failsAfter..<(failures == .max ? .max : failsAfter + failures)).contains(block.number) {
        throw Problem(what: "worn out", fix: "none", exitStatus: .partial)
      }
      for (metric, effect) in effects.sorted(by: { $0.key < $1.key }) where open.contains(metric) {
        for (position, arm) in block.order.enumerated() {
          // A sum of twelve uniform values is close enough to the normal law here.
          let noise = noise * ((0..<12).reduce(0.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) } - 6)
          let shift = arm == .base ? 0 : arm == .head ? effect.head : effect.copy
          try context.sink.emit(
            .sample(
              Sample(
                layer: Self.name, metric: metric, python: context.python, arm: arm, block: block.number,
                position: position, value: 1 + noise + shift, isControl: metric == "control")))
        }
      }
    }
    mutating func summarise(in context: LayerContext, telling: Telling) {}
  }

  private struct Ran {
    var events: CollectedEvents
    var troubles: [String]
    var blocks: [BlockFinished] {
      events.all.compactMap { if case .blockFinished(let body) = $0.event { body } else { nil } }
    }
    func blocks(of metric: String) -> Int { blocks.count { $0.metrics.contains(metric) } }
  }

  private func run(
    _ layer: Drawn, budget: Double = 60, isComparison: Bool = true, interpreters: Int = 1, past: [EarlierBlock] = [],
    headline: [String] = []
  ) throws -> Ran {
    let testbed = try SideTestbed()
    var context = try testbed.context([
      SideEnvironment(arm: .base, label: "base", path: "/b"), SideEnvironment(arm: .head, label: "head", path: "/h"),
    ])
    context.copy = SideEnvironment(arm: .copy, label: "base (again)", path: "/c")
    context.seed = 11
    var rule = StoppingRule(
      StoppingPlan(alpha: 0.01, delta: 0.02, budgetSeconds: budget, design: .balanced, headline: headline),
      interpreters: interpreters)
    rule.beginInterpreter()
    var troubles: [String] = []
    let schedule = Schedule(
      [layer], in: context, stopping: isComparison ? rule : nil, budgetSeconds: isComparison ? budget : .infinity,
      setsAsideDisturbed: false, past: (past, 0)
    ) { _, error in troubles.append((error as? Problem)?.what ?? "\(error)") }
    try schedule.run()
    return Ran(events: testbed.events, troubles: troubles)
  }

  @Test("a clear difference and clear equality stop early, what is open goes on, and the control runs along")
  func stops() throws {
    let ran = try run(Drawn(["clear": (0.5, 0), "equal": (0, 0), "hard": (0.011, 0), "control": (0, 0)]))
    #expect(ran.blocks(of: "clear") < 16 && ran.blocks(of: "equal") < 30)
    #expect(ran.blocks(of: "hard") > ran.blocks(of: "clear"))
    #expect(ran.blocks(of: "control") == ran.blocks.count)
    #expect(ran.blocks.allSatisfy { $0.of == 3 && ($0.leftSeconds ?? 0) > 0 })
    // Open metrics only ever get fewer.
    #expect(zip(ran.blocks, ran.blocks.dropFirst()).allSatisfy { $0.open ?? 0 >= $1.open ?? 0 })
  }

  @Test("a control goes on alone to ten blocks, so that one that moves is told though all else was decided at once")
  func controls() throws {
    let ran = try run(Drawn(["clear": (0.5, 0), "control": (0.05, 0)]), headline: ["clear"])
    #expect(ran.blocks(of: "clear") < 10 && ran.blocks(of: "control") == 10)
  }

  @Test("a layer that can't have three blocks is not begun, and says what it would take")
  func notMeasured() throws {
    var dear = Drawn(["x": (0.5, 0)])
    dear.expectedBlockSeconds = 30
    let ran = try run(dear, budget: 60)
    let skipped = try #require(ran.events.skipped.first)
    #expect(ran.blocks.isEmpty && skipped.metric == "x" && skipped.secondsNeeded == 120)
    #expect(skipped.reason == "not measured: needs about 2 min, 1 min were left")
  }

  @Test("what the rows that matter most take at least is said before it is spent, with all interpreters counted")
  func saidFirst() throws {
    func said(_ expected: Double, interpreters: Int = 1) throws -> String? {
      var layer = Drawn(["x": (0.5, 0)])
      layer.expectedBlockSeconds = expected
      let ran = try run(layer, budget: 60, interpreters: interpreters, headline: ["x"])
      return ran.events.all.lazy.compactMap { if case .phase(let body) = $0.event { body.text } else { nil } }.first
    }
    #expect(try said(1) == nil)
    #expect(
      try said(30)?.hasPrefix(
        "the rows that matter most take at least 2 min, the budget is 1 min: all of them need --budget ") == true)
    #expect(try said(8, interpreters: 3)?.contains("with 3 interpreters") == true)
  }

  @Test("what stopped is decided by the comparison that is made of the same samples at the end")
  func agrees() throws {
    let effects = ["a": (0.3, 0.0), "b": (0.0, 0.0), "c": (-0.1, 0.0), "d": (0.0, 0.002)]
    let ran = try run(Drawn(effects.mapValues { (head: $0.0, copy: $0.1) }))
    let samples = ran.events.samples.filter { $0.isCopy == nil }
    let family = try effects.keys.sorted().map { metric in
      Question(
        .blocks(
          try Blocks.contrasts(
            samples.filter { $0.metric == metric }.map {
              Observation(
                block: $0.block, arm: $0.side == .base ? .base : .head, value: $0.value, place: $0.position)
            })))
    }
    let verdicts = DecisionRule(alpha: 0.01, delta: 0.02).judge(family).map { $0?.verdict }
    #expect(verdicts == [.regressed, .equivalent, .improved, .equivalent])
    #expect(ran.blocks.count < 60)
  }

  @Test("one block of three has the control arm, and what it differs by keeps small differences from being called")
  func copies() throws {
    let quiet = try run(Drawn(["x": (0.03, 0)]))
    let restless = try run(Drawn(["x": (0.03, 0.06)]))
    #expect(quiet.events.samples.contains { $0.isCopy == true })
    // Beyond the floor it would be decided as early as without; below it stays open to the last block.
    #expect(quiet.blocks.count < 40 && restless.blocks.count == 60)
    #expect(restless.blocks.count { $0.order.contains(.copy) } == 20)
  }

  @Test("no time, no block; and a layer that fails on the way is told of and keeps what it had")
  func ends() throws {
    #expect(try run(Drawn(["x": (0.5, 0)]), budget: 0).blocks.isEmpty)
    var worn = Drawn(["x": (0.0, 0)])
    worn.failsAfter = 4
    let ran = try run(worn)
    #expect(ran.troubles == ["worn out"] && !ran.events.samples.isEmpty)
    #expect(
      ran.blocks.count == 7
        && ran.blocks.map { $0.disturbance == nil } == [true, true, true, true, false, false, false])
    #expect(ran.blocks.last?.disturbance == "it failed: worn out")
  }

  @Test("a step that fails in passing is tried again, and what it left counts for nothing")
  func passing() throws {
    var once = Drawn(["x": (0.5, 0)])
    (once.failsAfter, once.failures) = (2, 1)
    let ran = try run(once)
    #expect(ran.troubles.isEmpty && ran.blocks.count { $0.disturbance != nil } == 1 && ran.blocks.count > 4)
    #expect(ran.events.phases == ["layer micro is tried again: worn out"])
    let finished = ran.events.all.compactMap { if case .layerFinished(let body) = $0.event { body } else { nil } }
    #expect(finished.map(\.metrics) == [["x"]])
  }

  @Test("interpreters that are still to come take their share of the error")
  func interpreters() throws {
    let (alone, first) = (
      try run(Drawn(["x": (0.5, 0)])), try run(Drawn(["x": (0.5, 0)]), interpreters: 8)
    )
    #expect(first.blocks.count > alone.blocks.count)
  }

  @Test("without a rule for stopping all blocks are measured")
  func fixed() throws {
    var layer = Drawn(["x": (0.5, 0)])
    layer.blocks = 20
    let ran = try run(layer, isComparison: false)
    #expect(ran.blocks.count == 20 && ran.blocks.allSatisfy { $0.open == nil && $0.leftSeconds == nil })
  }

  /// The blocks that a worker had finished which was killed after so many events.
  private func past(_ ran: Ran, after count: Int) -> [EarlierBlock] {
    JobHistory(ran.events.all.prefix(count).map(\.event)).interpreters["3"]?.blocks ?? []
  }

  @Test("killed after any event it goes on with the block that was cut off, in the order that it would have had")
  func resumed() throws {
    var layer = Drawn(["x": (0.5, 0), "y": (0, 0)])
    layer.blocks = 7
    let whole = try run(layer, isComparison: false)
    for count in 0...whole.events.all.count {
      let past = past(whole, after: count)
      let rest = try run(layer, isComparison: false, past: past)
      #expect(past.map(\.finished.block) + rest.blocks.map(\.block) == Array(0..<7))
      #expect(past.map(\.finished.order) + rest.blocks.map(\.order) == whole.blocks.map(\.order))
      #expect(past.flatMap(\.content.samples).count + rest.events.samples.count == whole.events.samples.count)
    }
  }

  @Test("what was decided before is not measured again, and what was set aside does not count")
  func resumedDecisions() throws {
    let layer = Drawn(["clear": (0.5, 0), "equal": (0, 0), "hard": (0.011, 0)])
    let whole = try run(layer)
    var blocks = past(whole, after: .max)
    let rest = try run(layer, past: blocks)
    #expect(rest.blocks.isEmpty)
    let decided = try #require(blocks.firstIndex { !$0.finished.metrics.contains("clear") })
    let other = try run(layer, past: Array(blocks.prefix(decided + 1)))
    #expect(other.blocks(of: "clear") == 0 && other.blocks.first?.block ?? blocks.count == decided + 1)
    for index in blocks.indices { blocks[index].finished.disturbance = "stolen from" }
    let again = try run(layer, past: blocks)
    #expect(again.blocks.first?.block == blocks.count && again.blocks(of: "clear") > 4)
  }
}
