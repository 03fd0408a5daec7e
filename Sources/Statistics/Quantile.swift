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
