/// The jobs that an agent keeps, the newest last.
public struct JobsReply: Codable, Equatable, Sendable {
  public var jobs: [JobSummary]
  public init(jobs: [JobSummary]) { self.jobs = jobs }
}

/// What a person needs to know of a job to attach to it or to cancel it.
public struct JobSummary: Codable, Equatable, Sendable {
  public enum State: String, Codable, Sendable {
    /// Its runner waits for the machine.
    case waiting
    /// Its runner has the machine.
    case measuring
    /// The journal has the last word.
    case finished
    /// It has no runner and no last word: whoever attaches has it go on.
    case lost
  }
  public var job: JobID
  public var owner: String
  /// When the controller made it, RFC 3339 in UTC.
  public var createdAt: String
  public var state: State
  /// How it ended.
  public var outcome: Finished.Outcome?
  /// What it compares: the base's name, where it has one, and the head's.
  public var labels: [String]
  /// As in ``JobManifest/branch``.
  public var branch: String?
  /// How many jobs come before it, when it waits.
  public var ahead: Int?
  /// When its turn may come, RFC 3339 in UTC.
  public var expectedStart: String?
  /// The number of the journal's last event, and the journal's size in bytes.
  public var events: Int
  public var bytes: Int
  /// When a metric of it is decided, for a comparison.
  public var stopping: StoppingPlan?
  public init(
    job: JobID, owner: String, createdAt: String, state: State, outcome: Finished.Outcome? = nil, labels: [String],
    branch: String? = nil, ahead: Int? = nil, expectedStart: String? = nil, events: Int, bytes: Int,
    stopping: StoppingPlan? = nil
  ) {
    self.job = job
    self.owner = owner
    self.createdAt = createdAt
    self.state = state
    self.outcome = outcome
    self.labels = labels
    self.branch = branch
    self.ahead = ahead
    self.expectedStart = expectedStart
    self.events = events
    self.bytes = bytes
    self.stopping = stopping
  }
}

/// Somebody wants to switch the machine off.
public struct MayStopRequest: Codable, Equatable, Sendable {
  /// The job that the asker had the machine for; it is no reason to stay on.
  public var run: String
  public init(run: String) { self.run = run }
}

/// The answer, given while no job can be added. After a yes the agent takes no new job for ``MayStopReply/refusesFor``, or
/// until the machine was booted: nobody's job is begun on a machine that is about to go.
public struct MayStopReply: Codable, Equatable, Sendable {
  /// In seconds.
  public static let refusesFor = 180.0
  public var allowed: Bool
  /// Whose jobs keep the machine on.
  public var holders: [Occupancy.Entry]
  public init(allowed: Bool, holders: [Occupancy.Entry]) {
    self.allowed = allowed
    self.holders = holders
  }
}

/// Whose jobs have a host, or wait for it: what a controller asks before it stops a machine that is not its alone.
public struct Occupancy: Codable, Equatable, Sendable {
  public var jobs: [Entry]
  public init(jobs: [Entry]) { self.jobs = jobs }

  public struct Entry: Codable, Equatable, Sendable {
    public enum State: String, Codable, Sendable {
      /// Has the machine to itself.
      case measuring
      /// Its runner waits for the machine, or prepares.
      case waiting
    }
    public var job: JobID
    /// Who submitted it.
    public var owner: String
    public var state: State
    public init(job: JobID, owner: String, state: State) {
      self.job = job
      self.owner = owner
      self.state = state
    }
  }
}
