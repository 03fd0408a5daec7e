/// How often something happened, with an interval for its probability.
public struct Share: Codable, Equatable, Sendable {
  public var count: Int
  public var trials: Int
  /// Ends of the 95 % interval of C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated
  /// in the case of the binomial", Biometrika 26 (1934), doi:10.1093/biomet/26.4.404: never too narrow.
  public var low: Double
  public var high: Double

  public var value: Double { trials > 0 ? Double(count) / Double(trials) : 0 }

  public init(_ count: Int, of trials: Int) {
    self.count = count
    self.trials = trials
    let (hits, misses) = (Double(count), Double(trials - count))
    // P(X ≥ k) = I_p(k, n − k + 1), P(X ≤ k) = I_{1−p}(n − k, k + 1)
    low = count == 0 ? 0 : Self.root { IncompleteBeta.regularised($0, hits, misses + 1) >= 0.025 }
    high = count == trials ? 1 : Self.root { IncompleteBeta.regularised(1 - $0, misses, hits + 1) <= 0.025 }
  }

  /// The least probability at which `holds` is true, which it stays above.
  private static func root(_ holds: (Double) -> Bool) -> Double {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<50 {
      let middle = (low + high) / 2
      if holds(middle) { high = middle } else { low = middle }
    }
    return (low + high) / 2
  }
}
