import Foundation

/// CPU time and memory of running processes of one program, from Linux's `/proc` (proc(5)).
struct ProcessCost {
  /// User and system time so far, in seconds.
  var cpuSeconds = 0.0
  /// Resident set now, in bytes.
  var residentBytes = 0
  var processes = 0

  /// Sums over all processes whose executable is `path`.
  static func of(executable path: String) -> ProcessCost {
    var cost = ProcessCost()
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []  // no /proc: nothing to sum
    for pid in entries where pid.allSatisfy(\.isNumber) {
      guard (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")) == path,  // gone meanwhile
        let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let statm = try? String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8)
      else { continue }
      // Fields 14 and 15 are utime and stime in clock ticks; the name in field 2 may hold spaces, so count from its ')'.
      let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
      guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]),
        let pages = statm.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
      else { continue }
      cost.cpuSeconds += (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
      cost.residentBytes += pages * sysconf(Int32(_SC_PAGESIZE))
      cost.processes += 1
    }
    return cost
  }
}
