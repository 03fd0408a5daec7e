import Statistics
import Testing

@Suite("The rule for a fixed number of blocks")
struct DecisionTests {
  private func decide(_ blocks: [Double], level: Double = 0.99) throws -> Decision {
    try #require(FixedBlocksRule.decide(blocks: blocks, level: level, delta: 0.02))
  }
  private func around(_ centre: Double, spread: Double) -> [Double] {
    (0..<12).map { centre + spread * (Double($0) - 5.5) / 5.5 }
  }

  @Test("each verdict is given when its words are true, and interval and verdict agree")
  func verdicts() throws {
    #expect(try decide(around(-4.1, spread: 0.1)).verdict == .improved)
    #expect(try decide(around(0.05, spread: 0.03)).verdict == .regressed)
    #expect(try decide(around(0.001, spread: 0.01)).verdict == .equivalent)
    #expect(try decide(around(0.01, spread: 0.1)).verdict == .undecided)
    // Surely different from 1, but by less than counts, and maybe by more: no verdict for that.
    #expect(try decide(around(0.018, spread: 0.012)).verdict == .undecided)
  }

  @Test("swapping the sides mirrors verdict, ratio and interval")
  func mirrored() throws {
    var noise = SeededNoise(seed: 11)
    for effect in [0.0, 0.005, 0.0199, 0.03, 0.5] {
      let blocks = (0..<14).map { _ in effect + 0.01 * noise.normal() }
      let (one, other) = (try decide(blocks), try decide(blocks.map { -$0 }))
      let mirror: [Decision.Verdict: Decision.Verdict] = [.improved: .regressed, .regressed: .improved]
      #expect(other.verdict == mirror[one.verdict, default: one.verdict])
      #expect(abs(one.ratio * other.ratio - 1) < 1e-12)
      let (first, second) = (try #require(one.interval), try #require(other.interval))
      #expect(abs(first.lowerBound * second.upperBound - 1) < 1e-12)
    }
  }

  @Test("too few blocks for the level: an estimate, no interval, undecided")
  func tooFew() throws {
    let decision = try decide([Double](repeating: -4, count: 7))
    #expect(decision.interval == nil && decision.verdict == .undecided && decision.blocks == 7)
    #expect(abs(decision.ratio - 0.01831563888873418) < 1e-15)
    #expect(FixedBlocksRule.decide(blocks: [], level: 0.99, delta: 0.02) == nil)
  }

  @Test("values without any noise are equivalent, not undecided")
  func constant() throws {
    let decision = try decide([Double](repeating: 0, count: 8))
    #expect(decision.verdict == .equivalent && decision.interval == 1...1)
  }

  @Test("more metrics make each interval stricter")
  func family() {
    #expect(FixedBlocksRule.level(alpha: 0.01, count: 1) == 0.99)
    #expect(abs(FixedBlocksRule.level(alpha: 0.01, count: 10) - 0.999) < 1e-12)
    #expect(FixedBlocksRule.level(alpha: 0.01, count: 0) == 0.99)
  }

  @Test("identical code on a drifting machine: the interval misses 1 no oftener than promised")
  func falseAlarms() throws {
    let (missed, called) = try simulate(trials: 3000, blocks: 12, effect: 0, seed: 1)
    // 1 % of 3000 is 30; a rule at its nominal level stays under 30 + 4·√30 in all but 1 of 10 000 seeds.
    #expect(missed <= 52, "\(missed) of 3000 intervals miss 1")
    #expect(missed >= 5, "\(missed) of 3000: the intervals are far wider than they say")
    #expect(called <= missed)
  }

  @Test("a slowdown of 5 % is found in nearly every run")
  func power() throws {
    let (_, called) = try simulate(trials: 500, blocks: 12, effect: 0.05, seed: 2)
    #expect(called >= 450, "found in \(called) of 500")
  }

  /// How often the interval misses 1, and how often the rule says regressed or improved.
  private func simulate(trials: Int, blocks: Int, effect: Double, seed: UInt64) throws -> (missed: Int, called: Int) {
    var noise = SeededNoise(seed: seed)
    var (missed, called) = (0, 0)
    for _ in 0..<trials {
      let observations = noise.blocks(blocks, effect: effect).map {
        Observation(block: $0.block, arm: $0.isHead ? .head : .base, value: $0.value)
      }
      let decision = try decide(try Blocks.logRatios(observations).map(\.logRatio))
      if let interval = decision.interval, !interval.contains(1) { missed += 1 }
      if decision.verdict == .regressed || decision.verdict == .improved { called += 1 }
    }
    return (missed, called)
  }
}
