import Foundation

/// How many trials the tests of faults make, what they draw their chances from, and the line that `make faults` gathers.
///
/// `make faults` runs one row's tests at a time, with that row's number in `CF_BENCH_TEST_TRIALS`.
///
/// ```swift
/// let trials = TrialReport.count(usual: 10)  // CF_BENCH_TEST_TRIALS in `make faults`
/// var random = TrialReport.random(for: "uploads")
/// let began = ContinuousClock.now
/// …
/// TrialReport.print("uploads, damaged or cut", trials: trials, held: held, worst: "repaired in 1.2 s", since: began)
/// ```
public enum TrialReport {
  private static let environment = ProcessInfo.processInfo.environment

  /// What `CF_BENCH_TEST_TRIALS` says; `nil` in an ordinary run.
  private static let asked = environment["CF_BENCH_TEST_TRIALS"].flatMap { Int($0) }

  /// Whether this is `make faults`, with its large numbers.
  public static var isThorough: Bool { asked != nil }

  /// The number of trials: `usual` in `make test`, as many as asked for in `make faults`.
  public static func count(usual: Int) -> Int { asked ?? usual }

  /// Where all chances start: `CF_BENCH_FAULT_SEED`, or 1.
  public static let seed = environment["CF_BENCH_FAULT_SEED"].flatMap { UInt64($0) } ?? 1

  /// The chances of one row, or of one trial of it: the same for the same seed and name.
  public static func random(for name: String) -> SeededRandom {
    // FNV-1a over the name, so that no two rows draw the same.
    SeededRandom(
      state: name.utf8.reduce(seed &* 0x9e37_79b9_7f4a_7c15 ^ 0xcbf2_9ce4_8422_2325) {
        ($0 ^ UInt64($1)) &* 0x100_0000_01b3
      })
  }

  /// Writes `TRIAL`, name, trials, held, worst and seconds as one line with tabs between them; nothing in an ordinary run.
  /// - Parameter worst: the worst figure that was seen, with its unit.
  public static func print(_ name: String, trials: Int, held: Int, worst: String, since began: ContinuousClock.Instant)
  {
    guard isThorough else { return }
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    let line = ["TRIAL", name, "\(trials)", "\(held)", worst, String(format: "%.1f", seconds)].joined(separator: "\t")
    // One write: other tests print at the same time.
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
  }
}

/// Chances that can be had again.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(state: UInt64) { self.state = state }

  /// SplitMix64.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
