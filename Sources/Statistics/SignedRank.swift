/// The one-sample Wilcoxon signed-rank procedure: estimate and interval for the centre of a symmetric distribution.
///
/// Sources: F. Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1 (1945); J. L. Hodges and
/// E. L. Lehmann, "Estimates of Location Based on Rank Tests", Ann. Math. Statist. 34 (1963); M. Hollander, D. A. Wolfe
/// and E. Chicken, "Nonparametric Statistical Methods", 3rd ed., sections 3.1 to 3.3 (J. W. Tukey's interval).
/// Against heavy tails it costs about 4.5 % of the t-interval's efficiency under a normal law and wins otherwise, which
/// is why no value has to be thrown out as an outlier first.
public enum SignedRank {
  /// Up to this many values the null distribution is counted exactly; above, the normal law stands in for it.
  public static let exactLimit = 60

  /// The Hodges–Lehmann estimate: the median of all means of two values, each value with itself included.
  /// `nil` for no values.
  public static func hodgesLehmann(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let count = sorted.count * (sorted.count + 1) / 2
    let middle = OrderStatistics.walshAverage((count + 1) / 2, of: sorted)
    guard count.isMultiple(of: 2) else { return middle }
    return (middle + OrderStatistics.walshAverage(count / 2 + 1, of: sorted)) / 2
  }

  /// The interval that holds the centre with a probability of at least `level`, when the number of values was fixed
  /// beforehand; `nil` when so few values can't give one.
  public static func interval(_ values: [Double], level: Double) -> ClosedRange<Double>? {
    guard let depth = depth(count: values.count, level: level) else { return nil }
    let sorted = values.sorted()
    let count = sorted.count * (sorted.count + 1) / 2
    return OrderStatistics.walshAverage(depth + 1, of: sorted)...OrderStatistics.walshAverage(count - depth, of: sorted)
  }

  /// The least number of values for which an interval at `level` exists: the one with `2 · 2⁻ⁿ ≤ 1 − level`.
  public static func leastCount(level: Double) -> Int {
    guard level < 1 else { return .max }
    var count = 1
    var tail = 1.0
    while tail > 1 - level {
      count += 1
      tail /= 2
    }
    return count
  }

  /// How many Walsh averages lie outside the interval on each side: the largest k with P(T ≤ k) ≤ (1 − level) / 2.
  private static func depth(count: Int, level: Double) -> Int? {
    guard count > 0 else { return nil }
    let tail = (1 - level) / 2
    if count > exactLimit {
      let n = Double(count)
      let mean = n * (n + 1) / 4
      let deviation = (n * (n + 1) * (2 * n + 1) / 24).squareRoot()
      // Half a step for continuity: T takes whole numbers only.
      let rank = mean + Normal.quantile(tail) * deviation - 0.5
      return rank >= 0 ? Int(rank) : nil
    }
    var depth: Int?
    for (rank, probability) in cumulativeProbabilities(count: count).enumerated() {
      // A last bit of rounding in `1 − level` must not cost an interval that exists on paper.
      guard probability <= tail * (1 + 1e-12) else { break }
      depth = rank
    }
    return depth
  }

  /// P(T ≤ k) for k from 0 to the middle, where T is the sum of the ranks of positive values among `count` of them and
  /// each sign is a fair coin: the number of subsets of {1 … count} with a sum of at most k, over 2^count.
  static func cumulativeProbabilities(count: Int) -> [Double] {
    precondition(count <= exactLimit, "2^count must fit 64 bits")
    let largest = count * (count + 1) / 2
    var subsets = [UInt64](repeating: 0, count: largest + 1)
    subsets[0] = 1
    for rank in stride(from: 1, through: count, by: 1) {
      for sum in stride(from: largest, through: rank, by: -1) { subsets[sum] += subsets[sum - rank] }
    }
    let all = Double(sign: .plus, exponent: count, significand: 1)
    var running: UInt64 = 0
    return subsets.prefix(largest / 2 + 1).map { ways in
      running += ways
      return Double(running) / all
    }
  }
}
