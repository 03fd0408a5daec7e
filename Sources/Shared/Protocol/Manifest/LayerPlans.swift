/// The layers of a benchmark, in the order in which they run.
public enum LayerName: String, Codable, CaseIterable, Sendable {
  /// Layer 1: import time and command-line response time.
  case startup
  /// Layer 2: micro-benchmarks and profiles of single functions.
  case micro
  /// Layer 3: `codeflash` itself at work on a project.
  case optimize
  /// Layer 4: what the memory of such a run is, and where it goes.
  case memory
}

/// What each layer is to do; a layer without a plan does not run.
public struct LayerPlans: Codable, Equatable, Sendable {
  public var startup: StartupPlan?
  public var micro: MicroPlan?
  public var optimize: OptimizePlan?
  public var memory: MemoryPlan?

  public init(
    startup: StartupPlan? = nil, micro: MicroPlan? = nil, optimize: OptimizePlan? = nil, memory: MemoryPlan? = nil
  ) {
    self.startup = startup
    self.micro = micro
    self.optimize = optimize
    self.memory = memory
  }

  /// The layers that have a plan, in order.
  public var names: [LayerName] {
    LayerName.allCases.filter { name in
      switch name {
      case .startup: startup != nil
      case .micro: micro != nil
      case .optimize: optimize != nil
      case .memory: memory != nil
      }
    }
  }
}

/// Layer 1: commands timed as whole processes, both sides in one block, and the import tree.
public struct StartupPlan: Codable, Equatable, Sendable {
  public var commands: [StartupCommand]
  /// How many blocks to measure; a block runs each command twice a side.
  public var blocks: Int
  /// Runs of each command and side that are made first and not counted.
  public var warmupRuns: Int
  /// Fresh `python -X importtime` runs a side, of which the median counts.
  public var importRuns: Int
  /// How long one run of a command may take, in seconds.
  public var timeoutSeconds: Double
  /// What starts and times the commands.
  public var engine: TimingEngine
  /// Whether the commands are timed once more as after a fresh installation: no bytecode, and where the machine permits no
  /// page cache. Such figures are metrics of their own.
  public var measuresCold: Bool

  public init(
    commands: [StartupCommand], blocks: Int, warmupRuns: Int, importRuns: Int, timeoutSeconds: Double,
    engine: TimingEngine = .hyperfine, measuresCold: Bool = false
  ) {
    self.engine = engine
    self.measuresCold = measuresCold
    self.commands = commands
    self.blocks = blocks
    self.warmupRuns = warmupRuns
    self.importRuns = importRuns
    self.timeoutSeconds = timeoutSeconds
  }
}

/// What starts and times a command.
public enum TimingEngine: String, Codable, CaseIterable, Sendable {
  case hyperfine
  /// The agent itself: posix_spawn(2), wait4(2) and a monotonic clock, with what the kernel counted for the process.
  case spawn
}

/// One command of layer 1.
public struct StartupCommand: Codable, Equatable, Sendable {
  /// The metric's name, such as `codeflash --version`.
  public var name: String
  /// The command; a program without a slash is looked for in the side's environment first (`codeflash`, `python`).
  public var arguments: [String]
  /// A control can't differ between the sides: if it moves, the machine or the harness did.
  public var isControl: Bool
  /// Nobody named it: where it does not work it is passed over and makes no trouble. `nil` for false.
  public var isGuess: Bool?

  public init(name: String, arguments: [String], isControl: Bool, isGuess: Bool? = nil) {
    self.isGuess = isGuess
    self.name = name
    self.arguments = arguments
    self.isControl = isControl
  }
}

/// Layer 2: functions timed with `timeit` in fresh worker processes.
public struct MicroPlan: Codable, Equatable, Sendable {
  public var targets: [MicroTarget]
  public var blocks: Int
  /// `timeit` repeats inside one worker, of which the best counts.
  public var repeats: Int
  /// How long one repeat should last, in seconds; sets the number of loops.
  public var repeatSeconds: Double
  /// How long one worker may take, in seconds.
  public var timeoutSeconds: Double
  /// How many functions of a profile are kept, by self and by cumulative time each.
  public var profileTop: Int
  /// How long a target's first call may take, in seconds; what takes longer is told and not measured. `nil` for no limit.
  public var longestCallSeconds: Double?
  /// The project's own benchmarks, measured beside the targets.
  public var suite: BenchmarkSuite?

  public init(
    targets: [MicroTarget], blocks: Int, repeats: Int, repeatSeconds: Double, timeoutSeconds: Double, profileTop: Int,
    longestCallSeconds: Double? = nil, suite: BenchmarkSuite? = nil
  ) {
    self.longestCallSeconds = longestCallSeconds
    self.suite = suite
    self.targets = targets
    self.blocks = blocks
    self.repeats = repeats
    self.repeatSeconds = repeatSeconds
    self.timeoutSeconds = timeoutSeconds
    self.profileTop = profileTop
  }
}

/// A project's own benchmarks: tests that use the fixture `benchmark` of pytest-benchmark.
public struct BenchmarkSuite: Codable, Equatable, Sendable {
  /// Where they are in the project: a folder or a file, relative to its root.
  public var path: String
  /// Names of the tests that are measured; `nil` for all of them.
  public var only: [String]?

  public init(path: String, only: [String]? = nil) {
    self.path = path
    self.only = only
  }

  /// Whether a path stays within the project, and is none that a program would take for an option.
  public static func isPath(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    return !text.isEmpty && text.utf8.count <= 1000 && !text.hasPrefix("/") && !text.hasPrefix("-")
      && !text.contains(where: { $0.isNewline || $0 == "\0" }) && !parts.contains("..")
  }
}

/// A function to time. Data, not code of ours: `docs/micro-targets.md` says how to write one.
public struct MicroTarget: Codable, Equatable, Sendable {
  /// The metric is called `micro: NAME`.
  public var name: String
  /// The group it belongs to, such as `discovery`.
  public var group: String
  /// Places where the function may live, `package.module:attribute.path`, newest first; the first that imports counts.
  public var candidates: [String]
  /// Python code run once before timing. It finds the function as `target`, a fresh folder as `workdir`, and must define
  /// `call()`, which is what gets timed.
  public var setup: String

  public init(name: String, group: String, candidates: [String], setup: String) {
    self.name = name
    self.group = group
    self.candidates = candidates
    self.setup = setup
  }
}
