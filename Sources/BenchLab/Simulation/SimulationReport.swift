/// What the simulated comparisons gave.
public struct SimulationReport: Codable, Equatable, Sendable {
  public var seed: UInt64
  public var alpha: Double
  public var delta: Double
  /// The most blocks of a comparison; two runs a side each.
  public var blocks: Int
  public var entries: [Entry]
  public var families: Families
  /// How long a decision takes, by the rule of now and the former one.
  public var speeds: [Speed]?

  /// One rule on one kind of noise at one effect.
  public struct Entry: Codable, Equatable, Sendable {
    public var cell: NoiseCell
    public var rule: Rule
    /// By how much the head really took longer: 0.02 for 2 %.
    public var effect: Double
    public var trials: Int
    public var regressed: Int
    public var improved: Int
    public var equivalent: Int
    public var undecided: Int
    /// Median, over the trials, of the runs a side until the rule stopped.
    public var medianRuns: Int

    /// Of identical code: how often any difference was claimed.
    public var alarms: Share { Share(regressed + improved, of: trials) }
    /// Of a slower head: how often that was found.
    public var found: Share { Share(regressed, of: trials) }
  }

  /// One rule on one kind of noise at one effect, alone or among metrics of identical code.
  public struct Speed: Codable, Equatable, Sendable {
    public var cell: NoiseCell
    public var rule: Rule
    public var effect: Double
    /// How many metrics are decided together.
    public var metrics: Int
    /// Median of the runs of both sides until the metric was decided; the most there are where it was not.
    public var medianRuns: Int
    /// How often it was decided rightly: slower, or identical code the same.
    public var right: Share
    /// How often wrongly.
    public var wrong: Share
  }

  /// Many metrics of identical code decided together.
  public struct Families: Codable, Equatable, Sendable {
    public var cell: NoiseCell
    public var metrics: Int
    /// Families with any false alarm.
    public var alarms: Share
  }

  public func entry(_ cell: NoiseCell, _ rule: Rule, effect: Double) -> Entry? {
    entries.first { $0.cell == cell && $0.rule == rule && $0.effect == effect }
  }
}
