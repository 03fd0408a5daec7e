/// The runner is up.
public struct Started: Codable, Equatable, Sendable {
  public var job: JobID
  public var agentVersion: String
  /// SHA-256 of the binary that runs the job, computed from the file.
  public var agentSHA256: String
  /// Process id of the runner.
  public var pid: Int32
  /// The module whose own code is told apart from that of others, such as `codeflash`.
  public var importName: String?
  /// Its distribution, such as `codeflash`.
  public var package: String?
  /// For how long may be measured, in seconds; `nil` where the blocks are fixed.
  public var budgetSeconds: Double?
  /// The kernel's name for this boot of the machine (`/proc/sys/kernel/random/boot_id`).
  public var bootID: String?
  /// The metrics that matter most; `nil` where all are alike.
  public var headline: [String]?
  /// Where another difference counts than elsewhere; `nil` for nowhere.
  public var deltas: [MetricDelta]?
  /// Whether the base is measured a second time; `nil` in results of before, where samples of it tell.
  public var hasCopyArm: Bool?
  public init(
    job: JobID, agentVersion: String, agentSHA256: String, pid: Int32, importName: String? = nil,
    budgetSeconds: Double? = nil, bootID: String? = nil, package: String? = nil, headline: [String]? = nil,
    deltas: [MetricDelta]? = nil, hasCopyArm: Bool? = nil
  ) {
    self.hasCopyArm = hasCopyArm
    self.headline = headline
    self.deltas = deltas
    self.package = package
    self.bootID = bootID
    self.budgetSeconds = budgetSeconds
    self.importName = importName
    self.job = job
    self.agentVersion = agentVersion
    self.agentSHA256 = agentSHA256
    self.pid = pid
  }
}

/// A new runner goes on with a job whose runner died: it was killed, or the machine went down.
public struct Resumed: Codable, Equatable, Sendable {
  public enum Reason: String, Codable, CaseIterable, Sendable {
    /// The runner was killed and the machine stayed up.
    case runnerKilled
    /// The machine was booted since.
    case rebooted
  }
  public var reason: Reason
  /// How many runners the job has had by now; 2 for the first that takes it over.
  public var attempt: Int
  /// This boot, as in ``Started/bootID``.
  public var bootID: String?
  /// SHA-256 of the binary that runs the job now.
  public var agentSHA256: String
  public init(reason: Reason, attempt: Int, bootID: String?, agentSHA256: String) {
    self.reason = reason
    self.attempt = attempt
    self.bootID = bootID
    self.agentSHA256 = agentSHA256
  }
}

/// What is kept of what was measured with an interpreter before its runner died. All else of that interpreter that
/// stands before this event is void: samples of blocks without their `blockFinished`, import trees, profiles, what was
/// skipped and what went wrong; all of that is done again.
public struct Continued: Codable, Equatable, Sendable {
  public var python: String
  /// Whether finished blocks are kept: when boot, agent and sides are the same; otherwise measuring starts anew.
  public var keepsBlocks: Bool
  /// Why they don't.
  public var why: String?
  public init(python: String, keepsBlocks: Bool, why: String? = nil) {
    self.python = python
    self.keepsBlocks = keepsBlocks
    self.why = why
  }
}

/// Other jobs come first on this host; this one waits. Told again whenever its place changes.
public struct Queued: Codable, Equatable, Sendable {
  /// Who holds the machine, as far as is known: `JOB of OWNER`.
  public var holder: String
  /// How many jobs come before this one, the one that measures included.
  public var ahead: Int?
  /// When this job's turn may come, RFC 3339 in UTC: from what those before it said they may take.
  public var expectedStart: String?
  public init(holder: String, ahead: Int? = nil, expectedStart: String? = nil) {
    self.holder = holder
    self.ahead = ahead
    self.expectedStart = expectedStart
  }
}

public struct Phase: Codable, Equatable, Sendable {
  /// What is being done, for a person: `installing codeflash==0.20.5 for Python 3.12`.
  public var text: String
  public var side: Side?
  public init(text: String, side: Side? = nil) {
    self.text = text
    self.side = side
  }
}

/// An environment is there and the target's commands can run in it.
public struct SideReady: Codable, Equatable, Sendable {
  public var side: Side
  public var label: String
  /// The Python asked for, such as `3.12`: the name of this environment in every later event.
  public var python: String
  /// The interpreter's own version, such as `3.12.3`.
  public var interpreterVersion: String
  /// Set when the asked interpreter could not be had and another one stands in; says why.
  public var interpreterNote: String?
  /// How the interpreter was built: implementation, compiler and what it was optimised with.
  public var interpreterBuild: String?
  /// The commit of a git revision.
  public var commit: String?
  /// The first line of its message.
  public var subject: String?
  /// What else a reader should know of the revision, such as `main at 0123456789ab, 3 commits behind its tip`.
  public var note: String?
  /// What this side is, in full: release, commit, or a digest of the folder. Equal on both sides: identical code.
  public var identity: String
  /// Installed distributions, `name==version`, sorted; the target's own included.
  public var distributions: [String]
  public var reused: Bool
  public var seconds: Double
  public init(
    side: Side, label: String, python: String, interpreterVersion: String, interpreterNote: String?,
    interpreterBuild: String? = nil, commit: String?, identity: String, distributions: [String], reused: Bool,
    seconds: Double, subject: String? = nil, note: String? = nil
  ) {
    self.subject = subject
    self.note = note
    self.interpreterBuild = interpreterBuild
    self.side = side
    self.label = label
    self.python = python
    self.interpreterVersion = interpreterVersion
    self.interpreterNote = interpreterNote
    self.commit = commit
    self.identity = identity
    self.distributions = distributions
    self.reused = reused
    self.seconds = seconds
  }
}

