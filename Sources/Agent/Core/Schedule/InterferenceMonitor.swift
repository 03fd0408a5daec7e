import Shared

/// Looks at the machine around each block, and says which ones do not count.
struct InterferenceMonitor {
  /// Whether disturbed blocks are discarded; what was seen is told in any case.
  let isOn: Bool
  private var rule = InterferenceRule()
  private var before: (probe: Double, counters: HostCounters)?
  /// The last probe, and when it ended.
  private var last: (probe: Double, at: Double)?
  /// For so long a probe after a block stands for the one before the next, in seconds: each costs 5 ms of a core.
  private static let freshSeconds = 0.1

  init(isOn: Bool) { self.isOn = isOn }

  /// To be called right before a block.
  mutating func begin() {
    let fresh = last.flatMap { MonotonicClock.seconds - $0.at < Self.freshSeconds ? $0.probe : nil }
    before = (fresh ?? SpinProbe.run().wallSeconds, HostCounters.read())
  }

  /// What was seen around a block.
  struct Seen {
    /// What the fixed work took before and after, in seconds.
    var probeSeconds: [Double] = []
    var machine: MachineUse?
    /// Why the block does not count.
    var disturbance: String?
  }

  /// To be called right after it.
  mutating func end() -> Seen {
    guard let before else { return Seen() }
    let use = HostCounters.read().since(before.counters)
    let after = SpinProbe.run().wallSeconds
    last = (after, MonotonicClock.seconds)
    let disturbance = rule.judge(probeBefore: before.probe, probeAfter: after, use: use)
    return Seen(
      probeSeconds: [before.probe, after],
      machine: MachineUse(
        stealShare: use.stealShare, foreignShare: use.foreignShare, memoryPressureShare: use.memoryPressureShare,
        cpuPressureShare: use.cpuPressureShare),
      disturbance: isOn ? disturbance : nil)
  }
}
