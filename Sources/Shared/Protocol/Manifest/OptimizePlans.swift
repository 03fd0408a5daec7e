/// How codeflash is run on a project: what layers 3 and 4 share.
public struct CodeflashRunPlan: Codable, Equatable, Sendable {
  /// Where codeflash's service has its answers from.
  public enum Answers: String, Codable, CaseIterable, Sendable {
    /// A local stand-in plays recorded answers; nothing reaches the outside.
    case replay
    /// The real service, through the same local stand-in.
    case live
  }

  /// How long a run took, as a metric.
  public static let timeMetric = "Full optimize run"
  /// The highest memory of its whole tree of processes, as a metric.
  public static let memoryMetric = "Peak memory"

  /// The project: a tar archive that was uploaded before, with `opportunities.json` and `recordings/` at its top.
  public var project: UploadID
  public var answers: Answers
  /// Where the real service is, for ``Answers/live``: scheme and host, such as `https://app.codeflash.ai`.
  public var liveAddress: String
  /// For how long codeflash times one candidate, in seconds (its `CODEFLASH_LOOPING_TIME`).
  public var loopingSeconds: Double
  /// How long codeflash may take for one function, in seconds.
  public var timeoutSeconds: Double

  public init(
    project: UploadID, answers: Answers = .replay, liveAddress: String = "https://app.codeflash.ai",
    loopingSeconds: Double = 0.5, timeoutSeconds: Double = 180
  ) {
    self.project = project
    self.answers = answers
    self.liveAddress = liveAddress
    self.loopingSeconds = loopingSeconds
    self.timeoutSeconds = timeoutSeconds
  }
}

/// How much of the project a run works on.
public enum OptimizeForm: String, Codable, CaseIterable, Sendable {
  /// The one function that the project names for it.
  case quick
  /// Every listed function.
  case full
  /// Full when a block of it fits the budget, quick otherwise.
  case auto
}

/// Whether each side runs once over all functions of the project for what it finds.
public enum FindingsRule: String, Codable, CaseIterable, Sendable {
  /// Where a comparison's budget has the time left when all else is measured.
  case auto
  /// The head alone, where there is time left.
  case head
  case always
  case never
}

/// Layer 3: codeflash at work, both sides in one block, each run on a fresh copy of the project.
public struct OptimizePlan: Codable, Equatable, Sendable {
  public var run: CodeflashRunPlan
  public var form: OptimizeForm
  /// What ``OptimizeForm/auto`` has for a block of both sides, in seconds.
  public var budgetSeconds: Double
  /// Blocks; a block has two runs a side.
  public var blocks: Int
  /// Whether the answers of a live service are kept and sent back as recordings.
  public var keepsRecordings: Bool
  /// Whether each side runs once over all functions for what it finds; `nil` means never.
  public var findings: FindingsRule?

  public init(
    run: CodeflashRunPlan, form: OptimizeForm, budgetSeconds: Double, blocks: Int, keepsRecordings: Bool = false,
    findings: FindingsRule? = nil
  ) {
    self.findings = findings
    self.run = run
    self.form = form
    self.budgetSeconds = budgetSeconds
    self.blocks = blocks
    self.keepsRecordings = keepsRecordings
  }
}

/// Layer 4: the peak memory of commands and of codeflash at work, and which lines hold it.
public struct MemoryPlan: Codable, Equatable, Sendable {
  /// `nil` for a target other than codeflash: then commands are all there is.
  public var run: CodeflashRunPlan?
  /// Commands whose peak is taken, each as one process.
  public var commands: [StartupCommand]
  /// Blocks; a block has two runs of each command a side.
  public var blocks: Int
  /// Whether the blocks hold a run of codeflash too; not needed where layer 3 has such runs, whose memory is looked at
  /// there.
  public var measuresRun: Bool
  /// How many lines and modules of a profile are kept.
  public var top: Int
  /// How long one run of a command may take, in seconds; that of a run of codeflash if nil.
  public var timeoutSeconds: Double?

  public init(
    run: CodeflashRunPlan?, commands: [StartupCommand], blocks: Int, measuresRun: Bool, top: Int,
    timeoutSeconds: Double? = nil
  ) {
    self.timeoutSeconds = timeoutSeconds
    self.run = run
    self.commands = commands
    self.blocks = blocks
    self.measuresRun = measuresRun
    self.top = top
  }
}
