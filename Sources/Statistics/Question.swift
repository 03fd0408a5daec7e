/// What is known of one metric.
public struct Question: Equatable, Sendable {
  public enum Observed: Equatable, Sendable {
    /// Complete blocks, in the order in which they were measured.
    case blocks([BlockContrast])
    /// Logarithms of values without order or pairing.
    case unpaired(base: [Double], head: [Double])
  }
  public var observed: Observed
  /// By how much identical code differed in this very run, as a ratio above 1, less 1: no smaller estimate is called a
  /// difference. It never widens what counts as equivalent, since a restless machine would then prove that nothing differs.
  public var floor: Double
  /// Whether it is one of the metrics that matter most.
  public var isHeadline = false
  /// The smallest relative difference that counts here; `nil` for the rule's.
  public var delta: Double?

  public init(_ observed: Observed, floor: Double = 0, isHeadline: Bool = false, delta: Double? = nil) {
    self.observed = observed
    self.delta = delta
    self.floor = floor
    self.isHeadline = isHeadline
  }
}

extension Question {
  var count: Int {
    switch observed {
    case .blocks(let blocks): blocks.count
    case .unpaired(let base, let head): min(base.count, head.count)
    }
  }

  /// The question as it stood after some of its blocks.
  func prefix(_ count: Int) -> Question {
    guard case .blocks(let blocks) = observed else { return self }
    return Question(.blocks(Array(blocks.prefix(count))), floor: floor, isHeadline: isHeadline, delta: delta)
  }

  /// The logarithm of the estimated ratio; `nil` where there is nothing to estimate it from.
  var centre: Double? {
    switch observed {
    case .blocks(let blocks): SignedRank.hodgesLehmann(blocks.map(\.logRatio))
    case .unpaired(let base, let head): RankSum.shift(of: head, against: base)
    }
  }

  /// One-sided p-values for a true logarithm of the ratio of `theta`: that it lies above, that it lies below.
  /// With blocks they hold at any look: 1 over the highest capital of a bet.
  func pValues(against theta: Double) -> (above: Double, below: Double) {
    switch observed {
    case .blocks(let blocks): OrderEvidence(blocks, against: theta).pValues
    case .unpaired(let base, let head): RankSum.pValues(head.map { $0 - theta }, against: base)
    }
  }
}

extension Question {
  /// Farther from the centre than any value: there, all samples lie on one side.
  var reach: Double {
    let spread =
      switch observed {
      case .blocks(let blocks):
        // So far away every contrast is one of the shift alone, whatever the runs of a block scattered by.
        8 * (blocks.lazy.flatMap { $0.orders.map { abs($0.contrast) } }.max() ?? 0)
      case .unpaired(let base, let head):
        (head.max() ?? 0) - (head.min() ?? 0) + (base.max() ?? 0) - (base.min() ?? 0)
      }
    return 2 * spread + 1e-9
  }
}

extension OrderEvidence {
  var pValues: (above: Double, below: Double) { (min(1, exponential(-above)), min(1, exponential(-below))) }
}
