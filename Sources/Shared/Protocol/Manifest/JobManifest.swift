/// What the controller asks an agent to do: everything the benchmark host needs to know, and nothing it has to guess.
///
/// Written once by the controller, kept as `manifest.json` in the job's folder. Schema: `docs/schemas/manifest.schema.json`.
public struct JobManifest: Codable, Equatable, Sendable {
  /// Layout version of this document.
  public var schema: Int = 1
  /// The job's name, made by the controller; a second submit with the same name starts nothing.
  public var id: JobID
  /// When the controller made it, RFC 3339 in UTC.
  public var createdAt: String
  /// Who asked, for people who wait in the queue: `user@host`.
  public var owner: String
  public var target: TargetPlan
  /// One side (`run`) or two (`compare`), base first.
  public var sides: [SidePlan]
  public var python: PythonPlan
  /// Requirements installed beside the target on every side, such as `pytest<9.2`.
  public var requirements: [String]
  public var layers: LayerPlans
  /// Seeds every random choice of the job, so that a run can be followed step by step.
  public var seed: UInt64
  /// When a comparison has measured enough; without it each layer measures all of its blocks.
  public var stopping: StoppingPlan?
  /// Whether blocks measured while something else used the machine are discarded and measured again; so they are unless
  /// this says no.
  public var setsAsideDisturbed: Bool?
  public var limits: JobLimits
  /// Whether the benchmark host tunes the machine for the job; `nil` means no.
  public var tune: Bool?
  /// What the job is about, such as `codeflash perf/x`: a newer job of the same branch may take the place of one that waits.
  public var branch: String?
  /// Of what a comparison makes profiles; `nil` means of everything.
  public var profiles: ProfileRule?
  /// Names of the secret values that the job's layers may get, such as `CODEFLASH_API_KEY`; the values stand in no file. One
  /// that is not named here reaches nobody.
  public var secrets: [String]?

  public init(
    id: JobID, createdAt: String, owner: String, target: TargetPlan, sides: [SidePlan], python: PythonPlan,
    requirements: [String], layers: LayerPlans, seed: UInt64, stopping: StoppingPlan? = nil,
    setsAsideDisturbed: Bool? = nil, limits: JobLimits,
    tune: Bool? = nil, branch: String? = nil, secrets: [String]? = nil, profiles: ProfileRule? = nil
  ) {
    self.profiles = profiles
    self.branch = branch
    self.secrets = secrets
    self.id = id
    self.createdAt = createdAt
    self.owner = owner
    self.target = target
    self.sides = sides
    self.python = python
    self.requirements = requirements
    self.layers = layers
    self.seed = seed
    self.stopping = stopping
    self.setsAsideDisturbed = setsAsideDisturbed
    self.limits = limits
    self.tune = tune
  }
}

/// Of what a comparison makes profiles (of functions, of memory by line), each in a pass of its own that is not measured. A run
/// of one revision makes them of everything but for ``never``.
public enum ProfileRule: String, Codable, CaseIterable, Sendable {
  /// Of what moved, or is open and a tenth apart.
  case moved
  case always
  case never
}

/// What is measured: a Python distribution.
public struct TargetPlan: Codable, Equatable, Sendable {
  /// The distribution's name on the package index, such as `codeflash`.
  public var package: String
  /// The module whose import is timed and taken apart, such as `codeflash`.
  public var importName: String

  public init(package: String, importName: String) {
    self.package = package
    self.importName = importName
  }
}

/// Which interpreters to use.
public struct PythonPlan: Codable, Equatable, Sendable {
  /// Versions as uv understands them (`3.12`), or absolute paths of interpreters.
  public var versions: [String]
  /// Whether the system's own `python3` may stand in for a version that can't be had. Said in the results when it does.
  public var fallbackToSystem: Bool

  public init(versions: [String], fallbackToSystem: Bool) {
    self.versions = versions
    self.fallbackToSystem = fallbackToSystem
  }
}

/// When a metric is decided, and how long may be measured for it.
public struct StoppingPlan: Codable, Equatable, Sendable {
  /// The chance, over all metrics of the run together, of calling identical code different.
  public var alpha: Double
  /// The smallest relative difference that counts.
  public var delta: Double
  /// For how long may be measured in all, in seconds; preparing the sides is not counted.
  public var budgetSeconds: Double
  /// From which orders each block's is drawn; `nil`, as in manifests of before, for ``BlockDesign/mirrored``.
  public var design: BlockDesign?
  /// The metrics that matter most: they have most of ``alpha``, and are measured first. `nil` for all alike.
  public var headline: [String]?
  /// Where another difference counts than ``delta``; `nil` for nowhere.
  public var deltas: [MetricDelta]?

  public init(
    alpha: Double, delta: Double, budgetSeconds: Double, design: BlockDesign? = nil, headline: [String]? = nil,
    deltas: [MetricDelta]? = nil
  ) {
    self.design = design
    self.deltas = deltas
    self.headline = headline
    self.alpha = alpha
    self.delta = delta
    self.budgetSeconds = budgetSeconds
  }
}

/// The smallest relative difference that counts of some metrics.
public struct MetricDelta: Codable, Equatable, Sendable {
  /// A metric's name, a beginning of names that ends in `*`, or a layer.
  public var of: String
  /// Such as 0.05.
  public var delta: Double

  public init(of name: String, delta: Double) {
    of = name
    self.delta = delta
  }
}

extension [MetricDelta] {
  /// What counts of a metric: by its name, else by the longest beginning, else by its layer; `nil` where none is about it.
  public func delta(of metric: String, in layer: LayerName?) -> Double? {
    if let exact = first(where: { $0.of == metric }) { return exact.delta }
    let beginnings = filter { $0.of.hasSuffix("*") && metric.hasPrefix($0.of.dropLast()) }
    if let longest = beginnings.max(by: { $0.of.count < $1.of.count }) { return longest.delta }
    return layer.flatMap { layer in first { $0.of == layer.rawValue }?.delta }
  }
}

/// From which orders that of a block is drawn, each as likely as the others.
public enum BlockDesign: String, Codable, CaseIterable, Sendable {
  /// `A B B A` and `B A A B`: what drifts evenly cancels in each block.
  case mirrored
  /// All orders that give each side the same number of places: six of two and two. A block of them says more.
  case balanced
}

/// Everything that waits has a limit. All in seconds.
public struct JobLimits: Codable, Equatable, Sendable {
  /// How long the job may wait for the machine.
  public var queueSeconds: Double
  /// How long one step of preparing a side (fetch, resolve, install) may take.
  public var setupSeconds: Double
  /// How long the whole job may take once it has the machine.
  public var totalSeconds: Double

  public init(queueSeconds: Double = 7200, setupSeconds: Double = 600, totalSeconds: Double = 7200) {
    self.queueSeconds = queueSeconds
    self.setupSeconds = setupSeconds
    self.totalSeconds = totalSeconds
  }
}
