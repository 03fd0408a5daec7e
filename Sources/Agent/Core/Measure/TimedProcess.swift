import CSpawn
import Glibc
import Shared

/// One run of one command, timed by ourselves: posix_spawn(2), a monotonic clock, and what wait4(2) reports.
///
/// Nothing of ours runs beside the command: its output goes to /dev/null and we sleep in the kernel until it ends. It leads a
/// process group of its own, which is killed at the limit.
struct TimedProcess {
  /// A path and its arguments.
  var words: [String]
  /// The whole environment; nothing is inherited.
  var environment: [String: String]
  var directory: String
  var limitSeconds: Double

  struct Outcome {
    var end: ProcessEnd
    /// From just before the spawn until the end was seen, in seconds.
    var seconds: Double
    /// CPU time of the command and the children that it waited for, in seconds.
    var userSeconds: Double
    var systemSeconds: Double
    var usage: ProcessUsage
  }

  func run() throws(ChildProcess.SpawnFailure) -> Outcome {
    let started = MonotonicClock.seconds
    let pid = try Spawn(
      words: words, environment: environment, directory: directory, input: .nothing, output: .nothing
    ).start()
    CancelFlag.protect(pid)
    defer { CancelFlag.protect(0) }
    var ended: Int32 = 0
    while ended == 0 {
      let left = started + limitSeconds - MonotonicClock.seconds
      guard left > 0 else { break }
      ended = cf_wait_for_end(pid, Int32(min(left * 1000, 3_600_000).rounded(.up)))
    }
    // Seen to end now: what follows is bookkeeping.
    let seconds = MonotonicClock.seconds - started
    var usage = rusage()
    let end = ProcessEnd.wait(for: pid, until: ended == 0 ? 0 : started + limitSeconds, usage: &usage)
    return Outcome(
      end: end, seconds: seconds, userSeconds: usage.ru_utime.seconds, systemSeconds: usage.ru_stime.seconds,
      usage: ProcessUsage(
        peakBytes: usage.ru_maxrss * 1024, minorFaults: usage.ru_minflt, majorFaults: usage.ru_majflt,
        voluntarySwitches: usage.ru_nvcsw, involuntarySwitches: usage.ru_nivcsw))
  }
}
