import Testing

@testable import Statistics

@Suite("The rule that may be looked at after every block")
struct DecisionTests {
  private let rule = DecisionRule(alpha: 0.01, delta: 0.02)

  private func decide(_ blocks: [Double], floor: Double = 0) throws -> Decision {
    try #require(rule.judge([Question(.mirrored(blocks), floor: floor)])[0])
  }
  /// Values in an order that says nothing.
  private func around(_ centre: Double, spread: Double, count: Int = 20) -> [Double] {
    (0..<count).map { centre + spread * (Double($0 * 7 % count) - Double(count - 1) / 2) / Double(count) * 2 }
  }

  @Test("each verdict is given when its words are true, and the interval agrees with it")
  func verdicts() throws {
    #expect(try decide(around(-4.1, spread: 0.1)).verdict == .improved)
    #expect(try decide(around(0.05, spread: 0.03)).verdict == .regressed)
    #expect(try decide(around(0.001, spread: 0.01)).verdict == .equivalent)
    #expect(try decide(around(0.01, spread: 0.1)).verdict == .undecided)
    var noise = SeededNoise(seed: 4)
    for trial in 0..<300 {
      let effect = Double(trial % 10) * 0.005
      let decision = try decide((0..<(8 + trial % 20)).map { _ in effect + 0.01 * noise.normal() })
      let (low, high) = (decision.low ?? 0, decision.high ?? .infinity)
      #expect(low <= decision.ratio && decision.ratio <= high)
      switch decision.verdict {
      case .regressed: #expect(low > 1 && decision.ratio > 1.02 && decision.isProven)
      case .improved: #expect(high < 1 && decision.ratio < 1 / 1.02 && decision.isProven)
      case .equivalent: #expect(low >= 1 / 1.02 && high <= 1.02)
      case .undecided: #expect(decision.level == DecisionRule.openLevel)
      }
    }
  }