public struct LayerStarted: Codable, Equatable, Sendable {
  public var layer: LayerName
  public var python: String
  /// How many sample events will come if nothing fails: the m of "n of m".
  public var plannedSamples: Int
  public init(layer: LayerName, python: String, plannedSamples: Int) {
    self.layer = layer
    self.python = python
    self.plannedSamples = plannedSamples
  }
}

public struct LayerFinished: Codable, Equatable, Sendable {
  public var layer: LayerName
  public var python: String
  public var seconds: Double
  /// What it could measure when it began: each has a row, or a reason why not. `nil` in results of before.
  public var metrics: [String]?
  /// True where it ended since all blocks that it may have were measured.
  public var reachedMostBlocks: Bool?
  public init(
    layer: LayerName, python: String, seconds: Double, metrics: [String]? = nil, reachedMostBlocks: Bool? = nil
  ) {
    self.metrics = metrics
    self.reachedMostBlocks = reachedMostBlocks
    self.layer = layer
    self.python = python
    self.seconds = seconds
  }
}

/// What a value counts.
public enum MetricUnit: String, Codable, Sendable {
  case seconds = "s"
  case bytes = "B"
}

/// What the kernel counted for one process and the children that it waited for. See getrusage(2).
public struct ProcessUsage: Codable, Equatable, Sendable {
  /// Peak resident set, in bytes.
  public var peakBytes: Int
  /// Page faults without and with reading from a disk.
  public var minorFaults: Int
  public var majorFaults: Int
  /// Times that it gave the CPU away, and that it was taken away.
  public var voluntarySwitches: Int
  public var involuntarySwitches: Int
  public init(
    peakBytes: Int, minorFaults: Int, majorFaults: Int, voluntarySwitches: Int, involuntarySwitches: Int
  ) {
    self.peakBytes = peakBytes
    self.minorFaults = minorFaults
    self.majorFaults = majorFaults
    self.voluntarySwitches = voluntarySwitches
    self.involuntarySwitches = involuntarySwitches
  }
}

/// One measured value: a fresh process at one position of one block.
public struct Sample: Codable, Equatable, Sendable {
  public var layer: LayerName
  /// The metric's name, such as `codeflash --version` or `micro: parse markdown code`.
  public var metric: String
  public var python: String
  public var side: Side
  /// Blocks count from 0; a block holds each side the same number of times.
  public var block: Int
  /// Place in the block's order, from 0.
  public var position: Int
  /// In ``unit``. Seconds of the whole process in layers 1 and 3, of one call in layer 2; a peak in bytes in layer 4.
  public var value: Double
  public var unit: MetricUnit
  /// CPU time in user mode of a process of layer 1 or 3 and its children, in seconds.
  public var userSeconds: Double?
  /// CPU time in the kernel of a process of layer 1 or 3 and its children, in seconds.
  public var systemSeconds: Double?
  public var exitCode: Int32?
  /// Calls in the loop behind a layer 2 value.
  public var loops: Int?
  public var isControl: Bool
  /// True for a value of the base's second installation: of the control arm, not of ``side``.
  public var isCopy: Bool?
  /// What the kernel counted for the process, where the agent started it itself.
  public var usage: ProcessUsage?
  public init(
    layer: LayerName, metric: String, python: String, arm: Arm, block: Int, position: Int, value: Double,
    unit: MetricUnit = .seconds, userSeconds: Double? = nil, systemSeconds: Double? = nil, exitCode: Int32? = nil,
    loops: Int? = nil, isControl: Bool = false, usage: ProcessUsage? = nil
  ) {
    isCopy = arm == .copy ? true : nil
    side = arm.side
    self.usage = usage
    self.layer = layer
    self.metric = metric
    self.python = python
    self.block = block
    self.position = position
    self.value = value
    self.unit = unit
    self.userSeconds = userSeconds
    self.systemSeconds = systemSeconds
    self.exitCode = exitCode
    self.loops = loops
    self.isControl = isControl
  }
}

/// A metric that a side does not have, with the reason: never silently absent.
public struct Skipped: Codable, Equatable, Sendable {
  public var layer: LayerName
  public var metric: String
  public var python: String
  /// The side that can't; `nil` when neither can.
  public var side: Side?
  public var reason: String
  /// Of what the budget had no time for: what it takes, in seconds.
  public var secondsNeeded: Double?
  public init(
    layer: LayerName, metric: String, python: String, side: Side?, reason: String, secondsNeeded: Double? = nil
  ) {
    self.secondsNeeded = secondsNeeded
    self.layer = layer
    self.metric = metric
    self.python = python
    self.side = side
    self.reason = reason
  }
}

public struct Trouble: Codable, Equatable, Sendable {
  public var layer: LayerName?
  public var metric: String?
  public var python: String?
  public var side: Side?
  public var problem: Problem
  public init(
    layer: LayerName? = nil, metric: String? = nil, python: String? = nil, side: Side? = nil, problem: Problem
  ) {
    self.layer = layer
    self.metric = metric
    self.python = python
    self.side = side
    self.problem = problem
  }
}

/// The last event of every job that could still speak.
public struct Finished: Codable, Equatable, Sendable {
  public enum Outcome: String, Codable, Sendable {
    /// Everything planned has a result or a stated reason (`skipped`).
    case done
    /// Part of it has no result: see the `trouble` events.
    case partial
    /// Nothing could be measured.
    case failed
    case cancelled
  }
  public var outcome: Outcome
  /// Why, when it failed.
  public var problem: Problem?
  public var seconds: Double
  public init(outcome: Outcome, problem: Problem? = nil, seconds: Double) {
    self.outcome = outcome
    self.problem = problem
    self.seconds = seconds
  }
}
