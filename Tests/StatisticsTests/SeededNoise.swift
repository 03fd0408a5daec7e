import CLibrary

/// Noise that is the same in every run: SplitMix64 (G. L. Steele et al., OOPSLA 2014) and Box–Muller.
struct SeededNoise: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func normal() -> Double {
    let radius = (-2 * log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &self))).squareRoot()
    return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &self))
  }

  /// Blocks in any balanced order on a machine that drifts and now and then hiccups.
  mutating func blocks(_ count: Int, effect: Double) -> [(block: Int, isHead: Bool, value: Double)] {
    var drift = 0.0
    return (0..<count).flatMap { block in
      [true, true, false, false].shuffled(using: &self).map { isHead in
        drift = 0.98 * drift + 0.003 * normal()
        let hiccup = Double.random(in: 0..<1, using: &self) < 0.03 ? 0.1 * abs(normal()) : 0
        return (block, isHead, exp(drift + hiccup + 0.01 * normal() + (isHead ? effect : 0)))
      }
    }
  }
}
