/// Something did not come in time.
public struct LimitPassed: UserFacingError {
  public var waitedFor: String
  public var limit: Duration

  public init(waitedFor: String, limit: Duration) {
    self.waitedFor = waitedFor
    self.limit = limit
  }

  public var what: String {
    "gave up waiting for \(waitedFor) after \(limit.words)"
  }
  public var why: String? { nil }
  public var fix: String { "try again; 'cf-bench doctor' shows whether the machine and the agent answer" }
  public var exitStatus: ExitStatus { .infrastructure }
}

/// Runs `body`, cancelling it and throwing ``LimitPassed`` once `limit` has gone by.
public func withLimit<Result: Sendable>(
  _ limit: Duration, waitingFor what: String, clock: any Clock<Duration> = ContinuousClock(),
  _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  try await withLimit(limit, late: LimitPassed(waitedFor: what, limit: limit), clock: clock, body)
}

/// Runs `body`, cancelling it and throwing `late` once `limit` has gone by. `body` must end soon after being cancelled.
public func withLimit<Result: Sendable>(
  _ limit: Duration, late: any Error, clock: any Clock<Duration> = ContinuousClock(),
  _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  try await withThrowingTaskGroup(of: Result?.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await clock.sleep(for: limit)
      return nil
    }
    defer { group.cancelAll() }
    guard let first = try await group.next(), let result = first else { throw late }
    return result
  }
}

extension Clock where Duration == Swift.Duration {
  /// - Returns: tells how long ago this was called.
  public func stopwatch() -> @Sendable () -> Duration {
    let start = now
    return { start.duration(to: now) }
  }
}

extension Duration {
  /// For a person who waits: `500 ms`, `42 s`, `3 min`, `3 min 5 s`, `2 h 10 min`.
  public var words: String {
    let seconds = self / .seconds(1)
    guard seconds >= 1 else { return "\(Int((seconds * 1000).rounded())) ms" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    let (large, small, names) =
      whole < 3600 ? (whole / 60, whole % 60, ("min", "s")) : (whole / 3600, whole % 3600 / 60, ("h", "min"))
    return small == 0 ? "\(large) \(names.0)" : "\(large) \(names.0) \(small) \(names.1)"
  }
}
