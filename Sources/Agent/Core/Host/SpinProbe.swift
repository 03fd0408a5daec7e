import CSpawn
import Glibc

/// A short fixed amount of work, to see how fast the machine is at this moment.
///
/// Hypervisors often hide what they take away: steal stays 0 while the machine gets slower, because another guest uses
/// the core's other thread, its caches or its share of the frequency. The same work then takes longer. Wall and CPU time
/// growing together speak of a slower core; wall time alone of somebody else on it.
struct SpinProbe {
  /// Steps of the chain. Each waits for the one before, about six cycles: some 5 ms at 3 GHz. Never calibrated, so that
  /// two readings of one build can be compared.
  static let steps = 2_500_000

  /// By the monotonic clock, in seconds.
  var wallSeconds: Double
  /// CPU time of this thread (`CLOCK_THREAD_CPUTIME_ID` of clock_gettime(2)), in seconds.
  var cpuSeconds: Double

  static func run() -> SpinProbe {
    let (wall, cpu) = (MonotonicClock.seconds, cpuSeconds)
    // Without these the optimiser does the work never, once for all calls, or after the clock was read.
    _ = cf_opaque(chain(from: cf_opaque(0x9E37_79B9_7F4A_7C15), steps: steps))
    return SpinProbe(wallSeconds: MonotonicClock.seconds - wall, cpuSeconds: cpuSeconds - cpu)
  }

  /// Marsaglia's 64-bit xorshift (13, 7, 17).
  @inline(never) static func chain(from start: UInt64, steps: Int) -> UInt64 {
    var state = start
    var left = steps
    while left != 0 {
      state ^= state &<< 13
      state ^= state &>> 7
      state ^= state &<< 17
      left &-= 1
    }
    return state
  }

  private static var cpuSeconds: Double {
    var now = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }
}
