import Shared

/// When the VM's own watchdog stops it, whatever controllers do.
public struct WatchdogLimits: Sendable, Equatable {
  /// Without a job and without a session.
  public var idle: Duration
  /// From the boot on.
  public var hard: Duration

  public init(idle: Duration, hard: Duration) {
    self.idle = idle
    self.hard = hard
  }

  /// What the watchdog takes without being told.
  public static let builtIn = WatchdogLimits(idle: .seconds(900), hard: .seconds(14_400))

  static let file = "/etc/cf-bench/watchdog.conf"

  /// The lines of ``file``.
  var lines: [String] {
    ["CF_BENCH_IDLE_SECONDS=\(Int(idle / .seconds(1)))", "CF_BENCH_HARD_SECONDS=\(Int(hard / .seconds(1)))"]
  }

  /// Writes the file on a VM whose custom data can't be changed any more.
  var script: String { "printf '%s\\n' \(lines.joined(separator: " ")) >\(Self.file)\n" }
}
