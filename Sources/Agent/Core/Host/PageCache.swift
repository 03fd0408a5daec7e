import Glibc

/// The kernel's copies of files in memory.
enum PageCache {
  /// Drops those that are not in use, where this user may (root on Linux). See proc(5), /proc/sys/vm/drop_caches.
  static func drop() {
    let file = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    sync()
    // A container may hold the file and refuse the write: then the files are read from memory, on all arms alike.
    _ = write(file, "1", 1)
  }
}
