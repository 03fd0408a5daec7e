import Glibc
import Shared
import Synchronization

/// One measurement at a time on this host: a kernel lock on one file, whoever the user is. ``QueueReservation`` is the way to
/// it.
enum MachineLock {
  /// Where the lock lies: `$CF_BENCH_LOCK`, or a place that all users of the host share.
  static func path(_ environment: [String: String]) -> String {
    if let path = environment["CF_BENCH_LOCK"], !path.isEmpty { return path }
    let shared = "/var/lock"
    return (access(shared, W_OK) == 0 ? shared : "/tmp") + "/cf-bench.lock"
  }

  /// - Throws: when the file can't be opened: the lock fails closed.
  static func open(_ environment: [String: String]) throws -> FileLock {
    let path = path(environment)
    guard let lock = FileLock(path: path, create: true) else {
      throw Problem(
        what: "the lock that keeps measurements apart can't be opened",
        why: "\(path): \(String(cString: strerror(errno)))",
        fix:
          "make it readable for this user on the benchmark host, or set CF_BENCH_LOCK to a file that every user may open",
        exitStatus: .infrastructure)
    }
    return lock
  }
}

/// The job was told to end.
struct JobCancelled: Error {}

/// Set by SIGTERM in the runner; looked at between the steps of a job.
enum CancelFlag {
  // Shared with a signal handler, in which no lock may be taken.
  private static let raised = Atomic(false)
  private static let childGroup = Atomic<pid_t>(0)

  static var isSet: Bool { raised.load(ordering: .relaxed) }

  /// The process group that ends with the job; 0 for none.
  static func protect(_ group: pid_t) { childGroup.store(group, ordering: .relaxed) }

  static func install() {
    protect(0)  // made here, and not first in the handler
    raised.store(false, ordering: .relaxed)
    for number in [SIGTERM, SIGINT, SIGHUP] {
      signal(number) { _ in
        CancelFlag.raised.store(true, ordering: .relaxed)
        let group = CancelFlag.childGroup.load(ordering: .relaxed)
        if group > 0 { kill(-group, SIGKILL) }
      }
    }
  }
}
