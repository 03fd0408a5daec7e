import Shared

/// How often and for how long a call that failed in passing is made again.
public struct RetryPolicy: Sendable {
  /// From the first failure on.
  public var limit: Duration
  /// Said before each new try: what failed, and how long is still left.
  public var note: @Sendable (String) -> Void
  var clock: any Clock<Duration>

  private static let pauses: [Duration] = [.seconds(1), .seconds(2), .seconds(5), .seconds(10), .seconds(20)]

  /// Runs `body` until it works, it fails for good, or the limit is over; then throws its last error.
  public func with<Result: Sendable>(
    _ body: () async throws -> Result, isPassing: (AzureError) -> Bool = \.isTransient
  ) async throws -> Result {
    let elapsed = clock.stopwatch()
    var pauses = Self.pauses[...]
    while true {
      do { return try await body() } catch let error as AzureError where isPassing(error) {
        let left = limit - elapsed()
        let pause = pauses.popFirst() ?? .seconds(30)
        guard left > pause else { throw error }
        note("\(error.what): trying again in \(pause.words), for \(left.words) at most")
        try await clock.sleep(for: pause)
      }
    }
  }
}

extension AzureClient {
  func retry(for limit: Duration, note: @escaping @Sendable (String) -> Void) -> RetryPolicy {
    RetryPolicy(limit: limit, note: note, clock: cli.clock)
  }
}
