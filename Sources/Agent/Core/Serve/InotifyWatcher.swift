import Glibc
import Shared

/// Wakes the server when a followed journal grows or its writer is gone (inotify(7): closing counts too).
final class InotifyWatcher: Sendable {
  let descriptor: Int32

  init() throws(StorageFailure) {
    descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    guard descriptor >= 0 else { throw StorageFailure(path: "inotify", code: errno) }
  }

  deinit { close(descriptor) }

  func add(_ path: String) throws(StorageFailure) {
    guard inotify_add_watch(descriptor, path, UInt32(IN_MODIFY | IN_CLOSE_WRITE)) >= 0 else {
      throw StorageFailure(path: path, code: errno)
    }
  }

  /// Forgets what woke us: every follower looks at its journal anyway.
  func drain() {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { chunk in
      while read(descriptor, chunk.baseAddress, chunk.count) > 0 {}
    }
  }
}
