import Foundation
import Statistics

/// The tests of two independent samples that other tools use.
public enum TwoSampleTests {
  /// Two-sided p-value of Welch's t: B. L. Welch, "The generalization of 'Student's' problem when several different
  /// population variances are involved", Biometrika 34 (1947), doi:10.1093/biomet/34.1-2.28; what SciPy's
  /// `ttest_ind(equal_var=False)` gives.
  public static func welch(_ first: [Double], _ second: [Double]) -> Double {
    guard let one = Moments(first), let two = Moments(second) else { return 1 }
    let (a, b) = (one.variance / one.count, two.variance / two.count)
    guard a + b > 0 else { return one.mean == two.mean ? 1 : 0 }
    let freedom = (a + b) * (a + b) / (a * a / (one.count - 1) + b * b / (two.count - 1))
    return IncompleteBeta.studentPValue((one.mean - two.mean) / (a + b).squareRoot(), degreesOfFreedom: freedom)
  }

  /// Student's t with a pooled variance for samples of one size, as pyperf's `_utils.py` has it (`tscore`).
  public static func pooledT(_ first: [Double], _ second: [Double]) -> Double {
    guard let one = Moments(first), let two = Moments(second) else { return 0 }
    let pooled =
      (one.variance * (one.count - 1) + two.variance * (two.count - 1)) / (one.count + two.count - 2)
    guard pooled > 0 else { return one.mean == two.mean ? 0 : .infinity }
    return (one.mean - two.mean) / (2 * pooled / one.count).squareRoot()
  }

  /// Two-sided p-value of Mann and Whitney's U by the normal law, with corrections for ties and for continuity: what
  /// SciPy's `mannwhitneyu(alternative="two-sided")` gives for more than eight values a side.
  /// H. B. Mann and D. R. Whitney, Ann. Math. Statist. 18 (1947), doi:10.1214/aoms/1177730491.
  public static func mannWhitney(_ first: [Double], _ second: [Double]) -> Double {
    let (m, n) = (Double(first.count), Double(second.count))
    let (wins, ties) = Self.wins(first, second)
    let u = max(wins + ties / 2, m * n - wins - ties / 2)
    let all = m + n
    let variance = m * n / 12 * (all + 1 - tieTerm(first + second) / (all * (all - 1)))
    guard variance > 0 else { return 1 }
    return min(1, erfc((u - m * n / 2 - 0.5) / (2 * variance).squareRoot()))
  }

  /// The same as asv's `statistics.py` has it for more than 20 values a side: ties are counted against a difference, and
  /// there is no correction.
  public static func mannWhitneyOfASV(_ first: [Double], _ second: [Double]) -> Double {
    let (m, n) = (Double(first.count), Double(second.count))
    let half = (m * n / 2).rounded(.down)
    let (wins, found) = Self.wins(first, second)
    let ties = wins <= half && wins + found >= half ? half - wins : found
    let least = max(min(wins, m * n - wins), min(wins + ties, m * n - wins - ties))
    let z = (least - m * n / 2) / (m * n * (m + n + 1) / 12).squareRoot()
    return erfc(-z / 2.0.squareRoot())
  }

  /// In how many pairs the first sample's value is the larger, and in how many both are equal.
  private static func wins(_ first: [Double], _ second: [Double]) -> (wins: Double, ties: Double) {
    let sorted = second.sorted()
    var (wins, ties, below, upTo) = (0, 0, 0, 0)
    for value in first.sorted() {
      while below < sorted.count, sorted[below] < value { below += 1 }
      upTo = max(upTo, below)
      while upTo < sorted.count, sorted[upTo] <= value { upTo += 1 }
      wins += below
      ties += upTo - below
    }
    return (Double(wins), Double(ties))
  }

  /// Σ (t³ − t) over groups of t equal values.
  private static func tieTerm(_ values: [Double]) -> Double {
    var sum = 0.0
    var counts: [Double: Double] = [:]
    for value in values { counts[value, default: 0] += 1 }
    // Whole numbers: the sum is the same in any order.
    for count in counts.values { sum += count * count * count - count }
    return sum
  }
}

/// Mean and variance (n − 1 below) of a sample of at least two values.
struct Moments {
  var count: Double
  var mean: Double
  var variance: Double

  init?(_ values: [Double]) {
    guard let mean = Quantile.mean(values), let deviation = Quantile.standardDeviation(values) else { return nil }
    count = Double(values.count)
    self.mean = mean
    variance = deviation * deviation
  }
}
