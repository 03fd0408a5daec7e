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
  public var host: HostWitness?
  /// Seconds the job took at the far end.
  public var seconds: Double
  public var method: Method
  public var troubles: [Trouble]
  public var skipped: [Skipped]

  public init(
    base: Revision, head: Revision, verdict: RunVerdict, identical: Bool, complete: Bool, metrics: [Metric],
    controls: [Metric], findings: [FindingComparison] = [], memoryLines: [MemoryLineChange] = [], host: HostWitness?,
    seconds: Double, method: Method, troubles: [Trouble], skipped: [Skipped]
  ) {
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
    public init(label: String, commit: String?, identity: String?) {
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
    public init(name: String, alpha: Double, delta: Double) {
      self.name = name
      self.alpha = alpha
      self.delta = delta
    }
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
    public var verdict: RunVerdict
    public var blocks: Int
    public init(
      name: String, layer: LayerName, python: String, unit: String, base: Double, head: Double, ratio: Double,
      low: Double?, high: Double?, verdict: RunVerdict, blocks: Int
    ) {
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
