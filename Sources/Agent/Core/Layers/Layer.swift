import Shared

/// One layer of the benchmark: one folder, and one line in ``LayerList``. A layer knows neither another layer nor SSH, nor
/// when enough has been measured: ``Schedule`` does.
protocol Layer {
  static var name: LayerName { get }
  /// In how many blocks there is one with the control arm.
  static var copyEvery: Int { get }
  /// The most blocks that are to be measured.
  var blocks: Int { get }
  /// How many `sample` events a full run emits.
  func plannedSamples(sides: Int) -> Int
  /// Warms up and calibrates; says with `skipped` or `trouble` what can't be measured, and leaves it out from then on.
  mutating func prepare(in context: LayerContext) throws
  /// What can be measured; gets shorter when something breaks on the way.
  var metrics: [PlannedMetric] { get }
  /// Takes up, after preparing, what an earlier worker of the job fixed once for all blocks.
  mutating func restore(_ blocks: [EarlierBlock])
  /// What a block of everything would take in seconds, where the preparation showed it.
  var expectedBlockSeconds: Double? { get }
  /// Measures each of the `open` metrics once at each position of the block, emitting a `sample` as soon as it is there.
  /// Metrics that can't be measured apart are measured together.
  mutating func measure(_ block: Block, of open: Set<String>, in context: LayerContext) throws
  /// What ``summarise(in:telling:)`` will take, in seconds, going by what was measured.
  func closingSeconds(telling: Telling) -> Double
  /// A block that was measured counts for nothing: what was kept of it has to be kept of another one.
  mutating func discarded(_ block: Block)
  /// What is not timed in blocks: import trees, and profiles of what is `telling`.
  mutating func summarise(in context: LayerContext, telling: Telling) throws
}

/// The metrics that profiles are made of.
enum Telling: Equatable {
  case all
  case only(Set<String>)

  func includes(_ metric: String) -> Bool {
    switch self {
    case .all: true
    case .only(let metrics): metrics.contains(metric)
    }
  }
}

extension Layer {
  static var copyEvery: Int { 3 }
  mutating func restore(_ blocks: [EarlierBlock]) {}
  mutating func discarded(_ block: Block) {}
}

/// A series of samples that a layer can measure.
struct PlannedMetric: Equatable, Sendable {
  var name: String
  var isControl = false
  /// False for what is shown and decides nothing: it has a few blocks and no share of the error.
  var isJudged = true
}

/// One block: the order in which the arms are measured, each equally often.
struct Block: Equatable, Sendable {
  /// Counts from 0.
  var number: Int
  /// Each side as often as the other; with one side, that side twice.
  var order: [Arm]
}

/// What a layer gets to work with. The same for all layers of one interpreter.
struct LayerContext {
  var sink: any EventSink
  /// The name of the interpreter in events: what was asked for, such as `3.12`.
  var python: String
  /// The sides in the manifest's order, base first.
  var sides: [SideEnvironment]
  /// The base a second time, where there is a control arm.
  var copy: SideEnvironment?
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
  /// The job's seed.
  var seed: UInt64 = 0
  var profiles = ProfileRule.always
  /// What of the budget nobody else needs any more, in seconds; `nil` without a budget.
  var secondsLeft: () -> Double? = { nil }
  /// Throws when the job was cancelled or has used up its time; to be called wherever a layer comes up for air.
  var checkpoint: () throws -> Void = {}

  var tools: SetupTools { SetupTools(environment: environment, home: home, limitSeconds: setupSeconds) }

  /// Everything that is measured: the sides, and the control arm where there is one.
  var arms: [SideEnvironment] { sides + (copy.map { [$0] } ?? []) }

  func environment(of arm: Arm) -> SideEnvironment? { arms.first { $0.arm == arm } }
}

/// An installed side: everything that is needed to run its commands.
struct SideEnvironment: Equatable, Sendable {
  var arm: Arm
  var label: String
  /// The virtual environment's folder. All arms' paths have the same length.
  var path: String
  /// The checkout that it was installed from; `nil` for a release.
  var folder: String?
  /// Secret values that the target's commands need, by their variables' names.
  var secrets: [String: String] = [:]
  var side: Side { arm.side }
  var bin: String { path + "/bin" }
  var interpreter: String { bin + "/python" }

  /// The environment of a measured child: small, fixed, the same on both sides but for the path of ``bin``.
  func measuredEnvironment(home: String) -> [String: String] {
    [
      "PATH": "\(bin):/usr/local/bin:/usr/bin:/bin", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8",
      "LC_ALL": "C.UTF-8",
      "PYTHONHASHSEED": "0", "COLUMNS": "200", "VIRTUAL_ENV": path,
    ].merging(secrets) { own, _ in own }
  }
}

/// The layers there are, in the order in which they run. A new layer is one folder and one line here.
enum LayerList {
  static func make(from plans: LayerPlans) -> [any Layer] {
    var layers: [any Layer] = []
    if let plan = plans.startup { layers.append(StartupLayer(plan: plan)) }
    if let plan = plans.micro { layers.append(MicroLayer(plan: plan)) }
    if let plan = plans.optimize { layers.append(OptimizeLayer(plan: plan)) }
    if let plan = plans.memory { layers.append(MemoryLayer(plan: plan)) }
    return layers
  }
}
