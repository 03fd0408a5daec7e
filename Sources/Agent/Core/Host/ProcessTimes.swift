import Glibc

/// What `/proc/PID/stat` says of a process's time.
struct ProcessTimes: Equatable {
  var name: String
  var parent: pid_t
  /// In user and kernel mode, without its children, in clock ticks.
  var ticks: Int
  /// When it started, in clock ticks after the machine did: tells a process from a later one of the same number.
  var start: Int

  /// `nil` for a text of another form.
  init?(_ stat: String) {
    // The name stands in parentheses and may hold spaces and parentheses itself: the last one ends it.
    guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")"), open < close else { return nil }
    let fields = stat[stat.index(after: close)...].split(separator: " ")
    // Field 3 of the page is the first here: ppid is 4, utime and stime 14 and 15, starttime 22.
    guard fields.count > 19, let parent = pid_t(fields[1]), let user = Int(fields[11]), let system = Int(fields[12]),
      let start = Int(fields[19])
    else { return nil }
    name = HostReader.printable(String(stat[stat.index(after: open)..<close]))
    self.parent = parent
    ticks = user + system
    self.start = start
  }

  static func all(_ files: MachineFiles) -> [pid_t: ProcessTimes] {
    var all: [pid_t: ProcessTimes] = [:]
    for name in files.names(in: "/proc") {
      guard let pid = pid_t(name), let stat = files.text("/proc/\(name)/stat") else { continue }  // it may be gone
      all[pid] = ProcessTimes(stat)
    }
    return all
  }
}

/// How long a clock tick of the kernel's accounting is.
enum ClockTick {
  /// In seconds; mostly a hundredth.
  static let seconds = 1 / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
}
