import Foundation
import Shared
import Synchronization
import Testing

/// How many tests of a kind run at a time in this process, and on which threads.
///
/// ```swift
/// @Suite("Commands over a channel", .programs)
/// ```
///
/// Tests of a lane may block a thread: they have threads of their own, while all others share as many as there are cores.
public struct Lane: SuiteTrait, TestTrait, TestScoping {
  let name: String
  let width: Int
  /// It goes before what else waits in its lane, so that nothing that takes long is left for the end.
  let isLong: Bool

  /// A test that still runs after so long fails. The time that it waits for its turn does not count.
  private static let limit: Duration = TrialReport.isThorough ? .seconds(4 * 3600) : .seconds(1200)
  @TaskLocal private static var held: Set<String> = []

  /// Whether the running test may start programs and block its thread.
  static var isHeld: Bool { !held.isEmpty }

  public var isRecursive: Bool { true }

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing body: @concurrent @Sendable () async throws -> Void
  ) async throws {
    guard !Self.held.contains(name) else { return try await body() }
    await Self.calm.value
    let gate = Gate.of(self)
    await gate.enter(first: isLong)
    defer { gate.leave() }
    try await Self.$held.withValue(Self.held.union([name])) {
      try await withTaskExecutorPreference(ElasticThreads.shared) { try await Self.limited(body) }
    }
  }

  /// Ends when the threads that all other tests share are through with most of them. What libraries do on these threads, such as
  /// writing a child's standard input, would wait behind hundreds of tests, longer than limits of what is tested.
  private static let calm = Task.detached {
    let begun = ContinuousClock().stopwatch()
    var quickTurns = 0
    while quickTurns < 10, begun() < .seconds(120) {
      let turn = ContinuousClock().stopwatch()
      await Task.detached {}.value
      quickTurns = turn() < .milliseconds(20) ? quickTurns + 1 : 0
      try? await Task.sleep(for: .milliseconds(20))  // nobody cancels it
    }
  }

  private static func limited(_ body: @concurrent @Sendable () async throws -> Void) async throws {
    try await withoutActuallyEscaping(body) { body in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await body() }
        group.addTask {
          try await Task.sleep(for: limit)
          Issue.record("it still ran after \(limit)")
        }
        defer { group.cancelAll() }
        _ = try await group.next()
      }
    }
  }
}

extension Trait where Self == Lane {
  /// Starts programs, or blocks its thread.
  public static var programs: Lane { .atMost(6, "programs") }

  /// The same for a suite that takes longer than most.
  public static var longPrograms: Lane { Lane(name: programs.name, width: programs.width, isLong: true) }

  /// - Parameter name: the kind; the same width goes with the same name.
  public static func atMost(_ width: Int, _ name: String) -> Lane { Lane(name: name, width: width, isLong: false) }
}

/// Lets in so many at a time, in the order in which they came, but for those that go first.
private final class Gate: Sendable {
  private struct State {
    var free: Int
    var first: [CheckedContinuation<Void, Never>] = []
    var others: [CheckedContinuation<Void, Never>] = []
  }

  private static let all = Mutex<[String: Gate]>([:])
  private let state: Mutex<State>

  private init(width: Int) { state = Mutex(State(free: width)) }

  static func of(_ lane: Lane) -> Gate {
    all.withLock { gates in
      let gate = gates[lane.name] ?? Gate(width: lane.width)
      gates[lane.name] = gate
      return gate
    }
  }

  func enter(first: Bool) async {
    await withCheckedContinuation { turn in
      let isFree = state.withLock { state in
        if state.free > 0 {
          state.free -= 1
          return true
        }
        if first { state.first.append(turn) } else { state.others.append(turn) }
        return false
      }
      if isFree { turn.resume() }
    }
  }

  func leave() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if !state.first.isEmpty { return state.first.removeFirst() }
      if !state.others.isEmpty { return state.others.removeFirst() }
      state.free += 1
      return nil
    }
    next?.resume()
  }
}

/// Runs each job at once, on a thread that nobody else needs: as many threads as there are jobs that run or block.
private final class ElasticThreads: TaskExecutor {
  static let shared = ElasticThreads()

  private struct State {
    var jobs: [UnownedJob] = []
    var idle = 0
  }

  private let condition = NSCondition()
  nonisolated(unsafe) private var state = State()  // only under `condition`

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.withLock {
      state.jobs.append(job)
      if state.jobs.count > state.idle { Thread { self.work() }.start() } else { condition.signal() }
    }
  }

  private func work() -> Never {
    while true {
      let job = condition.withLock {
        while state.jobs.isEmpty {
          state.idle += 1
          condition.wait()
          state.idle -= 1
        }
        return state.jobs.removeFirst()
      }
      job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}
