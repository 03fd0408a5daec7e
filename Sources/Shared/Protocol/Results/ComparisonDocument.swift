/// `comparison.json`, and what `compare --json` prints. Schema: `docs/schemas/comparison.schema.json`.
public struct ComparisonDocument: Codable, Equatable, Sendable {
  public var schema: Int = 1
  public var base: Revision
  public var head: Revision
  /// The worst of the metrics' verdicts, or `void` when a control moved.
  public var verdict: RunVerdict
  /// Both sides are the same code: any difference is noise.
  public var identical: Bool
  /// Whether everything that was planned has a result.
  public var complete: Bool
  public var metrics: [Metric]
  public var controls: [Metric]
  /// What codeflash found on both sides, one a Python.
  public var findings: [FindingComparison]
  /// Lines that hold another amount of memory, the largest growth first.
  public var memoryLines: [MemoryLineChange]
  public var host: HostInfo?
  /// The same machine after the last block; `nil` when the job did not get so far.
  public var hostAfter: HostInfo?
  /// What the measuring time went into, one entry a layer and Python.
  public var spending: Spending
  /// Seconds the job took on the benchmark host.
  public var seconds: Double
  public var method: Method
  public var troubles: [Trouble]
  public var skipped: [Skipped]
  /// Where each metric with blocks would have stopped; `nil` where nobody asked.
  public var replay: [Replay]?
  /// What the machine cost; `nil` for one that was not rented for it.
  public var cost: RunCost?
  /// What of the harness's settings was in force, a side and Python each; `nil` where none was recorded.
  public var effectiveSettings: [EffectiveSettings]?
  /// What it would take to decide what is open; `nil` where nothing is, or no time in sight would.
  public var forecast: Forecast?

  public init(
    base: Revision, head: Revision, verdict: RunVerdict, identical: Bool, complete: Bool, metrics: [Metric],
    controls: [Metric], findings: [FindingComparison] = [], memoryLines: [MemoryLineChange] = [], host: HostInfo?,
    hostAfter: HostInfo? = nil, spending: Spending, seconds: Double, method: Method, troubles: [Trouble],
    skipped: [Skipped], replay: [Replay]? = nil, cost: RunCost? = nil, effectiveSettings: [EffectiveSettings]? = nil,
    forecast: Forecast? = nil
  ) {
    self.effectiveSettings = effectiveSettings
    self.forecast = forecast
    self.cost = cost
    self.replay = replay
    self.base = base
    self.head = head
    self.verdict = verdict
    self.identical = identical
    self.complete = complete
    self.metrics = metrics
    self.controls = controls
    self.findings = findings
    self.memoryLines = memoryLines
    self.host = host
    self.hostAfter = hostAfter
    self.spending = spending
    self.seconds = seconds
    self.method = method
    self.troubles = troubles
    self.skipped = skipped
  }

  public enum RunVerdict: String, Codable, Sendable {
    case regressed, improved, equivalent, undecided, void
  }

  public struct Revision: Codable, Equatable, Sendable {
    public var label: String
    public var commit: String?
    public var identity: String?
    /// The first line of the commit's message.
    public var subject: String?
    /// What else is to be known of it, such as `main at 0123456789ab, 3 commits behind its tip`.
    public var note: String?
    public init(label: String, commit: String?, identity: String?, subject: String? = nil, note: String? = nil) {
      self.subject = subject
      self.note = note
      self.label = label
      self.commit = commit
      self.identity = identity
    }
  }

  /// How the verdicts were reached.
  public struct Method: Codable, Equatable, Sendable {
    public var name: String
    /// The chance, over all metrics of the run together, of calling identical code different.
    public var alpha: Double
    /// The smallest relative difference that counts.
    public var delta: Double
    /// `holm`: alpha is shared among the metrics; `none`: each metric has the whole of it.
    public var correction: String
    /// What weakens the verdicts, in words; empty for samples of randomised blocks.
    public var caveats: [String]
    /// From which orders the blocks' were drawn; `nil` where there are none, or several designs.
    public var design: BlockDesign?
    public init(
      name: String, alpha: Double, delta: Double, correction: String = "holm", caveats: [String] = [],
      design: BlockDesign? = nil
    ) {
      self.design = design
      self.name = name
      self.alpha = alpha
      self.delta = delta
      self.correction = correction
      self.caveats = caveats
    }
  }

  /// What the measuring time went into.
  public struct Spending: Codable, Equatable, Sendable {
    /// The budget, in seconds; `nil` where the blocks were fixed.
    public var budgetSeconds: Double?
    public var layers: [Layer]
    public init(budgetSeconds: Double? = nil, layers: [Layer] = []) {
      self.budgetSeconds = budgetSeconds
      self.layers = layers
    }

    public struct Layer: Codable, Equatable, Sendable {
      public var layer: LayerName
      public var python: String
      public var blocks: Int
      /// Blocks among them that were discarded because the machine was disturbed.
      public var setAside: Int
      /// Seconds that the blocks took.
      public var blockSeconds: Double
      /// Seconds that everything else of the layer took: warming up, import trees, profiles; `nil` while it runs.
      public var otherSeconds: Double?
      public init(
        layer: LayerName, python: String, blocks: Int, setAside: Int, blockSeconds: Double, otherSeconds: Double?
      ) {
        self.layer = layer
        self.python = python
        self.blocks = blocks
        self.setAside = setAside
        self.blockSeconds = blockSeconds
        self.otherSeconds = otherSeconds
      }
    }
  }

