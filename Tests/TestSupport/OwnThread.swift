import Foundation
import Testing

/// Runs a test on a thread of its own. Tests share a pool with as many threads as there are cores: one that blocks for long
/// would hold up every other.
public struct OwnThread: TestTrait, SuiteTrait, TestScoping {
  public var isRecursive: Bool { true }

  @concurrent public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    // A suite has no case of its own.
    guard testCase != nil else { return try await function() }
    try await withTaskExecutorPreference(ThreadForEachJob()) { try await function() }
  }
}

extension Trait where Self == OwnThread {
  /// For tests that wait for programs without a suspension point.
  public static var ownThread: Self { OwnThread() }
}

private final class ThreadForEachJob: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let thread = Thread { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    thread.stackSize = 8 << 20
    thread.start()
  }
}
