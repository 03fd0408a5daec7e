import CSpawn
import Glibc
import Shared

/// What a process can turn for itself: children inherit it, and it ends with them. Nothing has to be put back.
enum OwnTuning {
  /// Before what people usually run (0), and after what the kernel must do at once.
  static let wantedNice: Int32 = -10

  static func tune() -> [TuningReport] { [tuneAffinity(), tunePriority()] }

  /// All CPUs but the first, which gets most of the machine's interrupts and timers (sched_setaffinity(2)).
  static func tuneAffinity() -> TuningReport {
    let before = affinity
    let wanted = wanted(of: before)
    var report = TuningReport(
      knob: .affinity, before: before.isEmpty ? nil : CPUList.text(before),
      wanted: wanted.isEmpty ? "all but the first" : CPUList.text(wanted), after: nil, outcome: .alreadySo)
    if before.isEmpty {
      report.outcome = .notVisible
    } else if wanted != before {
      let code = cf_affinity_set(wanted.map { Int32($0) }, Int32(wanted.count))
      report.outcome = affinity == wanted ? .changed : outcome(of: code)
      if report.outcome != .changed { report.detail = detail(of: code) }
    } else if before.count == 1 {
      report.detail = "there is only one CPU"
    }
    report.after = affinity.isEmpty ? nil : CPUList.text(affinity)
    return report
  }

  /// The CPUs that a process that may run on `allowed` should keep to.
  static func wanted(of allowed: [Int]) -> [Int] {
    let others = allowed.filter { $0 != 0 }
    return others.isEmpty ? allowed : others
  }

  /// setpriority(2); below 0 it needs `CAP_SYS_NICE` or a limit (`RLIMIT_NICE`) that allows it.
  static func tunePriority() -> TuningReport {
    let before = nice
    var report = TuningReport(
      knob: .priority, before: "\(before)", wanted: "\(wantedNice)", after: nil, outcome: .alreadySo)
    if before > wantedNice {
      let code = setpriority(.init(PRIO_PROCESS.rawValue), 0, wantedNice) == 0 ? 0 : errno
      report.outcome = nice == wantedNice ? .changed : outcome(of: code)
      if report.outcome != .changed { report.detail = detail(of: code) }
    }
    report.after = "\(nice)"
    return report
  }

  /// Sorted; empty where the kernel does not tell.
  private static var affinity: [Int] {
    var numbers = [Int32](repeating: 0, count: 1024)
    let count = cf_affinity_get(&numbers, Int32(numbers.count))
    return count > 0 ? numbers[..<Int(count)].map { Int($0) } : []
  }

  private static var nice: Int32 { getpriority(.init(PRIO_PROCESS.rawValue), 0) }

  private static func outcome(of code: Int32) -> TuningReport.Outcome {
    [EACCES, EPERM].contains(code) ? .notPermitted : .didNotTake
  }

  private static func detail(of code: Int32) -> String {
    code == 0 ? "the kernel took the change and shows another value" : String(cString: strerror(code))
  }
}