  /// After how many blocks a metric would have stopped, had it been looked at after each.
  public struct Replay: Codable, Equatable, Sendable {
    public var name: String
    public var layer: LayerName
    public var python: String
    /// The block at which it was decided; all of them for `undecided`.
    public var blocks: Int
    public var verdict: RunVerdict
    public init(name: String, layer: LayerName, python: String, blocks: Int, verdict: RunVerdict) {
      self.name = name
      self.layer = layer
      self.python = python
      self.blocks = blocks
      self.verdict = verdict
    }
  }

  /// What it would take to decide what is open: going by the evidence so far, so a rough number.
  public struct Forecast: Codable, Equatable, Sendable {
    /// For how much longer would have to be measured, in seconds.
    public var seconds: Double
    /// What may then be decided: the open metrics that matter most, or all open ones where none of those is.
    public var metrics: [String]
    /// The option that gives a run so much time, such as `--budget 13`.
    public var option: String
    public init(seconds: Double, metrics: [String], option: String) {
      self.seconds = seconds
      self.metrics = metrics
      self.option = option
    }
  }

  public enum Control: String, Codable, Sendable {
    /// A command that can't differ between the sides.
    case command
    /// The base's second installation in the place of the head.
    case copy
  }

  public struct Metric: Codable, Equatable, Sendable {
    public var name: String
    public var layer: LayerName
    public var python: String
    /// `s`: seconds; `B`: bytes.
    public var unit: String
    /// Median of the base's samples, in `unit`.
    public var base: Double
    /// Median of the head's samples, in `unit`.
    public var head: Double
    /// Head over base, from blocks; below 1 is faster.
    public var ratio: Double
    /// Lower end of the ratio's interval; `nil` when there are too few blocks for one.
    public var low: Double?
    public var high: Double?
    /// The level of the interval, such as 0.99; holds however often was looked.
    public var level: Double?
    public var verdict: RunVerdict
    /// True where a difference is proven, of whatever size: one that is estimated to be within delta is `undecided` or `equivalent`.
    public var proven: Bool?
    /// Blocks that count; of `unpaired` samples those of the side with fewer.
    public var blocks: Int
    /// Blocks that were discarded because the machine was disturbed.
    public var setAside: Int
    /// The smallest relative difference that these blocks could have shown; `nil` where none could.
    public var resolution: Double?
    /// By how much the base differed from its own second installation in this run; `nil` where that was not measured.
    public var floor: Double?
    /// What kind of a control it is; `nil` for what the verdicts are about.
    public var control: Control?
    /// For how much longer may have to be measured to decide an open metric, in seconds, going by the evidence so far;
    /// `nil` for a decided one, and where that is out of sight.
    public var secondsNeeded: Double?
    /// True where no block pairs the sides' samples: see the caveats. `nil` otherwise.
    public var unpaired: Bool?
    /// Why this metric has no verdict whatever its values say; `nil` where it has one. The metric is then `undecided`.
    public var withheld: String?
    /// True for a row that is shown and decides nothing: it has no share of the error, and no part in the run's verdict.
    public var informative: Bool?
    /// What else is to be known of the row, such as `1 of 12 functions`.
    public var note: String?
    /// True for one of the metrics that matter most: they share most of alpha.
    public var headline: Bool?
    /// The smallest relative difference that counts of this metric, where that is not the run's.
    public var delta: Double?
    /// CPU seconds of the same runs; `nil` where they were not told.
    public var cpu: CPU?

    /// User and system time of a run's whole process tree on both sides. No verdict rests on it.
    public struct CPU: Codable, Equatable, Sendable {
      /// Medians, in seconds.
      public var base: Double
      public var head: Double
      /// Head over base, from blocks.
      public var ratio: Double
      /// Ends of the ratio's interval, of this one by itself at 95 %; `nil` where there are too few blocks for one.
      public var low: Double?
      public var high: Double?
      public init(base: Double, head: Double, ratio: Double, low: Double?, high: Double?) {
        self.base = base
        self.head = head
        self.ratio = ratio
        self.low = low
        self.high = high
      }
    }

    public init(
      name: String, layer: LayerName, python: String, unit: String, base: Double, head: Double, ratio: Double,
      low: Double?, high: Double?, level: Double? = nil, verdict: RunVerdict, proven: Bool? = nil, blocks: Int,
      setAside: Int = 0,
      resolution: Double? = nil, floor: Double? = nil, control: Control? = nil, secondsNeeded: Double? = nil,
      unpaired: Bool? = nil, withheld: String? = nil, informative: Bool? = nil,
      note: String? = nil, headline: Bool? = nil, delta: Double? = nil, cpu: CPU? = nil
    ) {
      self.delta = delta
      self.cpu = cpu
      self.proven = proven
      self.headline = headline
      self.note = note
      self.informative = informative
      self.withheld = withheld
      self.unpaired = unpaired
      self.control = control
      self.level = level
      self.setAside = setAside
      self.resolution = resolution
      self.floor = floor
      self.secondsNeeded = secondsNeeded
      self.name = name
      self.layer = layer
      self.python = python
      self.unit = unit
      self.base = base
      self.head = head
      self.ratio = ratio
      self.low = low
      self.high = high
      self.verdict = verdict
      self.blocks = blocks
    }
  }
}
