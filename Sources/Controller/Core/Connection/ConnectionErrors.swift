import Shared

/// A line of the journal that is not the one that follows on this disk: damaged on its way, or of another job.
struct EventMismatch: UserFacingError {
  var job: JobID
  /// The number that was due.
  var expected: Int
  /// What the file of events had to say.
  var reason: String

  /// How many times in a row the benchmark host is asked again for the same event.
  static let tries = 3

  var what: String { "event \(expected) of the job \(job) does not fit those before it" }
  var why: String? { reason }
  var fix: String {
    "follow it into a new folder: 'cf-bench attach \(job) --results FOLDER'; if it says the same, measure again"
  }
  var exitStatus: ExitStatus { .infrastructure }
}

/// The line did not come back in time; the job may well go on.
struct ConnectionLost: UserFacingError {
  var job: JobID
  var machine: String
  /// Flags that lead there, such as `--machine azure`.
  var flags: String
  var limit: Duration
  /// Whether the benchmark host has said that it has the job.
  var isAccepted: Bool
  /// What the last try ended with.
  var last: String

  var what: String {
    isAccepted
      ? "the line to \(machine) did not come back within \(limit.words); the job goes on without us"
      : "the line to \(machine) did not come back within \(limit.words)"
  }
  var why: String? { last }
  var fix: String {
    isAccepted
      ? "run: cf-bench attach \(job) \(flags)"
      : "check the network and the host; 'cf-bench jobs \(flags)' shows whether the job \(job) is there"
  }
  var exitStatus: ExitStatus { .infrastructure }
}

/// A cancelled job that could not be told so, or that did not say that it has ended.
struct CancelUnsure: UserFacingError {
  var job: JobID
  var machine: String
  var flags: String
  /// Whether the benchmark host has said that it ends the job.
  var isHeard: Bool
  var last: String

  var what: String {
    isHeard
      ? "the job \(job) on \(machine) was told to end, and has not said yet that it did"
      : "the job \(job) on \(machine) could not be told to end"
  }
  var why: String? { last }
  var fix: String { isHeard ? "run: cf-bench jobs \(flags)" : "run: cf-bench cancel \(job) \(flags)" }
  var exitStatus: ExitStatus { .cancelled }
}
