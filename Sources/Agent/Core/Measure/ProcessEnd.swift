import Glibc

/// How a child process ended.
enum ProcessEnd: Equatable {
  case exited(Int32)
  case signalled(Int32)
  /// Killed, with its group, because its limit had passed.
  case timedOut
  /// It is gone, and the system told nobody how (ECHILD of wait(2)): no success.
  case untold

  /// Seconds after a kill for which the end is waited for. What the kernel can't end (a file system that does not answer
  /// holds it) is left to whoever adopts it.
  private static let killGrace = 10.0

  /// From a status of wait(2).
  init(status: Int32) { self = status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signalled(status & 0x7f) }

  /// In words: `exited with 1`, `was killed by signal 9`.
  var words: String {
    switch self {
    case .exited(let code): "exited with \(code)"
    case .signalled(let signal): "was killed by signal \(signal)"
    case .timedOut: "was ended because it passed its time limit"
    case .untold: "ended, and the system did not tell how"
    }
  }

  /// Waits for a child that leads a process group; kills it and its group once the monotonic clock passes `deadline`.
  /// - Parameter usage: gets what the kernel counted for it and the children that it waited for.
  static func wait(for pid: pid_t, until deadline: Double, usage: inout rusage) -> ProcessEnd {
    var status: Int32 = 0
    var killedAt: Double?
    var pause: UInt32 = 200
    while true {
      let found = wait4(pid, &status, WNOHANG, &usage)
      if found == pid { return killedAt != nil ? .timedOut : ProcessEnd(status: status) }
      if found < 0, errno != EINTR { return .untold }
      let now = MonotonicClock.seconds
      if let killedAt, now > killedAt + killGrace { return .timedOut }
      if now > deadline, killedAt == nil {
        killGroup(pid)
        killedAt = now
      }
      usleep(pause)
      pause = min(pause * 2, 20_000)
    }
  }

  /// Kills a child and the group that it leads, which it may have left.
  static func killGroup(_ pid: pid_t) {
    kill(-pid, SIGKILL)
    kill(pid, SIGKILL)
  }
}
