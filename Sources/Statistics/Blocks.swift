/// One measured value of one arm in one block: any positive quantity, such as seconds.
public struct Observation: Equatable, Sendable {
  /// One of the two things compared.
  public enum Arm: Sendable { case base, head }
  public var block: Int
  public var arm: Arm
  public var value: Double
  /// Its place in time within the block, where the block's order was drawn evenly from all balanced ones; `nil` where it is only
  /// known that swapping the arms would have been as likely.
  public var place: Int?

  public init(block: Int, arm: Arm, value: Double, place: Int? = nil) {
    self.block = block
    self.arm = arm
    self.value = value
    self.place = place
  }
}

/// What a block says: by how much the head differs from the base in the same minutes, and by how much the same values would have
/// differed under each order that the block might have had.
public struct BlockContrast: Equatable, Sendable {
  /// One order: which of the block's places the head has.
  struct Order: Equatable, Sendable {
    /// Mean of the logarithms at the head's places minus that at the base's.
    var contrast: Double
    /// How much of a true logarithm of the ratio is in ``contrast``: 1 for the order that was drawn, −1 for its mirror, 0 where
    /// the head's places were shared evenly by both.
    var share: Double
  }
  public var block: Int
  /// The log of a ratio of geometric means.
  public var logRatio: Double
  /// All orders, evenly likely, the one that was drawn first. With each there is its mirror.
  var orders: [Order]

  /// Of a block of which only the coin between its order and the mirror is known.
  public init(block: Int, logRatio: Double) {
    self.block = block
    self.logRatio = logRatio
    orders = [Order(contrast: logRatio, share: 1), Order(contrast: -logRatio, share: -1)]
  }

  /// Of a block whose order was drawn from all that give the head `isHead.count / 2` places.
  /// - Parameter logs: Logarithms of the values in the order of time.
  init(block: Int, logs: [Double], isHead: [Bool]) {
    let half = Double(logs.count) / 2
    let drawn = isHead.indices.filter { isHead[$0] }
    let sum = logs.reduce(0, +)
    orders = Self.choices(drawn.count, of: logs.count).map { places in
      let heads = places.reduce(0) { $0 + logs[$1] }
      let common = Double(places.count { isHead[$0] })
      return Order(contrast: (2 * heads - sum) / half, share: (2 * common - half) / half)
    }
    if let place = orders.firstIndex(where: { $0.share == 1 }) { orders.swapAt(0, place) }
    self.block = block
    logRatio = orders.first?.contrast ?? 0
  }

  /// All ways to choose `count` places of `all`.
  private static func choices(_ count: Int, of all: Int) -> [[Int]] {
    guard count > 0 else { return [[]] }
    guard all >= count else { return [] }
    return choices(count, of: all - 1) + choices(count - 1, of: all - 1).map { $0 + [all - 1] }
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
  /// What every complete block says, in the order of the blocks' numbers.
  ///
  /// A block is complete when it holds each arm as often as the fullest block does; others were cut short, their order
  /// is not balanced, and they are left out.
  /// - Throws: ``StatisticsError/notPositive(value:block:arm:)`` for the first value that has no logarithm.
  public static func contrasts(_ observations: [Observation]) throws(StatisticsError) -> [BlockContrast] {
    let complete = completeBlocks(observations)
    var blocks: [Int: [Observation]] = [:]
    for observation in observations {
      guard observation.value > 0, observation.value.isFinite else {
        throw .notPositive(value: observation.value, block: observation.block, arm: observation.arm)
      }
      if complete.contains(observation.block) { blocks[observation.block, default: []].append(observation) }
    }
    return blocks.sorted { $0.key < $1.key }.map { contrast($0.key, $0.value) }
  }

  /// More orders than these say little more and take much longer to go through: 4 + 4 has 70.
  private static let mostPlaces = 8

  private static func contrast(_ block: Int, _ observations: [Observation]) -> BlockContrast {
    let logs = observations.map { naturalLog($0.value) }
    let places = observations.compactMap(\.place)
    guard Set(places).count == observations.count, observations.count <= mostPlaces else {
      let sum = zip(observations, logs).reduce(0) { $0 + ($1.0.arm == .head ? $1.1 : -$1.1) }
      return BlockContrast(block: block, logRatio: 2 * sum / Double(observations.count))
    }
    let inTime = observations.indices.sorted { places[$0] < places[$1] }
    return BlockContrast(
      block: block, logs: inTime.map { logs[$0] }, isHead: inTime.map { observations[$0].arm == .head })
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
      + copies.map { Observation(block: $0.block, arm: .head, value: $0.value, place: $0.place) }
  }

  /// By how much identical code differed in this very run, as a ratio above 1, less 1; `nil` where fewer than two blocks tell,
  /// or a value has no logarithm.
  public static func floor(_ observations: [Observation], copies: [Observation]) -> Double? {
    // Whoever judges the values says what is wrong with them.
    guard let ratios = try? contrasts(control(observations, copies: copies)), ratios.count > 1,
      let centre = SignedRank.hodgesLehmann(ratios.map(\.logRatio))
    else { return nil }
    return DecisionRule.change(ofLogRatio: abs(centre))
  }
}

extension Question {
  /// What the blocks of a metric ask. The agent, which stops by it, and the controller, which judges by it, both ask this.
  /// - Parameters:
  ///   - copies: Values of the base's second installation. Until two blocks have them, what identical code differs by in this
  ///     run is taken to be ``DecisionRule/unknownFloor``.
  ///   - hasCopyArm: Whether such values are to come although there are none yet.
  /// - Throws: ``StatisticsError/notPositive(value:block:arm:)``
  public init(
    _ observations: [Observation], copies: [Observation] = [], hasCopyArm: Bool = false
  ) throws(StatisticsError) {
    self.init(
      .blocks(try Blocks.contrasts(observations)),
      floor: Blocks.floor(observations, copies: copies)
        ?? (copies.isEmpty && !hasCopyArm ? 0 : DecisionRule.unknownFloor))
  }
}
