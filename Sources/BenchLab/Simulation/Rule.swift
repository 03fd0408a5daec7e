import Statistics

/// A way to say from runs of two revisions whether they differ: ours, and those of other tools at their own defaults.
public enum Rule: String, CaseIterable, Codable, Sendable {
  /// What `cf-bench compare` does: blocks of random order, a look after every block.
  case shipped
  /// What it did in its first months: one coin a block.
  case former
  /// The interval for a fixed number of blocks, all the same looked at after every block.
  case peekedInterval
  /// The same interval looked at once, after the last block.
  case fixedInterval
  case hyperfine
  case pyperf
  case google
  case asv
  case threshold
  case tango

  /// What a rule said in one trial.
  public struct Outcome: Equatable, Sendable {
    public var verdict: Decision.Verdict
    /// Runs of each side until then.
    public var runs: Int
  }

  /// The level and the smallest difference that counts of ``shipped``: the program's defaults.
  public static let alpha = 0.01
  public static let delta = 0.02

  public var name: String {
    switch self {
    case .shipped: "cf-bench"
    case .former: "cf-bench, one coin a block"
    case .peekedInterval: "99 % interval, peeked"
    case .fixedInterval: "99 % interval, once"
    case .hyperfine: "hyperfine"
    case .pyperf: "pyperf"
    case .google: "google/benchmark"
    case .asv: "asv"
    case .threshold: "fixed 5 %"
    case .tango: "tango"
    }
  }

  /// The rule and the order of its runs in words.
  public var words: String {
    switch self {
    case .shipped:
      "blocks of two and two runs in any balanced order, a look after every block, alpha 0.01, delta 2 %"
    case .former: "random ABBA or BAAB blocks, signed-rank bets, a look after every block, alpha 0.01, delta 2 %"
    case .peekedInterval:
      "the same blocks; signed-rank interval made for a fixed number of blocks, looked at after every one: why peeking "
        + "needs a rule of its own"
    case .fixedInterval: "the same blocks; signed-rank interval, one look after 30 blocks"
    case .hyperfine: "A…A B…B; scripts/welch_ttest.py: Welch's t, p < 0.05"
    case .pyperf: "A…A B…B; compare_to: Student's t with its table's 95 % value, values taken for independent"
    case .google: "A…A B…B; compare.py: Mann-Whitney U, p < 0.05"
    case .asv: "two rounds, A…A B…B B…B A…A; compare: Mann-Whitney U p < 0.002 and medians a factor of 1.1 apart"
    case .threshold: "A…A B…B; medians more than 5 % apart"
    case .tango: "ABAB…; mean of the pairs' differences, |z| >= 2.6 and more than 0.5 %"
    }
  }

  public func judge(_ trial: Trial) -> Outcome { judge(trial, ratios: trial.blockRatios()) }

  /// - Parameter ratios: The trial's block ratios, which several rules share.
  func judge(_ trial: Trial, ratios: [Double]) -> Outcome {
    switch self {
    case .shipped:
      let stop = DecisionRule(alpha: Self.alpha, delta: Self.delta).replay([Question(.blocks(trial.contrasts()))]).first
      return Self.outcome(stop ?? nil)
    case .former: return Self.outcome(FormerRule.replay([ratios])[0])
    case .peekedInterval:
      for count in SignedRank.leastCount(level: 1 - Self.alpha)...max(1, ratios.count) {
        if let verdict = Self.excluded(Array(ratios.prefix(count))) {
          return Outcome(verdict: verdict, runs: 2 * count)
        }
      }
      return Outcome(verdict: .undecided, runs: Trial.runsPerSide)
    case .fixedInterval:
      return Outcome(verdict: Self.excluded(ratios) ?? .undecided, runs: Trial.runsPerSide)
    case .hyperfine, .pyperf, .google, .asv, .threshold, .tango:
      let (base, head) = trial.sides(order)
      return Outcome(verdict: PeerRules.verdict(self, base, head), runs: Trial.runsPerSide)
    }
  }

  static func outcome(_ stop: (blocks: Int, verdict: Decision.Verdict)?) -> Outcome {
    guard let stop else { return Outcome(verdict: .undecided, runs: Trial.runsPerSide) }
    return Outcome(verdict: stop.verdict, runs: 2 * stop.blocks)
  }

  /// On which side of "no difference" the interval lies; `nil` when it holds it.
  private static func excluded(_ ratios: [Double]) -> Decision.Verdict? {
    guard let interval = SignedRank.interval(ratios, level: 1 - alpha), !interval.contains(0) else { return nil }
    return interval.lowerBound > 0 ? .regressed : .improved
  }

  /// The order of a peer's runs.
  private var order: [Observation.Arm] {
    let runs = Trial.runsPerSide
    func run(_ arm: Observation.Arm, _ count: Int) -> [Observation.Arm] { Array(repeating: arm, count: count) }
    switch self {
    case .asv: return run(.base, runs / 2) + run(.head, runs) + run(.base, runs / 2)
    case .tango: return (0..<2 * runs).map { $0.isMultiple(of: 2) ? .base : .head }
    default: return run(.base, runs) + run(.head, runs)
    }
  }
}
