import Foundation
import Statistics

/// The rule of cf-bench's first months, to hold today's against: the sign of each block's log-ratio is bet on with
/// `1 ± tanh(λ · rank / (n + 1))` over λ = 1, 2, 4 and 8, Holm's shares hold for "no difference" too, and whatever lies above 1 with
/// an interval that reaches beyond δ is a regression.
package enum FormerRule {
  package typealias Stop = (blocks: Int, verdict: Decision.Verdict)

  /// Where each metric of a family would have stopped; `nil` for one that stayed undecided.
  package static func replay(_ family: [[Double]]) -> [Stop?] {
    let margin = log(1 + Rule.delta)
    let zero = family.map { pValues($0, against: 0) }
    let lower = family.map { pValues($0, against: -margin) }
    let upper = family.map { pValues($0, against: margin) }
    var stops: [Stop?] = family.map { _ in nil }
    var current = family.map { _ in 1.0 }
    for count in 1...max(1, family.map(\.count).max() ?? 1) {
      for index in family.indices where stops[index] == nil && count <= family[index].count {
        let at = zero[index][count - 1]
        current[index] = min(1, 2 * min(at.above, at.below))
      }
      for (index, share) in DecisionRule.holm(current, alpha: Rule.alpha).enumerated()
      where stops[index] == nil && count <= family[index].count {
        if max(lower[index][count - 1].above, upper[index][count - 1].below) <= share {
          stops[index] = (count, .equivalent)
        } else if current[index] <= share {
          let centre = SignedRank.hodgesLehmann(Array(family[index].prefix(count))) ?? 0
          if centre != 0 { stops[index] = (count, centre > 0 ? .regressed : .improved) }
        }
      }
    }
    return stops
  }

  private static func pValues(_ values: [Double], against theta: Double) -> [(above: Double, below: Double)] {
    var above = SIMD4<Double>(repeating: 0.25)
    var below = SIMD4<Double>(repeating: 0.25)
    var sizes: [Double] = []
    return values.map { value in
      let size = abs(value - theta)
      let smaller = Double(sizes.count { $0 < size }), equal = Double(sizes.count { $0 == size })
      sizes.append(size)
      let rank = (smaller + equal / 2 + 1) / Double(sizes.count + 1)
      let sign: Double = value > theta ? 1 : value < theta ? -1 : 0
      let stake = SIMD4(tanh(rank), tanh(2 * rank), tanh(4 * rank), tanh(8 * rank)) * sign
      above *= 1 + stake
      below *= 1 - stake
      return (min(1, 1 / above.sum()), min(1, 1 / below.sum()))
    }
  }
}
