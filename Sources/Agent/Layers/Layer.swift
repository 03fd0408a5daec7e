import Shared

/// One layer of the benchmark: one folder, and one line in ``LayerList``. A layer knows neither another layer nor SSH.
protocol Layer {
  static var name: LayerName { get }
  /// Blocks that ``measure(_:in:)`` is asked for.
  var blocks: Int { get }
  /// How many `sample` events a full run emits.
  func plannedSamples(sides: Int) -> Int
  /// Warms up and calibrates; says with `skipped` or `trouble` what can't be measured, and leaves it out from then on.
  mutating func prepare(in context: LayerContext) throws
  /// Measures each metric once at each position of the block, emitting a `sample` as soon as it is there.
  mutating func measure(_ block: Block, in context: LayerContext) throws
  /// What is not timed in blocks: import trees, profiles.
  mutating func summarise(in context: LayerContext) throws
}

/// One block: the order in which the sides are measured, each side equally often.
struct Block: Equatable, Sendable {
  /// Counts from 0.
  var number: Int
  /// `A B B A` or `B A A B`; with one side, that side twice.
  var order: [Side]
}

/// What a layer gets to work with. The same for all layers of one interpreter.
struct LayerContext {
  var sink: any EventSink
  /// The name of the interpreter in events: what was asked for, such as `3.12`.
  var python: String
  /// The sides in the manifest's order, base first.
  var sides: [SideEnvironment]
  var target: TargetPlan
  /// An empty folder for the layer's own files; removed with the job's scratch.
  var scratch: String
  var home: AgentHome
  /// The agent's program: it starts itself for what only another process can do.
  var agent: String
  /// Values that are in no file, such as the key of a live service.
  var secrets: [String: String]
  /// How long one step of preparation may take, in seconds.
  var setupSeconds: Double
  /// The agent's own environment, for finding tools; measured children get ``SideEnvironment/measuredEnvironment(home:)``.
  var environment: [String: String]

  var tools: SetupTools { SetupTools(environment: environment, home: home, limitSeconds: setupSeconds) }

  func environment(of side: Side) -> SideEnvironment? { sides.first { $0.side == side } }
}

/// An installed side: everything that is needed to run its commands.
struct SideEnvironment: Equatable, Sendable {
  var side: Side
  var label: String
  /// The virtual environment's folder. Both sides' paths have the same length.
  var path: String
  var bin: String { path + "/bin" }
  var interpreter: String { bin + "/python" }

  /// The environment of a measured child: small, fixed, the same on both sides but for the path of ``bin``.
  func measuredEnvironment(home: String) -> [String: String] {
    [
      "PATH": "\(bin):/usr/local/bin:/usr/bin:/bin", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8",
      "LC_ALL": "C.UTF-8",
      "PYTHONHASHSEED": "0", "COLUMNS": "200", "VIRTUAL_ENV": path,
    ]
  }
}
