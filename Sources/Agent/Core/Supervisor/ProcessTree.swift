import Glibc
import Shared

/// A census of processes by who started whom (proc(5), `stat`). It finds what made a session of its own, dropped its
/// environment or let go of its parent: the supervisor of a job adopts orphans, so that no chain leads past it.
enum ProcessTree {
  struct Entry: Equatable {
    var pid: pid_t
    var parent: pid_t
    var session: pid_t
    /// It has ended, and its parent has not looked yet.
    var isZombie: Bool
  }

  /// All processes there are.
  static func census() -> [Entry] {
    guard let directory = opendir("/proc") else { return [] }
    defer { closedir(directory) }
    var entries: [Entry] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let pid = pid_t(name), let found = look(at: pid) { entries.append(found) }
    }
    return entries
  }

  /// Whether a process is there that has not ended, as far as this one may see.
  static func isAlive(_ pid: pid_t) -> Bool {
    guard Glibc.kill(pid, 0) == 0 || errno == EPERM else { return false }
    return look(at: pid)?.isZombie != true
  }

  private static func look(at pid: pid_t) -> Entry? {
    let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = read(file, &bytes, bytes.count)
    // The name may hold anything, brackets too: what follows its last one is numbers.
    guard count > 0, let bracket = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = String(decoding: bytes[(bracket + 1)..<count], as: UTF8.self).split(separator: " ")
    guard fields.count > 3, let parent = pid_t(fields[1]), let session = pid_t(fields[3]) else { return nil }
    return Entry(pid: pid, parent: parent, session: session, isZombie: fields[0] == "Z" || fields[0] == "X")
  }

  /// The living descendants of a process, without itself.
  static func descendants(of root: pid_t) -> [pid_t] {
    let entries = census()
    let children = Dictionary(grouping: entries, by: \.parent)
    var found: [pid_t] = []
    var open = [root]
    while let parent = open.popLast() {
      for child in children[parent] ?? [] where child.pid != root {
        open.append(child.pid)
        if !child.isZombie { found.append(child.pid) }
      }
    }
    return found
  }

  /// Kills what `find` finds, again and again, until it finds nothing: what is started meanwhile is found the next time.
  /// Reaps children of this process on the way.
  /// - Returns: whether nothing is left within the limit, in seconds.
  static func killAll(within limit: Double = 10, reaps: Bool = true, _ find: () -> [pid_t]) -> Bool {
    let deadline = MonotonicClock.seconds + limit
    while true {
      let left = find()
      if left.isEmpty { return true }
      guard MonotonicClock.seconds < deadline else { return false }
      for pid in left { kill(pid, SIGKILL) }
      if reaps { while waitpid(-1, nil, WNOHANG) > 0 {} }
      usleep(2000)
    }
  }
}
