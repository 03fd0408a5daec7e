import Foundation
import Testing

/// How much of the suite runs. `make test` is for every push, so of long tables it takes a part, and of tests that say nearly
/// the same by running codeflash itself one; `make test ALL=1` and `make faults` take all.
public enum Thoroughness {
  private static let environment = ProcessInfo.processInfo.environment
  public static let isFull = environment["CF_BENCH_TEST_ALL"] == "1" || TrialReport.isThorough

  /// What the parts of long tables are drawn by: another one each time, unless `CF_BENCH_TEST_SEED` says which.
  private static let seed: UInt64 = {
    let seed = environment["CF_BENCH_TEST_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...999_999)
    if !isFull { print("CF_BENCH_TEST_SEED=\(seed) draws the same parts of long tables, ALL=1 takes all of them") }
    return seed
  }()

  /// All cases, or in an ordinary run one of each `step`, drawn by the seed.
  public static func cases<Case>(_ all: [Case], each step: Int) -> [Case] {
    guard !isFull else { return all }
    var random = SeededRandom(state: seed)
    return stride(from: 0, to: all.count, by: step).map { start in
      all[Int.random(in: start..<min(start + step, all.count), using: &random)]
    }
  }
}

extension Trait where Self == ConditionTrait {
  /// Runs with `make test ALL=1` only.
  public static var thorough: Self { .enabled(if: Thoroughness.isFull, "make test ALL=1") }
}
