/// The two-sample Wilcoxon rank-sum (Mann–Whitney) procedure, for values that have no order or pairing.
///
/// Sources: H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than
/// the other", Ann. Math. Statist. 18 (1947); M. Hollander, D. A. Wolfe and E. Chicken, "Nonparametric Statistical
/// Methods", 3rd ed., sections 4.1 and 4.2. It takes all values for independent: values measured one side after the other
/// on a machine that drifts are not, and identical code is then called different far more often than the level says.
public enum RankSum {
  /// Up to this product of the two counts the null distribution is counted exactly; above, the normal law stands in.
  static let exactLimit = 2500

  /// The Hodges–Lehmann estimate of how far `values` lie above `others`: the median of all differences.
  public static func shift(of values: [Double], against others: [Double]) -> Double? {
    guard !values.isEmpty, !others.isEmpty else { return nil }
    let (upper, lower) = (values.sorted(), others.sorted())
    let count = upper.count * lower.count
    let middle = OrderStatistics.difference((count + 1) / 2, of: upper, minus: lower)
    guard count.isMultiple(of: 2) else { return middle }
    return (middle + OrderStatistics.difference(count / 2 + 1, of: upper, minus: lower)) / 2
  }

  /// One-sided p-values: that `values` lie above `others`, and that they lie below.
  static func pValues(_ values: [Double], against others: [Double]) -> (above: Double, below: Double) {
    guard !values.isEmpty, !others.isEmpty else { return (1, 1) }
    let (upper, lower) = (values.sorted(), others.sorted())
    // U: pairs in which the value is the larger one, ties as one half.
    var wins = 0.0
    var (below, notAbove) = (0, 0)
    for value in upper {
      while below < lower.count, lower[below] < value { below += 1 }
      notAbove = max(notAbove, below)
      while notAbove < lower.count, lower[notAbove] <= value { notAbove += 1 }
      wins += Double(below + notAbove) / 2
    }
    let pairs = Double(upper.count * lower.count)
    return (
      upperTail(wins, upper.count, lower.count, upper + lower),
      upperTail(pairs - wins, upper.count, lower.count, upper + lower)
    )
  }

  /// P(U ≥ wins) when both come from one distribution.
  private static func upperTail(_ wins: Double, _ first: Int, _ second: Int, _ all: [Double]) -> Double {
    if first * second <= exactLimit {
      // Half a tie is taken down: the larger tail.
      let counts = ways(first, second)
      let total = counts.reduce(0, +)
      return min(1, counts.dropFirst(Int(wins.rounded(.down))).reduce(0, +) / total)
    }
    let n = Double(first + second)
    let pairs = Double(first * second)
    let variance = pairs / 12 * (n + 1 - tieTerm(all) / (n * (n - 1)))
    guard variance > 0 else { return 1 }
    return Normal.cumulative(-(wins - pairs / 2 - 0.5) / variance.squareRoot())
  }

  /// Σ (t³ − t) over groups of t equal values.
  private static func tieTerm(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    var (sum, start) = (0.0, 0)
    for index in 1...sorted.count where index == sorted.count || sorted[index] != sorted[start] {
      let count = Double(index - start)
      sum += count * count * count - count
      start = index
    }
    return sum
  }

  /// In how many ways, up to a common factor, `first` values among `first + second` can have U = 0, 1, 2, …: coefficients
  /// of the Gaussian binomial, multiplied up factor by factor.
  private static func ways(_ first: Int, _ second: Int) -> [Double] {
    let largest = first * second
    var ways = [Double](repeating: 0, count: largest + 1)
    ways[0] = 1
    for factor in stride(from: 1, through: first, by: 1) {
      // times (1 − q^(second + factor)), then divided by (1 − q^factor)
      for power in stride(from: largest, through: second + factor, by: -1) {
        ways[power] -= ways[power - second - factor]
      }
      for power in stride(from: factor, through: largest, by: 1) { ways[power] += ways[power - factor] }
      let peak = ways.max() ?? 1
      if peak > 1e200 { for power in ways.indices { ways[power] /= peak } }
    }
    return ways
  }
}
