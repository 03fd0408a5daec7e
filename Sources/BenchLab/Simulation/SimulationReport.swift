/// What the simulated comparisons gave.
public struct SimulationReport: Codable, Equatable, Sendable {
  public var seed: UInt64
  public var alpha: Double
  public var delta: Double
  /// The most blocks of a comparison; two runs a side each.
  public var blocks: Int
  public var entries: [Entry]
  public var families: Families

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
