import Shared

/// What moves a program's speed by chance: the order of Python's sets and dictionaries of strings, the size of the
/// environment, the length of the folder's path. All arms of a block get the same chance and each block another one, so
/// that no verdict rests on one.
///
/// T. Mytkowicz, A. Diwan, M. Hauswirth and P. F. Sweeney, "Producing Wrong Data Without Doing Anything Obviously Wrong!",
/// ASPLOS 2009, for the size of the environment.
struct EnvironmentRandomization: Equatable {
  var hashSeed: Int
  /// How many bytes longer the environment is, up to a page.
  var padding: Int
  /// The name of the folder of work.
  var folder: String

  init(seed: UInt64, block: Int) {
    hashSeed = block
    var random = SplitMix64(state: seed &+ UInt64(block) &* 0x9e37_79b9)
    padding = Int(random.next() % 4096)
    folder = String(repeating: "w", count: 1 + Int(random.next() % 48))
  }

  func applied(to environment: [String: String]) -> [String: String] {
    environment.merging([
      "PYTHONHASHSEED": "\(hashSeed)", "CF_BENCH_PADDING": String(repeating: "x", count: padding),
    ]) { $1 }
  }
}

extension LayerContext {
  func surroundings(of block: Int) -> EnvironmentRandomization { EnvironmentRandomization(seed: seed, block: block) }
}
