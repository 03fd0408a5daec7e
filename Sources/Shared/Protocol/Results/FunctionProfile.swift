/// Where a micro target's time goes, function by function, as `cProfile` saw it in a run of its own.
public struct FunctionProfile: Codable, Equatable, Sendable {
  /// The metric's name, such as `micro: parse markdown code`.
  public var metric: String
  public var python: String
  public var side: Side
  /// Calls of the target that were profiled.
  public var calls: Int
  /// Profiled seconds in all; higher than unprofiled ones, since the profiler costs.
  public var seconds: Double
  /// The top functions by self and by cumulative time, each once, by self time.
  public var functions: [ProfiledFunction]
  public init(
    metric: String, python: String, side: Side, calls: Int, seconds: Double, functions: [ProfiledFunction]
  ) {
    self.metric = metric
    self.python = python
    self.side = side
    self.calls = calls
    self.seconds = seconds
    self.functions = functions
  }
}

public struct ProfiledFunction: Codable, Equatable, Sendable {
  /// Function, and file relative to the environment where it lies in it: `parse (codeflash/models/models.py)`. Without
  /// a line number, so that both sides can be held against each other.
  public var name: String
  /// First line of the function, 0 for a built-in one.
  public var line: Int
  /// Calls of this function in all.
  public var calls: Int
  public var selfSeconds: Double
  public var cumulativeSeconds: Double
  public init(name: String, line: Int, calls: Int, selfSeconds: Double, cumulativeSeconds: Double) {
    self.name = name
    self.line = line
    self.calls = calls
    self.selfSeconds = selfSeconds
    self.cumulativeSeconds = cumulativeSeconds
  }
}