  @Test("a metric may have a smallest difference of its own, and an estimate has the interval of an open row")
  func ownDelta() throws {
    let blocks = around(0.03, spread: 0.01)
    #expect(try decide(blocks).verdict == .regressed)
    var question = Question(.mirrored(blocks))
    question.delta = 0.1
    #expect(rule.judge([question])[0]?.verdict == .equivalent)
    #expect(rule.replay([question])[0]?.verdict == .equivalent)
    let open = try decide(around(0.01, spread: 0.1))
    let estimate = try #require(DecisionRule.estimate(Question(.mirrored(around(0.01, spread: 0.1)))))
    #expect(open.verdict == .undecided && abs(estimate.ratio - open.ratio) < 1e-12)
    let (low, high) = (try #require(estimate.low), try #require(estimate.high))
    #expect(abs(low - (open.low ?? 0)) < 1e-6 && abs(high - (open.high ?? 0)) < 1e-6)
  }

  @Test("swapping the sides mirrors verdict, ratio and interval")
  func mirrored() throws {
    var noise = SeededNoise(seed: 11)
    for effect in [0.0, 0.005, 0.0199, 0.03, 0.5] {
      let blocks = (0..<16).map { _ in effect + 0.01 * noise.normal() }
      let (one, other) = (try decide(blocks), try decide(blocks.map { -$0 }))
      let mirror: [Decision.Verdict: Decision.Verdict] = [.improved: .regressed, .regressed: .improved]
      #expect(other.verdict == mirror[one.verdict, default: one.verdict])
      #expect(abs(one.ratio * other.ratio - 1) < 1e-12)
      let (low, high) = (try #require(one.low), try #require(other.high))
      #expect(abs(low * high - 1) < 1e-9)
    }
  }

  @Test("too few blocks for the level: an estimate, no interval, undecided, and how many it takes")
  func tooFew() throws {
    let least = DecisionRule.leastBlocks(alpha: 0.01, places: nil)
    #expect(least == 9 && DecisionRule.leastBlocks(alpha: 0.01) == 4)
    let few = try decide([-4, -4])
    #expect(few.low == nil && few.high == nil && few.verdict == .undecided && few.resolution == nil)
    let decision = try decide([Double](repeating: -4, count: least - 1))
    #expect(decision.verdict == .undecided && !decision.isProven)
    let needed = try #require(decision.blocksNeeded)
    #expect((least...least + 2).contains(needed))
    #expect(abs(decision.ratio - 0.01831563888873418) < 1e-15)
    #expect(try decide([Double](repeating: -4, count: least)).verdict == .improved)
    #expect(rule.judge([Question(.blocks([]))]) == [nil])
    #expect(try decide([0.3]).verdict == .undecided)
  }

  @Test("a difference that is proven and estimated to be within delta is not called a regression")
  func belowDelta() throws {
    let open = try decide(around(0.012, spread: 0.02, count: 30))
    #expect(open.isProven && open.verdict == .undecided)
    let settled = try decide(around(0.012, spread: 0.004, count: 30))
    #expect(settled.isProven && settled.verdict == .equivalent)
  }

  @Test("what matters most has most of the error; what identical code is called the same by is each metric's own")
  func families() throws {
    #expect(
      abs(
        rule.familyAlpha(isHeadline: true, isAlone: false) + rule.familyAlpha(isHeadline: false, isAlone: false) - 0.01)
        < 1e-15)
    #expect(rule.familyAlpha(isHeadline: false, isAlone: true) == 0.01)
    let open = Question(.mirrored(around(0, spread: 0.3)))
    var own = Question(.mirrored(around(0.5, spread: 0.01, count: 10)))
    let others = [Question](repeating: open, count: 9)
    #expect(rule.judge([own] + others)[0]?.verdict == .undecided)
    own.isHeadline = true
    #expect(rule.judge([own] + others)[0]?.verdict == .improved || rule.judge([own] + others)[0]?.verdict == .regressed)
    // Without a correction each has the whole of it, whatever matters most.
    var single = rule
    single.correction = .none
    let nine = (0..<2).map { Question(.mirrored([Double](repeating: 0.5, count: 9)), isHeadline: $0 == 0) }
    #expect(rule.judge(nine).map { $0?.verdict } == [.regressed, .undecided])
    #expect(single.judge(nine).map { $0?.verdict } == [.regressed, .regressed])
    let same = Question(.mirrored(around(0, spread: 0.01, count: 11)))
    #expect(rule.judge([same])[0]?.verdict == .equivalent)
    #expect(rule.judge([same] + others)[0]?.verdict == .equivalent)
  }

  @Test("values without any noise are equivalent, and ties are no evidence")
  func constant() throws {
    let decision = try decide([Double](repeating: 0, count: 12))
    #expect(decision.verdict == .equivalent)
    let (low, high) = (try #require(decision.low), try #require(decision.high))
    #expect(abs(low - 1) < 1e-8 && abs(high - 1) < 1e-8)
    // A clock of one step of 5 %: most blocks tie, three go up.
    let ticks = (0..<12).map { $0 % 4 == 0 ? 0.05 : 0 }
    #expect(try decide(ticks).verdict == .undecided)
  }

  @Test("no difference counts that is not beyond what identical code differed by in this run")
  func floor() throws {
    let blocks = around(0.03, spread: 0.01)
    #expect(try decide(blocks).verdict == .regressed)
    #expect(try decide(blocks, floor: 0.031).verdict == .undecided)
    #expect(try decide(blocks, floor: 0.05).verdict == .undecided)
    #expect(try decide(around(0, spread: 0.01), floor: 0.05).verdict == .equivalent)
  }

  @Test("Holm: more metrics need more evidence, and found differences leave more error for the rest")
  func family() throws {
    let clear = Question(.mirrored(around(0.5, spread: 0.01)))
    let border = Question(.mirrored(around(0.5, spread: 0.01, count: 10)))
    #expect(rule.judge([border])[0]?.verdict == .regressed)
    let open = Question(.mirrored(around(0, spread: 0.3)))
    #expect(rule.judge([border] + [Question](repeating: open, count: 9))[0]?.verdict == .undecided)
    #expect(rule.judge([border] + [Question](repeating: clear, count: 9))[0]?.verdict == .regressed)
    var single = rule
    single.correction = .none
    #expect(single.judge([border] + [Question](repeating: open, count: 9))[0]?.verdict == .regressed)
  }

  @Test("a replay stops where the rule, looked at after each block, would have stopped")
  func replay() throws {
    var noise = SeededNoise(seed: 21)
    let family = [0.0, 0.03, 0.05].map { effect in
      Question(.mirrored((0..<60).map { _ in effect + 0.01 * noise.normal() }))
    }
    let stops = rule.replay(family)
    #expect(stops.map { $0?.verdict } == [.equivalent, .regressed, .regressed])
    for (question, stop) in zip(family, stops) {
      guard case .blocks(let blocks) = question.observed, let stop else { continue }
      // At the strictest share of the family it may take longer than at the place where it stopped, never less.
      var strict = rule
      strict.alpha = rule.alpha / 3
      let first = (1...60).first {
        strict.judge([Question(.blocks(Array(blocks.prefix($0))))])[0]?.verdict != .undecided
      }
      let strictest = try #require(first)
      #expect(stop.blocks <= strictest)
      #expect(stop.blocks >= 4)
    }
  }

  @Test("identical code on a drifting machine, looked at after every block: called different as rarely as promised")
  func falseAlarms() throws {
    var noise = SeededNoise(seed: 1)
    var (called, equivalent) = (0, 0)
    for _ in 0..<2000 {
      let stop = rule.replay([Question(.blocks(try noise.contrasts(30, effect: 0)))])[0]
      if stop?.verdict == .regressed || stop?.verdict == .improved { called += 1 }
      if stop?.verdict == .equivalent { equivalent += 1 }
    }
    // 1 % of 2000 is 20; a rule at its level stays under 20 + 4·√20 in all but 1 of 10 000 seeds.
    #expect(called <= 38, "\(called) of 2000 are called different")
    #expect(equivalent >= 1700, "\(equivalent) of 2000 are called equivalent")
  }

  @Test("a slowdown of 5 % is found in nearly every run")
  func power() throws {
    var noise = SeededNoise(seed: 2)
    let found = try (0..<300).filter { _ in
      rule.replay([Question(.blocks(try noise.contrasts(30, effect: 0.05)))])[0]?.verdict == .regressed
    }
    #expect(found.count >= 290, "found in \(found.count) of 300")
  }

  /// Logarithms in the order of time, and the head's places.
  private static let drawn: [(logs: [Double], head: Set<Int>)] = [
    ([0.1013, 0.1207, 0.1301, 0.0911], [1, 2]), ([0.0803, 0.0919, 0.1337, 0.1411], [2, 3]),
    ([0.1523, 0.1007, 0.1609, 0.1103], [0, 2]), ([0.1117, 0.1601, 0.1213, 0.1511], [1, 3]),
    ([0.1409, 0.1523, 0.0907, 0.1019], [0, 1]), ([0.1307, 0.1011, 0.1213, 0.1427], [0, 3]),
  ]

  @Test(
    "the evidence is that of an independent calculation, after each block and at the end",
    arguments: [
      (0.0, 8.984766893213363, 0.0), (0.02, 6.974920800934423, 0.0),
      (-0.02, 9.102834877353663, 0.0), (0.06, 0.0, 6.91678434800217),
    ] as [(Double, Double, Double)])
  func evidence(theta: Double, above: Double, below: Double) throws {
    let blocks = Self.drawn.enumerated().map { index, block in
      BlockContrast(block: index, logs: block.logs, isHead: block.logs.indices.map(block.head.contains))
    }
    try expect(blocks, theta, above, below)
  }

  @Test(
    "and where only the coin is known",
    arguments: [
      (0.0, 2.893235040941594, 0.0), (0.02, 0.608358927103723, 0.0), (-0.02, 7.608604622523622, 0.0),
      (0.06, 0.0, 7.481189964036183),
    ] as [(Double, Double, Double)])
  func coin(theta: Double, above: Double, below: Double) throws {
    let values = [0.031, 0.012, -0.004, 0.025, 0.012, 0.04, -0.011, 0.0, 0.018, 0.022, 0.009, 0.051]
    try expect(BlockContrast.mirrored(values), theta, above, below)
  }

  private func expect(_ blocks: [BlockContrast], _ theta: Double, _ above: Double, _ below: Double) throws {
    let evidence = OrderEvidence(blocks, against: theta)
    #expect(abs(evidence.above - above) < 1e-9 && abs(evidence.below - below) < 1e-9, "\(evidence)")
    let trajectory = OrderEvidence.trajectory(blocks, against: theta)
    #expect(trajectory.last == evidence)
    for count in 1...blocks.count {
      // What comes later changes nothing of what was said before.
      #expect(trajectory[count - 1] == OrderEvidence(Array(blocks.prefix(count)), against: theta))
    }
  }

  @Test("evidence of very many blocks neither overflows nor dies, and what was reached stays")
  func longRuns() {
    let evidence = OrderEvidence(.init(repeating: BlockContrast(block: 0, logRatio: 1), count: 5000), against: 0)
    #expect(evidence.above > 3000 && evidence.above.isFinite && evidence.below == 0)
    let turned = BlockContrast.mirrored([Double](repeating: 1, count: 12) + [Double](repeating: -1, count: 12))
    #expect(OrderEvidence(turned, against: 0).above == OrderEvidence(Array(turned.prefix(12)), against: 0).above)
  }

  @Test("values without order: the rank-sum interval, and its verdict")
  func unpaired() throws {
    // P(U >= 91) for ten and ten, counted independently: 0.000525.
    let base = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30, 2.01]
    let head = base.map { $0 + 1.3 }
    let question = Question(.unpaired(base: base, head: head))
    let decision = try #require(rule.judge([question])[0])
    #expect(decision.verdict == .regressed && decision.blocks == 10)
    // The median of all differences is 1.3.
    #expect(abs(decision.ratio - 3.6692966676) < 1e-9)
    var strict = rule
    strict.alpha = 2 * 0.000526
    #expect(strict.judge([question])[0]?.verdict == .regressed)
    strict.alpha = 2 * 0.000524
    #expect(strict.judge([question])[0]?.verdict == .undecided)
    #expect(rule.judge([Question(.unpaired(base: base, head: base))])[0]?.verdict == .undecided)
    #expect(rule.judge([Question(.unpaired(base: [], head: base))])[0] == nil)
    #expect(rule.replay([question])[0] == nil)
  }

  @Test("hundreds of thousands of samples are judged, and a sane answer comes")
  func many() throws {
    var noise = SeededNoise(seed: 3)
    let blocks = (0..<20_000).map { _ in 0.001 + 0.01 * noise.normal() }
    let decision = try decide(blocks)
    #expect(decision.verdict == .equivalent)
    #expect(abs(decision.ratio - 1.001) < 0.0005)
  }
}

extension BlockContrast {
  /// Blocks of which only the coin is known.
  fileprivate static func mirrored(_ logRatios: [Double]) -> [BlockContrast] {
    logRatios.enumerated().map { BlockContrast(block: $0, logRatio: $1) }
  }
}

extension Question.Observed {
  fileprivate static func mirrored(_ logRatios: [Double]) -> Self { .blocks(BlockContrast.mirrored(logRatios)) }
}

extension SeededNoise {
  fileprivate mutating func contrasts(_ count: Int, effect: Double) throws -> [BlockContrast] {
    try Blocks.contrasts(
      blocks(count, effect: effect).enumerated().map { index, run in
        Observation(block: run.block, arm: run.isHead ? .head : .base, value: run.value, place: index)
      })
  }
}
