/// Which lines hold memory in one run of codeflash, by one tool in a pass of its own.
public struct MemoryProfile: Codable, Equatable, Sendable {
  public enum Tool: String, Codable, CaseIterable, Sendable {
    /// Every allocation, native ones too; sizes at the moment of the highest total.
    case memray
    /// Python's own allocations; what is still held at the run's end.
    case tracemalloc
  }
  public var tool: Tool
  public var version: String
  public var python: String
  public var side: Side
  /// The function that codeflash worked on.
  public var function: String
  /// The highest total that the tool saw, in bytes.
  public var peakBytes: Int
  /// All lines together, those left out too, in bytes.
  public var totalBytes: Int
  /// The largest first.
  public var lines: [Line]
  /// By package or top-level module, the largest first.
  public var modules: [Module]
  /// Wall clock of the run under the tool, in seconds.
  public var seconds: Double
  /// The same run's without it, in seconds.
  public var plainSeconds: Double?
  /// Peak resident set of the profiled process, in bytes: the tool's own memory is in it.
  public var peakRSSBytes: Int

  public init(
    tool: Tool, version: String, python: String, side: Side, function: String, peakBytes: Int, totalBytes: Int,
    lines: [Line],
    modules: [Module], seconds: Double, plainSeconds: Double?, peakRSSBytes: Int
  ) {
    self.tool = tool
    self.version = version
    self.python = python
    self.side = side
    self.function = function
    self.peakBytes = peakBytes
    self.totalBytes = totalBytes
    self.lines = lines
    self.modules = modules
    self.seconds = seconds
    self.plainSeconds = plainSeconds
    self.peakRSSBytes = peakRSSBytes
  }

  public struct Line: Codable, Equatable, Sendable {
    /// Relative to the environment or checkout that it lies in, such as `codeflash/main.py`.
    public var file: String
    public var line: Int
    /// The line's text without its indent: what both sides are matched by when a line has moved. Empty when not known.
    public var text: String
    public var bytes: Int
    public var allocations: Int
    public init(file: String, line: Int, text: String, bytes: Int, allocations: Int) {
      self.file = file
      self.line = line
      self.text = text
      self.bytes = bytes
      self.allocations = allocations
    }
  }

  public struct Module: Codable, Equatable, Sendable {
    public var name: String
    public var bytes: Int
    public init(name: String, bytes: Int) {
      self.name = name
      self.bytes = bytes
    }
  }
}

/// The memory of a run's process tree over time, from a sampler that looks at `/proc`.
public struct MemoryTimeline: Codable, Equatable, Sendable {
  public var python: String
  public var side: Side
  /// The block in which it was taken; `nil` in results of before.
  public var block: Int?
  /// In the order of time; thinned evenly, keeping the highest of what was left out.
  public var points: [Point]

  public init(python: String, side: Side, block: Int? = nil, points: [Point]) {
    self.python = python
    self.block = block
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
