import Shared

/// Looks at the machine around each block, and says which ones do not count.
struct DisturbanceWatch {
  /// Whether disturbed blocks are set aside; what was seen is told in any case.
  let isOn: Bool
  private var rule = DisturbanceRule()
  private var before: (probe: Double, counters: HostCounters)?

  init(isOn: Bool) { self.isOn = isOn }

  /// To be called right before a block.
  mutating func begin() {
    let probe = SpinProbe.run().wallSeconds
    before = (probe, HostCounters.read())
  }

  /// To be called right after it.
  /// - Returns: what the fixed work took before and after, in seconds, and why the block does not count.
  mutating func end() -> (probeSeconds: [Double], disturbance: String?) {
    guard let before else { return ([], nil) }
    let use = HostCounters.read().since(before.counters)
    let after = SpinProbe.run().wallSeconds
    let disturbance = rule.judge(probeBefore: before.probe, probeAfter: after, use: use)
    return ([before.probe, after], isOn ? disturbance : nil)
  }
}
