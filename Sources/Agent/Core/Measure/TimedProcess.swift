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
    var end: ChildProcess.Outcome.End
    /// From just before the spawn until the end was seen, in seconds.
    var seconds: Double
    /// CPU time of the command and the children that it waited for, in seconds.
    var userSeconds: Double
    var systemSeconds: Double
    var usage: ProcessUsage
  }

  func run() throws(ChildProcess.SpawnFailure) -> Outcome {
    let started = MonotonicClock.seconds
    let pid = try spawn()
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
    if ended != 1 { kill(-pid, SIGKILL) }
    var status: Int32 = 0
    var usage = rusage()
    while wait4(pid, &status, 0, &usage) < 0, errno == EINTR {}
    let end: ChildProcess.Outcome.End =
      if ended != 1 { .timedOut } else if status & 0x7f == 0 { .exited((status >> 8) & 0xff) } else {
        .signalled(status & 0x7f)
      }
    #if os(Linux)
      let peak = usage.ru_maxrss * 1024
    #else
      let peak = usage.ru_maxrss
    #endif
    return Outcome(
      end: end, seconds: seconds, userSeconds: Self.seconds(usage.ru_utime),
      systemSeconds: Self.seconds(usage.ru_stime),
      usage: ProcessUsage(
        peakBytes: peak, minorFaults: usage.ru_minflt, majorFaults: usage.ru_majflt, voluntarySwitches: usage.ru_nvcsw,
        involuntarySwitches: usage.ru_nivcsw))
  }

  private func spawn() throws(ChildProcess.SpawnFailure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    cf_spawn_add_chdir(&actions, directory)
    return try ChildProcess.spawn(words, environment: environment, actions: &actions)
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}
