import Shared

/// Something did not come in time.
struct LimitPassed: UserFacingError {
  var waitedFor: String
  var limit: Duration
  var what: String {
    "gave up waiting for \(waitedFor) after \(Numbers.elapsed(limit.inSeconds))"
  }
  var why: String? { nil }
  var fix: String { "try again; 'cf-bench doctor' shows whether the machine and the agent answer" }
  var exitStatus: ExitStatus { .infrastructure }
}

/// Runs `body`, cancelling it and throwing ``LimitPassed`` once `limit` has gone by.
func withLimit<Result: Sendable>(
  _ limit: Duration, waitingFor what: String, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  try await withThrowingTaskGroup(of: Result?.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: limit)
      return nil
    }
    defer { group.cancelAll() }
    guard let first = try await group.next(), let result = first else {
      throw LimitPassed(waitedFor: what, limit: limit)
    }
    return result
  }
}
