import Glibc
import Shared

/// Finds out who else uses the machine, by two looks at all processes.
enum BusyProcesses {
  /// Between the two looks, in seconds. The kernel counts in hundredths of a second: shorter would tell nothing.
  static let lookSeconds = 0.2
  /// Who uses less of a core is left out: it is within the counting's own error of one tick.
  static let leastShare = 0.05
  static let most = 5

  /// Everything but this process and what it started.
  static func look(_ files: MachineFiles) -> [BusyProcess] {
    let before = ProcessTimes.all(files)
    let started = MonotonicClock.seconds
    usleep(UInt32(lookSeconds * 1e6))
    return difference(
      before, ProcessTimes.all(files), seconds: MonotonicClock.seconds - started, withoutTreeOf: getpid())
  }

  static func difference(
    _ before: [pid_t: ProcessTimes], _ after: [pid_t: ProcessTimes], seconds: Double, withoutTreeOf root: pid_t
  ) -> [BusyProcess] {
    guard seconds > 0 else { return [] }
    let busy = after.compactMap { pid, times -> BusyProcess? in
      guard !belongs(pid, to: root, after) else { return nil }
      let old = before[pid].flatMap { $0.start == times.start ? $0.ticks : nil } ?? 0
      let share = Double(times.ticks - old) * ClockTick.seconds / seconds
      return share > leastShare ? BusyProcess(name: times.name, pid: pid, share: share) : nil
    }
    return Array(busy.sorted { ($1.share, $0.pid) < ($0.share, $1.pid) }.prefix(most))
  }

  private static func belongs(_ pid: pid_t, to root: pid_t, _ all: [pid_t: ProcessTimes]) -> Bool {
    var next: pid_t? = pid
    // Parents make no circle, but two files read one after the other may tell of one.
    for _ in 0..<all.count {
      guard let current = next, current > 0 else { return false }
      if current == root { return true }
      next = all[current]?.parent
    }
    return false
  }
}
