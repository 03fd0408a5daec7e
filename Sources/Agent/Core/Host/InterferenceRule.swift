/// Judges from outside whether something else was going on while a block was measured.
///
/// It looks at the machine and never at a measured value, and only at what came before: leaving out blocks by their own
/// samples would bend the result. Of two blocks in a row the second always counts, whatever happened: on a machine that
/// is always busy nothing would be left otherwise.
struct InterferenceRule {
  /// Of one core's time. Stolen time is added to what is measured, one to one, and the smallest difference that counts
  /// is 2 % by default: half of it.
  static let mostSteal = 0.01
  /// Of a core. A login, a timer or an agent's bookkeeping stays below; a package update or a build uses all of one.
  static let mostForeign = 0.25
  /// Over the usual time of ``SpinProbe``. Frequency and the clock's own jitter make a tenth on shared machines; a busy
  /// neighbour on the core's other thread a third or more.
  static let mostSlowdown = 1.25
  /// A median of fewer says little.
  static let leastProbes = 5

  /// All probes up to now, in seconds, the shortest first.
  private var probes: [Double] = []
  private var lastWasDiscarded = false

  init() {}

  /// Takes in a block: the probes before and after it in wall seconds, and what the machine did meanwhile.
  /// - Returns: why the block counts as disturbed, in words; `nil` when it counts.
  mutating func judge(probeBefore: Double, probeAfter: Double, use: HostUse) -> String? {
    let found = lastWasDiscarded ? nil : reason(probe: (probeBefore + probeAfter) / 2, use)
    lastWasDiscarded = found != nil
    for probe in [probeBefore, probeAfter] {
      probes.insert(probe, at: probes.firstIndex { $0 > probe } ?? probes.endIndex)
    }
    return found
  }

  private func reason(probe: Double, _ use: HostUse) -> String? {
    if use.stealShare > Self.mostSteal { return "\(Self.tenths(use.stealShare * 100)) % of the time was stolen" }
    if use.foreignShare > Self.mostForeign {
      return "other processes used \(Self.tenths(use.foreignShare)) of a core"
    }
    if let usual, probe > Self.mostSlowdown * usual {
      return "the fixed work took \(Self.tenths(probe / usual))x its usual time"
    }
    return nil
  }

  /// The median of all probes seen.
  private var usual: Double? {
    guard probes.count >= Self.leastProbes else { return nil }
    let middle = probes.count / 2
    return probes.count % 2 == 1 ? probes[middle] : (probes[middle - 1] + probes[middle]) / 2
  }

  /// With one decimal, left out when it is 0.
  private static func tenths(_ value: Double) -> String {
    let tenths = Int((min(value, 1e9) * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }
}
