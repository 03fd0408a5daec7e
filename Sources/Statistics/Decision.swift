/// What the blocks of one metric say about head against base. Below 1 is less: faster, when the values are times.
public struct Decision: Equatable, Sendable {
  public enum Verdict: String, Sendable {
    /// More than the base, and by more than counts as nothing.
    case regressed
    /// Less than the base, and by more than counts as nothing.
    case improved
    /// Any difference is smaller than what counts.
    case equivalent
    /// The blocks do not say: the interval leaves room for more than one answer.
    case undecided
  }
  public var verdict: Verdict
  /// The estimate of head over base.
  public var ratio: Double
  /// The interval of ``ratio``; `nil` when there are too few blocks for one at the level asked for.
  public var interval: ClosedRange<Double>?
  /// The number of blocks behind it.
  public var blocks: Int
}

/// The rule for a number of blocks that was fixed before measuring. Looking early and stopping when the answer pleases
/// breaks its level; a rule that may be looked at after each block has the same shape as ``decide(blocks:level:delta:)``.
public enum FixedBlocksRule {
  /// The rule in words, for documents.
  public static let name = "Hodges-Lehmann ratio of blocks, signed-rank interval, blocks fixed beforehand"

  /// The level of each of `count` intervals of one family, so that all of them hold together with 1 − `alpha`.
  /// Bonferroni's inequality: it asks nothing about how the metrics hang together.
  public static func level(alpha: Double, count: Int) -> Double { 1 - alpha / Double(max(count, 1)) }

  /// Decides from the log-ratios of complete blocks; `nil` for none at all.
  ///
  /// Interval and verdict can't contradict each other, since the verdict is read off the interval:
  /// - `regressed`, `improved`: the interval excludes 1, and the estimate differs by more than `delta`;
  /// - `equivalent`: the whole interval lies within `delta`;
  /// - `undecided`: everything else, and too few blocks for an interval.
  ///
  /// "Within delta" is from 1/(1 + delta) to 1 + delta, so that swapping the sides mirrors the verdict.
  /// - Parameters:
  ///   - level: The interval's level, such as ``level(alpha:count:)`` gives.
  ///   - delta: The smallest relative difference that counts, such as 0.02.
  public static func decide(blocks: [Double], level: Double, delta: Double) -> Decision? {
    guard let centre = SignedRank.hodgesLehmann(blocks) else { return nil }
    let margin = naturalLog(1 + delta)
    guard let logs = SignedRank.interval(blocks, level: level) else {
      return Decision(verdict: .undecided, ratio: exponential(centre), interval: nil, blocks: blocks.count)
    }
    let verdict: Decision.Verdict =
      if logs.lowerBound > 0, centre > margin {
        .regressed
      } else if logs.upperBound < 0, centre < -margin {
        .improved
      } else if logs.lowerBound >= -margin, logs.upperBound <= margin {
        .equivalent
      } else {
        .undecided
      }
    let interval = exponential(logs.lowerBound)...exponential(logs.upperBound)
    return Decision(verdict: verdict, ratio: exponential(centre), interval: interval, blocks: blocks.count)
  }
}
