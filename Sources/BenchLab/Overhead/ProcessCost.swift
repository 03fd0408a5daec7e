import Foundation

/// CPU time and memory of running processes of one program, from Linux's `/proc` (proc(5)).
struct ProcessCost {
  /// User and system time so far, in seconds.
  var cpuSeconds = 0.0
  /// Memory now, in bytes: the proportional set size, which counts what processes share once (`smaps_rollup`).
  var memoryBytes = 0
  var processes = 0

  /// Sums over all processes whose executable is `path`.
  static func of(executable path: String) -> ProcessCost {
    var cost = ProcessCost()
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []  // no /proc: nothing to sum
    for pid in entries where pid.allSatisfy(\.isNumber) {
      guard (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")) == path,  // gone meanwhile
        let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let rollup = try? String(contentsOfFile: "/proc/\(pid)/smaps_rollup", encoding: .utf8)
      else { continue }
      // Fields 14 and 15 are utime and stime in clock ticks; the name in field 2 may hold spaces, so count from its ')'.
      let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
      guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]),
        let kilobytes = rollup.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") })?
          .split(separator: " ").dropFirst().first.flatMap({ Int($0) })
      else { continue }
      cost.cpuSeconds += (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
      cost.memoryBytes += kilobytes * 1024
      cost.processes += 1
    }
    return cost
  }
}
