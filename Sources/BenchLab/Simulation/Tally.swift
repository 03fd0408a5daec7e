import Statistics

/// How often a rule said what, and how many runs it took: adding up in any order gives the same.
public struct Tally: Equatable, Sendable {
  public private(set) var trials = 0
  public private(set) var regressed = 0
  public private(set) var improved = 0
  public private(set) var equivalent = 0
  /// Trials by the runs of a side that they used.
  private var byRuns: [Int: Int] = [:]

  public init() {}

  public mutating func add(_ outcome: Rule.Outcome) {
    trials += 1
    switch outcome.verdict {
    case .regressed: regressed += 1
    case .improved: improved += 1
    case .equivalent: equivalent += 1
    case .undecided: break
    }
    byRuns[outcome.runs, default: 0] += 1
  }

  public mutating func add(_ other: Tally) {
    trials += other.trials
    regressed += other.regressed
    improved += other.improved
    equivalent += other.equivalent
    byRuns.merge(other.byRuns, uniquingKeysWith: +)
  }

  public var undecided: Int { trials - regressed - improved - equivalent }

  /// The lower median of the runs a side, of all trials.
  public var medianRuns: Int {
    var seen = 0
    for (runs, count) in byRuns.sorted(by: { $0.key < $1.key }) {
      seen += count
      if 2 * seen >= trials { return runs }
    }
    return 0
  }
}
