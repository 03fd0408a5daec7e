import Shared

/// The random order of the arms in each block, from the job's seed: the same job measures in the same order.
struct BlockOrder {
  private var random: SplitMix64
  private let arms: [Arm]
  /// In how many blocks there is one with the control arm; `nil` where there is none.
  private let copyEvery: Int?
  private let design: BlockDesign
  /// The block of this group that has the control arm.
  private var copyBlock = -1

  init(
    seed: UInt64, layer: LayerName, python: String, sides: [Side], copyEvery: Int? = nil,
    design: BlockDesign = .balanced
  ) {
    self.design = design
    // A stream of its own for each layer and interpreter, so that leaving one out moves no other.
    let label = Array(SHA256.hex("\(layer.rawValue) \(python)".utf8).utf8)
    random = SplitMix64(state: label.reduce(seed) { ($0 &* 31) &+ UInt64($1) })
    arms = sides.map { Arm($0) }
    self.copyEvery = copyEvery
  }

  /// Each arm twice, in any order, all orders as likely; or, mirrored, in any order and then back: `A B B A` or `B A A B`. A single side
  /// twice. One block of ``copyEvery`` has the base's second installation too: wherever its places are, the order of the other two
  /// is as random as without it. To be called for each block in turn.
  mutating func block(_ number: Int) -> Block {
    guard arms.count == 2 else { return Block(number: number, order: arms + arms) }
    if let copyEvery, number.isMultiple(of: copyEvery) {
      // In the second half of a group: the first blocks are of the sides alone.
      let half = copyEvery / 2
      copyBlock = number + half + Int(random.next() % UInt64(copyEvery - half))
    }
    var order = number == copyBlock ? arms + [.copy] : arms
    switch design {
    case .mirrored:
      order.shuffle(using: &random)
      return Block(number: number, order: order + order.reversed())
    case .balanced:
      return Block(number: number, order: (order + order).shuffled(using: &random))
    }
  }
}

/// Sebastiano Vigna's SplitMix64, the generator that seeds the xoshiro family (prng.di.unimi.it/splitmix64.c).
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
