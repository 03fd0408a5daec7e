import Glibc

/// What the kernel has counted for the whole machine up to a moment (proc(5) `/proc/stat`, getrusage(2), psi.rst).
struct HostCounters: Equatable {
  /// Monotonic clock, in seconds.
  var time: Double
  /// Time that the hypervisor gave to others while a CPU of ours wanted to run, over all CPUs, in seconds.
  var stealSeconds: Double
  /// CPU time of everybody, over all CPUs: user, nice, system and interrupts, in seconds.
  var busySeconds: Double
  /// Over all CPUs, waiting for disks included, in seconds.
  var idleSeconds: Double
  /// CPU time of this process and of all that it started and waited for, in seconds. A child that still runs counts as
  /// somebody else until it is waited for, and then all at once.
  var ownSeconds: Double
  /// Time in which some process waited for a CPU, in seconds; `nil` where the kernel keeps no pressure.
  var cpuPressureSeconds: Double?
  /// Time in which some process waited for memory, in seconds.
  var memoryPressureSeconds: Double?

  static func read() -> HostCounters {
    read(
      MachineFiles(), time: MonotonicClock.seconds,
      ownSeconds: usage(RUSAGE_SELF.rawValue) + usage(RUSAGE_CHILDREN.rawValue))
  }

  /// Where `/proc/stat` can't be read the machine counts as quiet.
  static func read(_ files: MachineFiles, time: Double, ownSeconds: Double) -> HostCounters {
    let line = (files.text("/proc/stat") ?? "").split(separator: "\n").first { $0.hasPrefix("cpu ") }
    // user, nice, system, idle, iowait, irq, softirq, steal; guest times are part of user and nice.
    var fields = (line ?? "").split(separator: " ").dropFirst().map { (Double($0) ?? 0) * ClockTick.seconds }
    fields += [Double](repeating: 0, count: max(0, 8 - fields.count))
    return HostCounters(
      time: time, stealSeconds: fields[7], busySeconds: fields[0] + fields[1] + fields[2] + fields[5] + fields[6],
      idleSeconds: fields[3] + fields[4], ownSeconds: ownSeconds,
      cpuPressureSeconds: Pressure.read("cpu", files)?.totalSeconds,
      memoryPressureSeconds: Pressure.read("memory", files)?.totalSeconds)
  }

  /// What happened between an earlier reading and this one.
  func since(_ earlier: HostCounters) -> HostUse {
    let seconds = max(time - earlier.time, 1e-9)
    func share(_ later: Double?, _ earlier: Double?) -> Double? {
      later.flatMap { later in earlier.map { max(0, later - $0) / seconds } }
    }
    let foreign = (busySeconds - earlier.busySeconds) - (ownSeconds - earlier.ownSeconds)
    return HostUse(
      seconds: seconds, stealShare: max(0, stealSeconds - earlier.stealSeconds) / seconds,
      foreignShare: max(0, foreign) / seconds,
      memoryPressureShare: share(memoryPressureSeconds, earlier.memoryPressureSeconds),
      cpuPressureShare: share(cpuPressureSeconds, earlier.cpuPressureSeconds))
  }

  private static func usage(_ who: Int32) -> Double {
    var usage = rusage()
    getrusage(who, &usage)
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}

/// How much of the machine others had over an interval.
struct HostUse: Equatable {
  /// The interval's length, in seconds.
  var seconds: Double
  /// Stolen time of all CPUs together, as a share of one core's time: 1 is a whole core.
  var stealShare: Double
  /// CPU seconds of others per second: 1 is a whole core. Never negative.
  var foreignShare: Double
  /// Share of the time in which some process waited for memory.
  var memoryPressureShare: Double?
  /// Share of the time in which some process waited for a CPU.
  var cpuPressureShare: Double?
}

/// The line `some` of `/proc/pressure/NAME`: when at least one task waited (Documentation/accounting/psi.rst).
struct Pressure: Equatable {
  /// Percent of the last 10 s.
  var recentPercent: Double
  /// Since the machine started, in seconds.
  var totalSeconds: Double

  /// `nil` where the kernel keeps none (`CONFIG_PSI` off, or `psi=0`).
  static func read(_ name: String, _ files: MachineFiles) -> Pressure? {
    let lines = (files.text("/proc/pressure/\(name)") ?? "").split(separator: "\n")
    guard let some = lines.first(where: { $0.hasPrefix("some ") }) else { return nil }
    var recent: Double?
    var total: Double?
    for word in some.split(separator: " ") {
      if word.hasPrefix("avg10=") { recent = Double(word.dropFirst(6)) }
      if word.hasPrefix("total=") { total = Double(word.dropFirst(6)).map { $0 / 1e6 } }
    }
    guard let recent, let total else { return nil }
    return Pressure(recentPercent: recent, totalSeconds: total)
  }
}
