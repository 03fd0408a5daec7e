/// What a command imports, module by module: one fresh run of it with Python's own trace.
///
/// Source of the numbers: CPython's `-X importtime`, which writes self and cumulative microseconds to standard error,
/// children before their parent, depth by indentation.
public struct ImportTree: Codable, Equatable, Sendable {
  public var side: Side
  public var python: String
  /// The command of layer 1, such as `codeflash --version`; `nil` in results of before, for `import PACKAGE`.
  public var metric: String?
  /// Which of the fresh runs, from 0.
  public var run: Int
  /// In the order in which Python finished them: children before their parent.
  public var modules: [ImportedModule]
  public init(side: Side, python: String, metric: String? = nil, run: Int, modules: [ImportedModule]) {
    self.side = side
    self.metric = metric
    self.python = python
    self.run = run
    self.modules = modules
  }

  /// Up to this much the import of a package counts as nothing, with all that it imports, in microseconds: an empty one takes
  /// a third of it on a slow machine.
  private static let nothing = 2000

  /// Whether nothing of the target but an empty package is imported: its start is then Python's start.
  public func importsNothing(of target: String) -> Bool {
    modules.contains { $0.name == target && $0.cumulativeMicroseconds < Self.nothing }
      && !modules.contains { $0.name.hasPrefix(target + ".") }
  }
}

public struct ImportedModule: Codable, Equatable, Sendable {
  public var name: String
  /// 0 for what the command itself imports.
  public var depth: Int
  /// Time in the module without what it imports, in microseconds.
  public var selfMicroseconds: Int
  /// Time in the module with what it imports, in microseconds.
  public var cumulativeMicroseconds: Int
  public init(name: String, depth: Int, selfMicroseconds: Int, cumulativeMicroseconds: Int) {
    self.name = name
    self.depth = depth
    self.selfMicroseconds = selfMicroseconds
    self.cumulativeMicroseconds = cumulativeMicroseconds
  }
}
