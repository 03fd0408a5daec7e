import Foundation
import Testing

/// How much of the suite runs. `make test` is for every push, so of long tables it takes a part, and of tests that say nearly
/// the same by running codeflash itself one; `make test ALL=1` and `make faults` take all.
public enum Thoroughness {
  public static let isFull = ProcessInfo.processInfo.environment["CF_BENCH_TEST_ALL"] == "1" || TrialReport.isThorough

  /// All cases, or in an ordinary run each `step`th from the first on: the same ones each time.
  public static func cases<Case>(_ all: [Case], each step: Int) -> [Case] {
    isFull ? all : all.enumerated().filter { $0.offset % step == 0 }.map(\.element)
  }
}

extension Trait where Self == ConditionTrait {
  /// Runs with `make test ALL=1` only.
  public static var thorough: Self { .enabled(if: Thoroughness.isFull, "make test ALL=1") }
}
