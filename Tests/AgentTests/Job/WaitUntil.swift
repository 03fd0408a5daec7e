import Foundation
import Testing

/// Waits until `condition` holds, looking every few milliseconds; at most five minutes.
func waitUntil(
  _ condition: () throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
  let deadline = ContinuousClock.now + .seconds(300)
  while try !condition() {
    try #require(ContinuousClock.now < deadline, "gave up waiting", sourceLocation: sourceLocation)
    try await Task.sleep(for: .milliseconds(5))
  }
}
