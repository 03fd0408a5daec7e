import Glibc
import Shared

/// A lock on a folder that is being built, held by the kernel for as long as this process lives.
struct SetupLock: ~Copyable {
  private let descriptor: Int32

  /// Waits for the lock; another job that builds the same folder ends within its own limit.
  init(path: String, doing: String, limitSeconds: Double) throws(SideProblem) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw .stepFailed(doing: doing, outputTail: "\(path): \(String(cString: strerror(errno)))")
    }
    let deadline = MonotonicClock.seconds + limitSeconds
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR, MonotonicClock.seconds < deadline else {
        close(descriptor)
        throw .stepTooLong(doing: doing, seconds: limitSeconds)
      }
      usleep(50_000)
    }
  }

  deinit { close(descriptor) }
}
