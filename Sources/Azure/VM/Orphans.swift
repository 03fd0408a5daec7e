import CLibrary
import FoundationEssentials
import Shared

/// Calls of `az` that outlived the command that made them. One of them may be just about to start the VM, so nobody cleans up
/// behind a dead command before they have ended. Found by a variable in their environment (proc(5)); where there is
/// no /proc none is found, and the VM's watchdog is the net for that moment.
enum Orphans {
  static let mark = "CF_BENCH_RUN"

  /// Waits until none is left of that run; ends those that take longer than a call may. What does not end even then, since the
  /// system holds it, does nothing more either, and is not waited for.
  static func wait(for run: String, limit: Duration, clock: any Clock<Duration>) async throws {
    let elapsed = clock.stopwatch()
    while case let left = processes(of: run), !left.isEmpty, elapsed() < limit + .seconds(10) {
      if elapsed() > limit { for pid in left { kill(pid, SIGKILL) } }
      try await clock.sleep(for: .milliseconds(100))
    }
  }

  private static func processes(of run: String) -> [pid_t] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []  // no /proc: none to be found
    let wanted = Array("\(mark)=\(run)".utf8)
    return entries.compactMap { pid_t($0) }.filter { pid in
      guard pid != getpid(), let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else {
        return false
      }
      return environment.split(separator: 0).contains { $0.elementsEqual(wanted) }
    }
  }
}
