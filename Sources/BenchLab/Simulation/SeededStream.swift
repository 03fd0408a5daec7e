import Foundation

/// Random numbers that are the same in every run: Sebastiano Vigna's SplitMix64 (prng.di.unimi.it/splitmix64.c).
public struct SeededStream: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A stream of its own for each list of labels, so that what one trial draws moves no other trial, whichever thread
  /// it runs on.
  public init(seed: UInt64, _ labels: UInt64...) {
    state = seed
    // Each label is mixed in by a whole step of the generator: neighbouring labels give unrelated states.
    for label in labels { state = next() ^ (label &* 0xd134_2543_de82_ef95) }
    state = next()
  }

  init(state: UInt64) { self.state = state }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// Evenly from 0 up to 1, 1 left out.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// From the standard normal law. G. E. P. Box and M. E. Muller, "A note on the generation of random normal deviates",
  /// Ann. Math. Statist. 29 (1958), doi:10.1214/aoms/1177706645.
  public mutating func normal() -> Double {
    (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
  }

  /// From the exponential law with this mean.
  public mutating func exponential(mean: Double) -> Double { -mean * log(1 - uniform()) }
}
