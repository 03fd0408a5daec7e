/// The k-th smallest of many sums or differences of values, without making them all.
///
/// How many lie at or below a number is counted in one pass over sorted values; the answer is the smallest number for
/// which that count reaches k. It is found by halving the range of floating-point numbers themselves, so it is exactly
/// one of the sums or differences. Idea: D. B. Johnson and T. Mizoguchi, "Selecting the Kth Element in X + Y and
/// X1 + X2 + … + Xm", SIAM J. Comput. 7 (1978). Time: n log n for sorting, then 64 passes at most.
enum OrderStatistics {
  /// The `rank`-th smallest (from 1) mean of two of `sorted`, each value with itself included.
  static func walshAverage(_ rank: Int, of sorted: [Double]) -> Double {
    smallest(from: sorted[0], to: sorted[sorted.count - 1]) { limit in
      var count = 0
      var end = sorted.count
      for (start, value) in sorted.enumerated() {
        while end > start, (value + sorted[end - 1]) / 2 > limit { end -= 1 }
        guard end > start else { break }
        count += end - start
      }
      return count >= rank
    }
  }

  /// The `rank`-th smallest (from 1) of all differences of a value of `upper` and one of `lower`, both sorted.
  static func difference(_ rank: Int, of upper: [Double], minus lower: [Double]) -> Double {
    smallest(from: upper[0] - lower[lower.count - 1], to: upper[upper.count - 1] - lower[0]) { limit in
      var count = 0
      var end = 0
      for value in lower {
        while end < upper.count, upper[end] - value <= limit { end += 1 }
        count += end
      }
      return count >= rank
    }
  }

  /// The smallest number between two that `reaches`, which is false below some number and true from there on.
  private static func smallest(from low: Double, to high: Double, _ reaches: (Double) -> Bool) -> Double {
    var (low, high) = (order(low), order(high))
    while low < high {
      let middle = low + (high - low) / 2
      if reaches(number(middle)) { high = middle } else { low = middle + 1 }
    }
    return number(low)
  }

  /// Whole numbers in the order of the floating-point numbers that they stand for.
  private static func order(_ number: Double) -> UInt64 {
    let bits = (number + 0).bitPattern  // −0 becomes 0: they are the same number
    return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
  }

  private static func number(_ order: UInt64) -> Double {
    Double(bitPattern: order >> 63 == 1 ? order & ~(1 << 63) : ~order)
  }
}

/// Quantiles of a sample.
public enum Quantile {
  /// The middle value, or the mean of the two middle ones; `nil` for no values.
  public static func median(_ values: [Double]) -> Double? { of(values, 0.5) }

  /// The `fraction` quantile, interpolated linearly between order statistics; `nil` for no values.
  ///
  /// Definition 7 of R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50
  /// (1996): the default of R and NumPy.
  public static func of(_ values: [Double], _ fraction: Double) -> Double? {
    guard let last = values.indices.last else { return nil }
    let sorted = values.sorted()
    let place = min(max(fraction, 0), 1) * Double(last)
    let below = Int(place)
    guard below < last else { return sorted[last] }
    return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
  }

  /// Arithmetic mean; `nil` for no values.
  public static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// Standard deviation of the sample, with n − 1 below; `nil` for fewer than two values.
  public static func standardDeviation(_ values: [Double]) -> Double? {
    guard values.count > 1, let mean = mean(values) else { return nil }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(values.count - 1)).squareRoot()
  }
}
