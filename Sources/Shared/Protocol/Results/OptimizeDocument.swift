/// `optimize.json`: layer 3 of one side. Schema: `docs/schemas/optimize.schema.json`.
public struct OptimizeDocument: Codable, Equatable, Sendable {
  public var schema: Int = 1
  public var revision: String
  /// One a Python.
  public var results: [Result]
  /// What could not be had, and why.
  public var skipped: [Skipped]

  public init(revision: String, results: [Result], skipped: [Skipped]) {
    self.revision = revision
    self.results = results
    self.skipped = skipped
  }

  public struct Result: Codable, Equatable, Sendable {
    public var python: String
    public var form: OptimizeForm
    /// How the outside was kept out: `network namespace`, `refused proxies`, or `open` for live runs.
    public var network: String
    /// Wall clock of each counted run, in seconds, in the order measured; runs in which something was broken don't count.
    public var seconds: [Double]
    public var medianSeconds: Double?
    /// CPU seconds of each counted run.
    public var cpuSeconds: [Double]
    /// Of the run with the highest peak.
    public var memory: TreeMemory
    /// Over the functions below.
    public var findings: FindingCount
    public var recall: Double?
    public var precision: Double?
    /// Whether every run came to the same for each function.
    public var isStable: Bool
    public var functions: [FunctionFinding]
    /// Where a rehearsal's time went, by the sampling profiler.
    public var phases: ProfiledPhases?
    /// Every run as it was told, rehearsals too.
    public var runs: [OptimizeRun]

    public init(
      python: String, form: OptimizeForm, network: String, seconds: [Double], medianSeconds: Double?,
      cpuSeconds: [Double], memory: TreeMemory, findings: FindingCount, isStable: Bool, functions: [FunctionFinding],
      phases: ProfiledPhases?, runs: [OptimizeRun]
    ) {
      self.python = python
      self.form = form
      self.network = network
      self.seconds = seconds
      self.medianSeconds = medianSeconds
      self.cpuSeconds = cpuSeconds
      self.memory = memory
      self.findings = findings
      recall = findings.recall
      precision = findings.precision
      self.isStable = isStable
      self.functions = functions
      self.phases = phases
      self.runs = runs
    }
  }
}

/// What all runs of a side came to for one function.
public struct FunctionFinding: Codable, Equatable, Sendable {
  public var function: String
  public var kind: FunctionRun.Kind
  /// What every run came to, or of different ones the worst.
  public var finding: FunctionRun.Finding
  /// How often each finding came up.
  public var counts: [String: Int]
  public var reason: String?
  public var candidate: String?
  /// Medians over the runs that accepted something.
  public var claimedSpeedup: Double?
  public var measuredSpeedup: Double?
  public var leastSpeedup: Double?
  /// Median wall clock, in seconds.
  public var medianSeconds: Double
  /// Median of each part of a run, by what was asked of the service when.
  public var phases: [RunPhase]

  public init(
    function: String, kind: FunctionRun.Kind, finding: FunctionRun.Finding, counts: [String: Int], reason: String?,
    candidate: String?, claimedSpeedup: Double?, measuredSpeedup: Double?, leastSpeedup: Double?,
    medianSeconds: Double, phases: [RunPhase]
  ) {
    self.function = function
    self.kind = kind
    self.finding = finding
    self.counts = counts
    self.reason = reason
    self.candidate = candidate
    self.claimedSpeedup = claimedSpeedup
    self.measuredSpeedup = measuredSpeedup
    self.leastSpeedup = leastSpeedup
    self.medianSeconds = medianSeconds
    self.phases = phases
  }
}

/// The findings of both sides with one Python.
public struct FindingComparison: Codable, Equatable, Sendable {
  public var python: String
  public var form: OptimizeForm
  public var base: FindingCount
  public var head: FindingCount
  /// `regressed` when the head lost something that every run of the base found, or accepts what it should not;
  /// `improved` the other way round; `undecided` where a side is broken or its runs disagree.
  public var verdict: ComparisonDocument.RunVerdict
  public var functions: [Pair]

  public init(
    python: String, form: OptimizeForm, base: FindingCount, head: FindingCount,
    verdict: ComparisonDocument.RunVerdict, functions: [Pair]
  ) {
    self.python = python
    self.form = form
    self.base = base
    self.head = head
    self.verdict = verdict
    self.functions = functions
  }

  public struct Pair: Codable, Equatable, Sendable {
    public var base: FunctionFinding
    public var head: FunctionFinding
    public init(base: FunctionFinding, head: FunctionFinding) {
      self.base = base
      self.head = head
    }
  }
}
