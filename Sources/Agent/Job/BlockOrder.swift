import Shared

/// The random order of the sides in each block, from the job's seed: the same job measures in the same order.
struct BlockOrder {
  private var random: SplitMix64
  private let sides: [Side]

  init(seed: UInt64, layer: LayerName, python: String, sides: [Side]) {
    // A stream of its own for each layer and interpreter, so that leaving one out moves no other.
    let label = Array(SHA256.hex("\(layer.rawValue) \(python)".utf8).utf8)
    random = SplitMix64(state: label.reduce(seed) { ($0 &* 31) &+ UInt64($1) })
    self.sides = sides
  }

  /// `A B B A` or `B A A B`, with even chances; a single side twice. To be called for each block in turn.
  mutating func block(_ number: Int) -> Block {
    guard sides.count == 2 else { return Block(number: number, order: sides + sides) }
    let (first, second) = random.next() & 1 == 0 ? (sides[0], sides[1]) : (sides[1], sides[0])
    return Block(number: number, order: [first, second, second, first])
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
