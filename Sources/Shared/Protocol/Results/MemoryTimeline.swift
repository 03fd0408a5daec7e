/// The memory of a run's process tree over time, from a sampler that looks at `/proc`.
public struct MemoryTimeline: Codable, Equatable, Sendable {
  public var python: String
  public var side: Side
  /// In the order of time; thinned evenly, keeping the highest of what was left out.
  public var points: [Point]

  public init(python: String, side: Side, points: [Point]) {
    self.python = python
    self.side = side
    self.points = points
  }

  public struct Point: Codable, Equatable, Sendable {
    /// Since the run's start.
    public var seconds: Double
    /// Proportional set size of all processes together, in bytes: a page that several share counts once
    /// (`smaps_rollup` of proc(5)).
    public var pssBytes: Int
    /// Resident set sizes of all processes together, in bytes: a shared page counts for each.
    public var rssBytes: Int
    public var processes: Int
    public init(seconds: Double, pssBytes: Int, rssBytes: Int, processes: Int) {
      self.seconds = seconds
      self.pssBytes = pssBytes
      self.rssBytes = rssBytes
      self.processes = processes
    }
  }
}
