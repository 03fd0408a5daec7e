import CSpawn
import Glibc

/// What the supervisor is told by signals: that it is to end, and that a child has ended. Each wakes its `poll`.
enum SupervisorSignals {
  // Shared with a signal handler, in which no lock may be taken; the supervisor has one thread.
  nonisolated(unsafe) private static var isToldToEnd: sig_atomic_t = 0
  nonisolated(unsafe) private static var wakeEnds: (read: Int32, write: Int32) = (-1, -1)

  static var isCancelled: Bool { isToldToEnd != 0 }
  /// Readable after a signal.
  static var descriptor: Int32 { wakeEnds.read }

  static func install() {
    var ends: [Int32] = [-1, -1]
    if cf_pipe(&ends) == 0 {  // without it the supervisor looks once a second all the same
      for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
      wakeEnds = (ends[0], ends[1])
    }
    signal(SIGPIPE, SIG_IGN)
    for number in [SIGTERM, SIGINT, SIGHUP] {
      signal(number) { _ in
        SupervisorSignals.isToldToEnd = 1
        SupervisorSignals.wake()
      }
    }
    signal(SIGCHLD) { _ in SupervisorSignals.wake() }
  }

  private static func wake() {
    let reason = errno
    var byte: UInt8 = 0
    write(wakeEnds.write, &byte, 1)  // a full pipe wakes as well
    errno = reason
  }

  static func drain() {
    var bytes = (UInt64(0), UInt64(0))
    while read(wakeEnds.read, &bytes, 16) > 0 {}
  }
}
