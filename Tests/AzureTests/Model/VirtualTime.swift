import Dispatch
import Foundation
import Synchronization

/// Time that passes only while nobody has anything to do.
///
/// The tasks of a scenario run one at a time on this executor. When all of them wait, the clock goes to the end of the earliest
/// pause: hours pass in milliseconds, no machine is too busy for a limit, and the same scenario takes the same course each time.
final class VirtualTime: TaskExecutor, Clock {
  struct Instant: InstantProtocol {
    var sinceStart: Duration
    func advanced(by duration: Duration) -> Instant { Instant(sinceStart: sinceStart + duration) }
    func duration(to other: Instant) -> Duration { other.sinceStart - sinceStart }
    static func < (left: Instant, right: Instant) -> Bool { left.sinceStart < right.sinceStart }
  }

  private struct State {
    var now = Instant(sinceStart: .zero)
    /// Jobs that are queued or at work.
    var jobs = 0
    var nextSleeper = 0
    var sleepers: [Int: (end: Instant, continuation: CheckedContinuation<Void, any Error>)] = [:]
    /// Those that were cancelled before they could fall asleep.
    var cancelled: Set<Int> = []
  }
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "virtual time")

  var now: Instant { state.withLock(\.now) }
  var minimumResolution: Duration { .zero }

  /// What o'clock it is: the scenario began on 15 January 2027, 08:00 UTC.
  var date: Date { Date(timeIntervalSince1970: 1_800_000_000 + now.sinceStart / .seconds(1)) }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.jobs += 1 }
    queue.async { [self] in
      job.runSynchronously(on: asUnownedTaskExecutor())
      let earliest = state.withLock { state -> CheckedContinuation<Void, any Error>? in
        state.jobs -= 1
        guard state.jobs == 0,
          let next = state.sleepers.min(by: { ($0.value.end, $0.key) < ($1.value.end, $1.key) })
        else { return nil }
        state.now = max(state.now, next.value.end)
        state.sleepers[next.key] = nil
        return next.value.continuation
      }
      earliest?.resume()
    }
  }

  func sleep(until end: Instant, tolerance: Duration?) async throws {
    let number = state.withLock { state in
      state.nextSleeper += 1
      return state.nextSleeper
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let isCancelled = state.withLock { state in
          if state.cancelled.contains(number) { return true }
          state.sleepers[number] = (end, continuation)
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        state.cancelled.insert(number)
        return state.sleepers.removeValue(forKey: number)
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Runs a scenario on this executor to its end.
  func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await Task(executorPreference: self) { try await body() }.value
  }
}
