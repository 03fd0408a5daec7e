/// Evidence about the centre of a symmetric distribution that may be looked at after every value: the sequential
/// signed-rank test as a bet.
///
/// Take θ for the centre. If that is true, the sign of `value − θ` is a fair coin, whatever its size and whatever came
/// before. For blocks of randomised order that needs no belief about the noise: with the same code on both sides, the coin
/// is the one that chose between A B B A and B A A B. So a bet on the next sign whose stake depends on sizes and on earlier
/// values alone gains nothing in the mean, and the gambler's capital passes 1/α with a probability of at most α, at any
/// time (J. Ville, "Étude critique de la notion de collectif", 1939).
///
/// The stake is `tanh(λ · rank / (n + 1))`, with the rank of `|value − θ|` among the n values so far: an outlier stakes no
/// more than any other large value. Capital is split evenly over λ = 1, 2, 4 and 8, from bets for small effects to bets for
/// plain ones. One gambler bets on "above", one on "below".
///
/// Sources: E. A. Parent, "Sequential ranking procedures", Stanford University, 1965, and M. R. Reynolds, "A sequential
/// signed-rank test for symmetry", Ann. Statist. 3 (1975), for ranks among the values so far; V. Vovk and R. Wang,
/// "Nonparametric e-tests of symmetry", New England J. Statist. Data Sci. 2 (2024), for signed ranks as bets; A. Ramdas,
/// P. Grünwald, V. Vovk and G. Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statist. Sci. 38
/// (2023), for the frame.
public struct SignedRankEvidence: Equatable, Sendable {
  /// Natural logarithm of the capital that bet on the centre being above θ.
  public var above: Double
  /// The same for below θ.
  public var below: Double

  /// What splitting the capital costs a gambler, as a logarithm: one of the parts may win alone.
  static let splitCost = naturalLog(4)

  /// The evidence after all `values` against the centre being `theta`.
  public init(_ values: [Double], against theta: Double) {
    var bets = Bets()
    Self.walk(values, theta) { rank, sign in bets.take(rank, sign) }
    self = bets.evidence
  }

  init(above: Double, below: Double) {
    self.above = above
    self.below = below
  }

  /// The evidence after each of `values` in turn.
  public static func trajectory(_ values: [Double], against theta: Double) -> [SignedRankEvidence] {
    var bets = Bets()
    var found: [SignedRankEvidence] = []
    found.reserveCapacity(values.count)
    walk(values, theta) { rank, sign in
      bets.take(rank, sign)
      found.append(bets.evidence)
    }
    return found
  }

  /// The relative rank of each distance from θ among those so far (in 0…1, ties in the middle), and the sign.
  private static func walk(_ values: [Double], _ theta: Double, _ body: (_ rank: Double, _ sign: Double) -> Void) {
    let distances = values.map { abs($0 - theta) }
    let sorted = distances.indices.sorted { distances[$0] < distances[$1] }
    var group = [Int](repeating: 0, count: values.count)
    var groups = 0
    for (place, index) in sorted.enumerated() {
      if place == 0 || distances[index] > distances[sorted[place - 1]] { groups += 1 }
      group[index] = groups
    }
    var seen = Counts(groups)
    for (index, value) in values.enumerated() {
      let (smaller, equal) = seen.add(group[index])
      let rank = (Double(smaller) + Double(equal) / 2 + 1) / Double(index + 2)
      body(rank, value > theta ? 1 : value < theta ? -1 : 0)
    }
  }

  /// Capital by λ of both gamblers, as numbers that share a power of two each.
  private struct Bets {
    private var above = SIMD4<Double>(repeating: 0.25)
    private var below = SIMD4<Double>(repeating: 0.25)
    private var aboveShift = 0.0
    private var belowShift = 0.0

    mutating func take(_ rank: Double, _ sign: Double) {
      guard sign != 0 else { return }
      let one = exponential(-2 * rank)
      let two = one * one
      let four = two * two
      let powers = SIMD4(one, two, four, four * four)
      // tanh(λr) = (1 − e^(−2λr)) / (1 + e^(−2λr))
      let stake = (1 - powers) / (1 + powers) * sign
      above *= 1 + stake
      below *= 1 - stake
      Self.keepInRange(&above, &aboveShift)
      Self.keepInRange(&below, &belowShift)
    }

    var evidence: SignedRankEvidence {
      SignedRankEvidence(
        above: naturalLog(above.sum()) + aboveShift, below: naturalLog(below.sum()) + belowShift)
    }

    /// A part that becomes too small beside the largest is lost: that can only make the evidence weaker.
    private static func keepInRange(_ parts: inout SIMD4<Double>, _ shift: inout Double) {
      let largest = parts.max()
      guard largest > 0x1p512 || largest < 0x1p-512 else { return }
      let power = largest.exponent
      parts *= Double(sign: .plus, exponent: -power, significand: 1)
      shift += Double(power) * naturalLog(2)
    }
  }
}

/// Counts by group, with the sum over smaller groups in log time. P. M. Fenwick, "A new data structure for cumulative
/// frequency tables", Software: Practice and Experience 24 (1994).
private struct Counts {
  private var tree: [Int]
  private var each: [Int]

  init(_ groups: Int) {
    tree = [Int](repeating: 0, count: groups + 1)
    each = tree
  }

  /// Adds one to `group` (from 1); says how many were there before in smaller groups and in this one.
  mutating func add(_ group: Int) -> (smaller: Int, equal: Int) {
    var smaller = 0
    var place = group - 1
    while place > 0 {
      smaller += tree[place]
      place &= place - 1
    }
    place = group
    while place < tree.count {
      tree[place] += 1
      place += place & -place
    }
    defer { each[group] += 1 }
    return (smaller, each[group])
  }
}
