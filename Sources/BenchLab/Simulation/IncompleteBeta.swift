import Foundation

/// The regularised incomplete beta function, and what is read off it.
public enum IncompleteBeta {
  /// I_x(a, b): the probability of a value up to `x` under the beta law. By the continued fraction of DLMF 8.17.22
  /// (https://dlmf.nist.gov/8.17.v), evaluated as W. J. Lentz does (Appl. Opt. 15, 1976, doi:10.1364/AO.15.000668).
  public static func regularised(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast below the mean; above it the mirrored one does (DLMF 8.17.4).
    if x > (a + 1) / (a + b + 2) { return 1 - regularised(1 - x, b, a) }
    let front = exp(a * log(x) + b * log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b))
    return front / a * fraction(x, a, b)
  }

  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    func apart(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
    var c = 1.0
    var d = 1 / apart(1 - (a + b) * x / (a + 1))
    var result = d
    for step in 1...1000 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / apart(1 + even * d)
      c = apart(1 + even / c)
      result *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / apart(1 + odd * d)
      c = apart(1 + odd / c)
      result *= d * c
      if abs(d * c - 1) < 1e-15 { break }
    }
    return result
  }

  /// Of a positive number.
  private static func logGamma(_ value: Double) -> Double {
    let (logarithm, _): (Double, Int) = lgamma(value)
    return logarithm
  }

  /// The two-sided p-value of Student's t: P(|T| ≥ |t|) = I_{ν/(ν+t²)}(ν/2, ½) (DLMF 8.17; M. Abramowitz and I. A. Stegun,
  /// "Handbook of Mathematical Functions", 26.7.1).
  public static func studentPValue(_ t: Double, degreesOfFreedom: Double) -> Double {
    guard t.isFinite else { return t.isNaN ? 1 : 0 }
    return regularised(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5)
  }
}
