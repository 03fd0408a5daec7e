import Calibration

/// What `bench-lab calibrate` found: `calibration.json`.
struct CalibrationReport: Codable, Sendable {
  var schema = 1
  /// `nil` where the simulation was left out.
  var simulated: SimulationReport?
  /// `nil` where there were no recordings.
  var recorded: RecordedReport?
  /// `nil` where the measurements were left out.
  var real: [RealComparison]?
}

/// What came of orders imposed on recordings of real runs.
struct RecordedReport: Codable, Sendable {
  /// The machine that they were made on, and how many metrics there are.
  var machine: String
  var series: Int
  var entries: [RecordingReplay.Entry]
  var controlVariates: [RecordingReplay.ControlVariate]
}

/// One comparison of a package with a copy of it that does more work, measured end to end.
struct RealComparison: Codable, Sendable {
  /// The head's additional work: 0.05 for 5 %.
  var added: Double
  /// From 1.
  var round: Int
  /// Whether another program kept a core busy now and then.
  var hasNeighbour: Bool
  /// The verdict of the metric, `void` where a control moved.
  var verdict: String
  /// Head over base, with its interval where there is one.
  var ratio: Double
  var low: Double?
  var high: Double?
  /// By how much the base differed from its own second installation.
  var floor: Double?
  var blocks: Int
  /// Blocks discarded because something else used the machine.
  var setAside: Int
  /// Median of the base's runs, in seconds.
  var baseSeconds: Double
  /// What the whole comparison took, installing included.
  var seconds: Double
}
