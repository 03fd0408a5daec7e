/// Call stacks and what each weighs: where time or memory went. The source of flame graphs and speedscope files.
public struct StackProfile: Codable, Equatable, Sendable {
  public enum Unit: String, Codable, Sendable {
    /// Wall-clock seconds.
    case seconds = "s"
    case bytes = "B"
  }
  public var layer: LayerName
  /// What ran, such as `Full optimize run` or `micro: parse markdown code`.
  public var metric: String
  public var python: String
  public var side: Side
  public var unit: Unit
  /// What took the stacks, with its version where it has one: `py-spy 0.4.1`, `memray 1.20.0`, `sampling by signal`.
  public var tool: String
  /// Every frame once; stacks point into this list.
  public var frames: [StackFrame]
  /// Each stack once, the heaviest first.
  public var stacks: [Stack]
  /// What stacks that were left out for size weigh together, in ``unit``.
  public var leftOut: Double

  public init(
    layer: LayerName, metric: String, python: String, side: Side, unit: Unit, tool: String, frames: [StackFrame],
    stacks: [Stack], leftOut: Double = 0
  ) {
    self.layer = layer
    self.metric = metric
    self.python = python
    self.side = side
    self.unit = unit
    self.tool = tool
    self.frames = frames
    self.stacks = stacks
    self.leftOut = leftOut
  }

  public struct StackFrame: Codable, Hashable, Sendable {
    /// The function's name.
    public var name: String
    /// The file, relative to the environment or checkout where it lies in one.
    public var file: String
    /// The line that was running, or the function's first; 0 when it is not known.
    public var line: Int
    public init(name: String, file: String, line: Int) {
      self.name = name
      self.file = file
      self.line = line
    }
  }

  public struct Stack: Codable, Equatable, Sendable {
    /// Places in ``StackProfile/frames``, the outermost call first.
    public var frames: [Int]
    /// In ``StackProfile/unit``.
    public var value: Double
    public init(frames: [Int], value: Double) {
      self.frames = frames
      self.value = value
    }
  }
}
