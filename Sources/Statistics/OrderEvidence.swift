/// Evidence about a ratio that may be looked at after every block: bets on the order that each block was measured in.
///
/// Take θ for the logarithm of the ratio, and take it off the head's values. If it is the true one, what is left does not depend on
/// which order was drawn, so each order is as likely as it was to be drawn, whatever the values are and whatever came before. A
/// bet on the order whose stakes depend on the values alone gains nothing in the mean, and the gambler's capital passes 1/α with a
/// probability of at most α, at any time (J. Ville, "Étude critique de la notion de collectif", 1939). So its highest value is
/// evidence, whatever it came to later.
///
/// With `s(a)` for the contrast of head and base that the values would give under the order a, divided by the largest such contrast of the
/// block, and `r` for the rank of that largest contrast among those of all blocks so far, the capital is multiplied by
///
///     exp(λ r s(drawn)) / mean over all orders a of exp(λ r s(a))
///
/// An outlier stakes no more than any other large contrast. Capital is split evenly over λ = 1, 2, 4, 8 and 16, from bets for small
/// effects to bets for plain ones. One gambler bets on "above", one on "below". Where only the coin between an order and its mirror is
/// known, the factor is `1 ± tanh(λ r)`: signed ranks as bets.
///
/// Sources: N. Koning, "Post-hoc and anytime valid permutation and group invariance testing", arXiv 2310.01153 (2023); L. Fischer and
/// A. Ramdas, "Sequential permutation testing by betting", arXiv 2401.07365 (2024); R. Turner, A. Ly and P. Grünwald, "Generic
/// E-variables for exact sequential k-sample tests", J. Statist. Plan. Inference (2024); for ranks among the values so far M. R.
/// Reynolds, "A sequential signed-rank test for symmetry", Ann. Statist. 3 (1975); for the frame A. Ramdas, P. Grünwald, V. Vovk
/// and G. Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statist. Sci. 38 (2023).
public struct OrderEvidence: Equatable, Sendable {
  /// Natural logarithm of the highest capital that bet on the ratio being above θ.
  public var above: Double
  /// The same for below θ.
  public var below: Double

  /// What splitting the capital costs a gambler, as a logarithm: one of the parts may win alone.
  static let splitCost = naturalLog(5)

  /// The evidence after all `blocks` against the logarithm of the ratio being `theta`.
  public init(_ blocks: [BlockContrast], against theta: Double) {
    var bets = Bets()
    Self.walk(blocks, theta) { bets.take($0) }
    self = bets.evidence
  }

  init(above: Double, below: Double) {
    self.above = above
    self.below = below
  }

  /// The evidence after each of `blocks` in turn.
  public static func trajectory(_ blocks: [BlockContrast], against theta: Double) -> [OrderEvidence] {
    var bets = Bets()
    var found: [OrderEvidence] = []
    found.reserveCapacity(blocks.count)
    walk(blocks, theta) { factor in
      bets.take(factor)
      found.append(bets.evidence)
    }
    return found
  }

  /// What a block multiplies capital by: a lane for each λ, and three without capital.
  private struct Factor {
    var above = SIMD8<Double>(repeating: 1)
    var below = SIMD8<Double>(repeating: 1)
  }

  private static func walk(_ blocks: [BlockContrast], _ theta: Double, _ body: (Factor) -> Void) {
    let sizes = blocks.map { block in block.orders.reduce(0) { max($0, abs($1.contrast - theta * $1.share)) } }
    let sorted = sizes.indices.sorted { sizes[$0] < sizes[$1] }
    var group = [Int](repeating: 0, count: sizes.count)
    var groups = 0
    for (place, index) in sorted.enumerated() {
      if place == 0 || sizes[index] > sizes[sorted[place - 1]] { groups += 1 }
      group[index] = groups
    }
    var seen = Counts(groups)
    for (index, block) in blocks.enumerated() {
      // Ties in the middle.
      let (smaller, equal) = seen.add(group[index])
      let rank = (Double(smaller) + Double(equal) / 2 + 1) / Double(index + 2)
      body(factor(block, theta, rank: rank, size: sizes[index]))
    }
  }

  private static func factor(_ block: BlockContrast, _ theta: Double, rank: Double, size: Double) -> Factor {
    guard size > 0 else { return Factor() }
    func powers(_ order: BlockContrast.Order) -> SIMD8<Double> {
      let one = exponential(rank * (order.contrast - theta * order.share) / size)
      let two = one * one
      let four = two * two
      let eight = four * four
      return SIMD8(one, two, four, eight, eight * eight, 1, 1, 1)
    }
    var sum = SIMD8<Double>(repeating: 0)
    for order in block.orders { sum += powers(order) }
    // Each order's mirror is among them, so the sum is the same for both gamblers.
    let mean = sum / Double(block.orders.count)
    let drawn = powers(block.orders[0])
    return Factor(above: drawn / mean, below: 1 / (drawn * mean))
  }

  /// Capital by λ of both gamblers, as numbers that share a power of two each.
  private struct Bets {
    private static let start = SIMD8<Double>(0.2, 0.2, 0.2, 0.2, 0.2, 0, 0, 0)
    private var above = Bets.start
    private var below = Bets.start
    private var aboveShift = 0.0
    private var belowShift = 0.0
    private(set) var evidence = OrderEvidence(above: 0, below: 0)

    mutating func take(_ factor: Factor) {
      Self.multiply(&above, by: factor.above, &aboveShift)
      Self.multiply(&below, by: factor.below, &belowShift)
      evidence.above = max(evidence.above, naturalLog(above.sum()) + aboveShift)
      evidence.below = max(evidence.below, naturalLog(below.sum()) + belowShift)
    }

    /// A part that becomes too small beside the largest is lost: that can only make the evidence weaker.
    private static func multiply(_ parts: inout SIMD8<Double>, by factor: SIMD8<Double>, _ shift: inout Double) {
      parts *= factor
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
