/// One measured value of one arm in one block: any positive quantity, such as seconds.
public struct Observation: Equatable, Sendable {
  /// One of the two things compared.
  public enum Arm: Sendable { case base, head }
  public var block: Int
  public var arm: Arm
  public var value: Double

  public init(block: Int, arm: Arm, value: Double) {
    self.block = block
    self.arm = arm
    self.value = value
  }
}

/// What a block says: by how much the head differs from the base in the same minutes.
public struct BlockRatio: Equatable, Sendable {
  public var block: Int
  /// Mean of the logarithms of the head's values minus that of the base's: the log of a ratio of geometric means.
  public var logRatio: Double

  public init(block: Int, logRatio: Double) {
    self.block = block
    self.logRatio = logRatio
  }
}

/// Values that no ratio can be made of.
public enum StatisticsError: Error, Equatable, Sendable {
  /// A value that is zero, negative, infinite or not a number.
  case notPositive(value: Double, block: Int, arm: Observation.Arm)
}

/// Turns samples into one number a block.
///
/// The block is the unit of analysis: what drifts slowly (heat, neighbours) hits both arms of a block alike and cancels
/// in its ratio, and samples within a block are not taken for independent ones. See A. Abedi and T. Brecht, "Conducting
/// Repeatable Experiments in Highly Variable Cloud Computing Environments", ICPE 2017, doi:10.1145/3030207.3030229.
public enum Blocks {
  /// The log-ratio of every complete block, in the order of the blocks' numbers.
  ///
  /// A block is complete when it holds each arm as often as the fullest block does; others were cut short, their order
  /// is not balanced, and they are left out.
  /// - Throws: ``StatisticsError/notPositive(value:block:arm:)`` for the first value that has no logarithm.
  public static func logRatios(_ observations: [Observation]) throws(StatisticsError) -> [BlockRatio] {
    let complete = completeBlocks(observations)
    var sums: [Int: Double] = [:]
    var counts: [Int: Double] = [:]
    for observation in observations {
      guard observation.value > 0, observation.value.isFinite else {
        throw .notPositive(value: observation.value, block: observation.block, arm: observation.arm)
      }
      guard complete.contains(observation.block) else { continue }
      sums[observation.block, default: 0] += naturalLog(observation.value) * (observation.arm == .head ? 1 : -1)
      counts[observation.block, default: 0] += 0.5
    }
    return complete.sorted().map { BlockRatio(block: $0, logRatio: (sums[$0] ?? 0) / (counts[$0] ?? 1)) }
  }

  /// The numbers of the blocks that hold each arm as often as the fullest block does.
  public static func completeBlocks(_ observations: [Observation]) -> Set<Int> {
    var base: [Int: Int] = [:]
    var head: [Int: Int] = [:]
    for observation in observations {
      switch observation.arm {
      case .base: base[observation.block, default: 0] += 1
      case .head: head[observation.block, default: 0] += 1
      }
    }
    let full = max(base.values.max() ?? 0, head.values.max() ?? 0)
    return Set(base.filter { $0.value == full && head[$0.key] == full }.keys)
  }
}

// MARK: The A/A control

extension Blocks {
  /// The A/A control of a metric: the base's values against those of its own second installation, which stands in the head's
  /// place. Only blocks that hold it.
  public static func control(_ observations: [Observation], copies: [Observation]) -> [Observation] {
    let blocks = Set(copies.map(\.block))
    return observations.filter { $0.arm == .base && blocks.contains($0.block) }
      + copies.map { Observation(block: $0.block, arm: .head, value: $0.value) }
  }

  /// By how much identical code differed in this very run, as a ratio above 1, less 1; `nil` where fewer than two blocks tell,
  /// or a value has no logarithm.
  public static func floor(_ observations: [Observation], copies: [Observation]) -> Double? {
    // Whoever judges the values says what is wrong with them.
    guard let ratios = try? logRatios(control(observations, copies: copies)), ratios.count > 1,
      let centre = SignedRank.hodgesLehmann(ratios.map(\.logRatio))
    else { return nil }
    return DecisionRule.change(ofLogRatio: abs(centre))
  }
}

extension Question {
  /// What the blocks of a metric ask. The agent, which stops by it, and the controller, which judges by it, both ask this.
  /// - Parameter copies: Values of the base's second installation.
  /// - Throws: ``StatisticsError/notPositive(value:block:arm:)``
  public init(_ observations: [Observation], copies: [Observation] = []) throws(StatisticsError) {
    self.init(
      .blocks(try Blocks.logRatios(observations).map(\.logRatio)),
      floor: Blocks.floor(observations, copies: copies) ?? 0)
  }
}
