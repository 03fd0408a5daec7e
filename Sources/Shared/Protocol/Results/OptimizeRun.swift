/// One run of codeflash over the project's functions: one position of a block of layer 3.
public struct OptimizeRun: Codable, Equatable, Sendable {
  public enum Purpose: String, Codable, Sendable {
    /// Counted: one position of a block.
    case measured
    /// First of its side, under the sampling profiler; its times are not counted.
    case rehearsal
    /// Once a side over all functions of the project, for what is found; its times are not counted.
    case findings
  }
  public var purpose: Purpose
  public var python: String
  public var side: Side
  /// 0 for a rehearsal.
  public var block: Int
  public var position: Int
  public var form: OptimizeForm
  /// Wall clock of all functions' runs together, in seconds.
  public var seconds: Double
  /// CPU time of all processes that were waited for, in user mode and in the kernel, in seconds.
  public var cpuSeconds: Double
  /// The highest that any of the functions' runs reached.
  public var memory: TreeMemory
  /// How the outside was kept out: `network namespace`, `refused proxies`, or `open` for a live run.
  public var network: String
  public var functions: [FunctionRun]
  /// How many functions the project lists; `nil` in results of before.
  public var listed: Int?

  public init(
    purpose: Purpose, python: String, side: Side, block: Int, position: Int, form: OptimizeForm, seconds: Double,
    cpuSeconds: Double, memory: TreeMemory, network: String, functions: [FunctionRun], listed: Int? = nil
  ) {
    self.listed = listed
    self.purpose = purpose
    self.python = python
    self.side = side
    self.block = block
    self.position = position
    self.form = form
    self.seconds = seconds
    self.cpuSeconds = cpuSeconds
    self.memory = memory
    self.network = network
    self.functions = functions
  }
}

/// The memory of a process tree, looked at several times a second.
public struct TreeMemory: Codable, Equatable, Sendable {
  /// Peak of the proportional set sizes of all processes at one moment, in bytes: what the tree needs, shared pages once.
  public var peakPSSBytes: Int
  /// Peak of the resident set sizes of all processes at one moment, in bytes.
  public var peakRSSBytes: Int
  /// The largest high-water mark (`VmHWM`) of a single process, in bytes.
  public var largestProcessBytes: Int
  /// Different processes that were seen.
  public var processes: Int
  /// How often was looked.
  public var looks: Int
  /// CPU time that the looking took, in seconds.
  public var costSeconds: Double

  public init(
    peakPSSBytes: Int = 0, peakRSSBytes: Int = 0, largestProcessBytes: Int = 0, processes: Int = 0, looks: Int = 0,
    costSeconds: Double = 0
  ) {
    self.peakPSSBytes = peakPSSBytes
    self.peakRSSBytes = peakRSSBytes
    self.largestProcessBytes = largestProcessBytes
    self.processes = processes
    self.looks = looks
    self.costSeconds = costSeconds
  }
}

/// What codeflash made of one function.
public struct FunctionRun: Codable, Equatable, Sendable {
  public enum Kind: String, Codable, Sendable {
    /// Something is to be found.
    case opportunity
    /// What is offered must be turned down: it is wrong, or not faster.
    case trap
    /// Nothing is to be found.
    case control
  }
  public enum Finding: String, Codable, Sendable {
    /// A candidate was accepted, and by our own measurement it is faster by at least what the project asks for.
    case found
    /// A trap or control that was turned down.
    case rejectedRightly
    /// An opportunity that codeflash looked at in full and did not take, or took with less than what counts.
    case missed
    /// A trap or control that was accepted, or accepted code that is no faster by our measurement or answers otherwise.
    case acceptedWrongly
    /// Codeflash could not do its work: says nothing of what it would have found.
    case broken
  }
  /// `package.module:qualified.name`.
  public var function: String
  public var kind: Kind
  public var finding: Finding
  /// Why it is broken, missed or accepted wrongly.
  public var reason: String?
  public var seconds: Double
  /// How many times as fast as before, by codeflash's own measurement.
  public var claimedSpeedup: Double?
  /// The same by ours, on the project's own work for this function: best of several fresh processes each.
  public var measuredSpeedup: Double?
  /// The least that counts.
  public var leastSpeedup: Double?
  /// The accepted candidate's name in the recordings.
  public var candidate: String?
  public var phases: [RunPhase]

  public init(
    function: String, kind: Kind, finding: Finding, reason: String? = nil, seconds: Double,
    claimedSpeedup: Double? = nil, measuredSpeedup: Double? = nil, leastSpeedup: Double? = nil,
    candidate: String? = nil, phases: [RunPhase] = []
  ) {
    self.function = function
    self.kind = kind
    self.finding = finding
    self.reason = reason
    self.seconds = seconds
    self.claimedSpeedup = claimedSpeedup
    self.measuredSpeedup = measuredSpeedup
    self.leastSpeedup = leastSpeedup
    self.candidate = candidate
    self.phases = phases
  }
}

/// A part of a run with its time.
public struct RunPhase: Codable, Equatable, Sendable {
  /// Such as `discovery`; `docs/replay.md` says what each is.
  public var name: String
  public var seconds: Double
  public init(name: String, seconds: Double) {
    self.name = name
    self.seconds = seconds
  }
}

/// Where a rehearsal's time went, by the sampling profiler.
public struct ProfiledPhases: Codable, Equatable, Sendable {
  public var python: String
  public var side: Side
  public var tool: String
  public var phases: [RunPhase]
  public init(python: String, side: Side, tool: String, phases: [RunPhase]) {
    self.python = python
    self.side = side
    self.tool = tool
    self.phases = phases
  }
}

/// A recording that a live run made: the content of one file of `recordings/`.
public struct Recording: Codable, Equatable, Sendable {
  /// `package.module:qualified.name`.
  public var function: String
  /// JSON text, as it is to stand in the file.
  public var content: String
  public init(function: String, content: String) {
    self.function = function
    self.content = content
  }
}
