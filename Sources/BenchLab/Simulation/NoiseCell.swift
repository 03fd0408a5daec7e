import Foundation

/// A kind of noise that a machine may have. A series is one value a run, in the order of time, on the scale of natural
/// logarithms: 0.01 is 1 %.
///
/// The kinds are invented, not recorded: each isolates one way in which runs of the same code differ.
public enum NoiseCell: String, CaseIterable, Codable, Sendable {
  /// Each run by itself: normal, sigma 1 %.
  case independent
  /// `independent` plus a machine that warms and cools: AR(1), phi 0.98 from run to run, stationary sigma 1.5 %.
  case drift
  /// `drift`, in half of the series a step of +2 % or −2 % from a random run on, and 3 % of the runs lengthened by a
  /// share from the exponential law with mean 10 %.
  case stepAndTails = "step and tails"
  /// `drift`, and of each four runs the second costs 0.1 % more than the first, the third 0.2 %, the fourth 0.3 %.
  case position010 = "position 0.1 %"
  /// The same with 0.25 % a place.
  case position025 = "position 0.25 %"
  /// The same with 0.5 % a place.
  case position050 = "position 0.5 %"
  /// `drift`, and times are whole steps of a clock that ticks every hundredth of the usual time.
  case quantised
  /// `independent`, and each run is with a probability of 0.3 in a mode that takes 2 % longer.
  case bimodal2 = "bimodal 2 %"
  /// The same with 5 %.
  case bimodal5 = "bimodal 5 %"

  public static let sigma = 0.01
  public static let driftSigma = 0.015
  public static let driftMemory = 0.98

  /// One tick of the clock, as a share of the usual time; `nil` for a clock that is fine enough.
  public var tick: Double? { self == .quantised ? 0.01 : nil }

  /// What each place in a group of four costs beyond the one before.
  public var costOfPlace: Double {
    switch self {
    case .position010: 0.001
    case .position025: 0.0025
    case .position050: 0.005
    default: 0
    }
  }

  /// How much longer a run in the slow mode takes; `nil` where there is one mode.
  public var slowMode: Double? {
    switch self {
    case .bimodal2: 0.02
    case .bimodal5: 0.05
    default: nil
    }
  }

  private var drifts: Bool { self != .independent && slowMode == nil }

  /// The noise of `count` runs.
  public func series(_ count: Int, _ random: inout SeededStream) -> [Double] {
    // From the stationary law at the start: the first run is as far off as any other.
    var level = drifts ? Self.driftSigma * random.normal() : 0
    let push = Self.driftSigma * (1 - Self.driftMemory * Self.driftMemory).squareRoot()
    let step = self.step(count, &random)
    return (0..<count).map { run in
      if drifts, run > 0 { level = Self.driftMemory * level + push * random.normal() }
      var value = level + Self.sigma * random.normal() + Double(run % 4) * costOfPlace
      if let step, run >= step.run { value += step.height }
      if self == .stepAndTails, random.uniform() < 0.03 { value += log(1 + random.exponential(mean: 0.1)) }
      if let slowMode, random.uniform() < 0.3 { value += log(1 + slowMode) }
      return value
    }
  }

  private func step(_ count: Int, _ random: inout SeededStream) -> (run: Int, height: Double)? {
    guard self == .stepAndTails, Bool.random(using: &random) else { return nil }
    return (Int.random(in: 0..<count, using: &random), Bool.random(using: &random) ? 0.02 : -0.02)
  }

  /// The cell in words, for people who read the table.
  public var words: String {
    switch self {
    case .independent: "every run by itself, sigma 1 %"
    case .drift: "the same plus a slow wandering (AR(1), phi 0.98 a run, stationary sigma 1.5 %)"
    case .stepAndTails:
      "drift; in half of the pairs a step of 2 % up or down from a random run on; 3 % of the runs lengthened by a share "
        + "from the exponential law with mean 10 %"
    case .position010, .position025, .position050:
      "drift; of each four runs every one costs \(rawValue.dropFirst("position ".count)) more than the one before"
    case .quantised: "drift; times are whole steps of a clock with 1 % steps"
    case .bimodal2, .bimodal5:
      "every run by itself; with a probability of 0.3 it is in a mode that takes \(rawValue.dropFirst("bimodal ".count)) "
        + "longer"
    }
  }
}
