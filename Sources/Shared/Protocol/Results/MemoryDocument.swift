/// `memory.json`: layer 4 of one side. Schema: `docs/schemas/memory.schema.json`.
public struct MemoryDocument: Codable, Equatable, Sendable {
  public var schema: Int = 1
  public var revision: String
  public var peaks: [Peak]
  /// The first measured run's memory over time, one a Python.
  public var timelines: [MemoryTimeline]
  /// One a tool and Python.
  public var profiles: [MemoryProfile]
  public var skipped: [Skipped]

  public init(
    revision: String, peaks: [Peak], timelines: [MemoryTimeline], profiles: [MemoryProfile], skipped: [Skipped]
  ) {
    self.revision = revision
    self.peaks = peaks
    self.timelines = timelines
    self.profiles = profiles
    self.skipped = skipped
  }

  public struct Peak: Codable, Equatable, Sendable {
    /// `Peak memory` of a run's process tree, `Peak memory: COMMAND` of a command's process.
    public var name: String
    public var python: String
    /// `PSS of the process tree` (a shared page counts once) or `RSS of the process`.
    public var measure: String
    public var medianBytes: Double
    /// In the order measured.
    public var bytes: [Double]

    public init(name: String, python: String, measure: String, medianBytes: Double, bytes: [Double]) {
      self.name = name
      self.python = python
      self.measure = measure
      self.medianBytes = medianBytes
      self.bytes = bytes
    }
  }
}

/// A line of code that holds another amount of memory on the head than on the base.
public struct MemoryLineChange: Codable, Equatable, Sendable {
  public var tool: MemoryProfile.Tool
  public var python: String
  public var file: String
  /// The head's line, or the base's where the head has none.
  public var line: Int
  public var text: String
  /// On a side whose list of lines is cut, a line that is not in it counts with the most that it can hold.
  public var baseBytes: Int
  public var headBytes: Int
  public var differenceBytes: Int { headBytes - baseBytes }

  public init(
    tool: MemoryProfile.Tool, python: String, file: String, line: Int, text: String, baseBytes: Int, headBytes: Int
  ) {
    self.tool = tool
    self.python = python
    self.file = file
    self.line = line
    self.text = text
    self.baseBytes = baseBytes
    self.headBytes = headBytes
  }
}
