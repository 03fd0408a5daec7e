import Foundation
import Statistics

/// One simulated comparison: a stretch of a machine's time that every rule is given, each in its own order of runs.
public struct Trial: Sendable {
  public static let blocks = 30
  /// Runs of each side: two a block.
  public static let runsPerSide = 2 * blocks

  /// Noise of the runs in the order of time, on the scale of logarithms.
  let noise: [Double]
  /// Whose turn each run is, where the order of a block is drawn from all balanced ones.
  let order: [Observation.Arm]
  /// Which order each block has where it is A B B A or B A A B.
  let headFirst: [Bool]
  /// By how much the head takes longer: 0.02 for 2 %.
  let effect: Double
  private let tick: Double?

  /// - Parameter number: Trials of one number and cell have the same machine, whatever the effect.
  public init(_ cell: NoiseCell, effect: Double, number: Int, seed: UInt64) {
    let place = UInt64(NoiseCell.allCases.firstIndex(of: cell) ?? 0)
    var random = SeededStream(seed: seed, 1, place, UInt64(number))
    noise = cell.series(2 * Self.runsPerSide, &random)
    // The coin has a stream of its own: the machine knows nothing of it.
    var coin = SeededStream(seed: seed, 2, place, UInt64(number))
    headFirst = (0..<Self.blocks).map { _ in Bool.random(using: &coin) }
    let arms: [Observation.Arm] = [.base, .base, .head, .head]
    order = (0..<Self.blocks).flatMap { _ in arms.shuffled(using: &coin) }
    self.effect = effect
    tick = cell.tick
  }

  /// The times that runs in this order would take, where 1 is the base's usual time.
  func times(_ order: [Observation.Arm]) -> [Double] {
    let head = log(1 + effect)
    return zip(order, noise).map { arm, noise in
      let exact = exp(noise + (arm == .head ? head : 0))
      guard let tick else { return exact }
      // No run takes no time at all.
      return max(1, (exact / tick).rounded()) * tick
    }
  }

  /// Both sides' times when the runs are made in this order.
  func sides(_ order: [Observation.Arm]) -> (base: [Double], head: [Double]) {
    var (base, head): ([Double], [Double]) = ([], [])
    for (arm, time) in zip(order, times(order)) {
      if arm == .base { base.append(time) } else { head.append(time) }
    }
    return (base, head)
  }

  /// Blocks of any balanced order.
  func contrasts() -> [BlockContrast] { blocks(order, knowsPlaces: true) }

  /// The log-ratios of blocks A B B A or B A A B.
  func blockRatios() -> [Double] {
    let order = headFirst.flatMap { first -> [Observation.Arm] in
      first ? [.head, .base, .base, .head] : [.base, .head, .head, .base]
    }
    return blocks(order, knowsPlaces: false).map(\.logRatio)
  }

  /// Made of the samples by the code that makes them of real ones.
  private func blocks(_ order: [Observation.Arm], knowsPlaces: Bool) -> [BlockContrast] {
    let observations = zip(order, times(order)).enumerated().map { place, run in
      Observation(block: place / 4, arm: run.0, value: run.1, place: knowsPlaces ? place : nil)
    }
    // Times are exponentials and whole ticks, all above zero: no value is refused.
    return (try? Blocks.contrasts(observations)) ?? []
  }
}
