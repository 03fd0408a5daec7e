import FoundationEssentials
import Shared

extension AzureClient {
  private static var lookEvery: Duration { .seconds(2) }

  /// Waits until the VM is deallocated.
  /// - Returns: false when it is on again or the limit passes: the request has to be made once more.
  func waitForDeallocation(limit: Duration, patience: RetryPolicy) async throws -> Bool {
    let deadline = ContinuousClock.now + limit
    var looksWhileOn = 0
    while ContinuousClock.now < deadline {
      let power = try await patience.with { try await view() }.power
      if power == .deallocated { return true }
      // Right after the request the view may still be the old one.
      if power == .running { looksWhileOn += 1 }
      if looksWhileOn > 3 { return false }
      try await Task.sleep(for: Self.lookEvery)
    }
    return false
  }

  /// Waits for another controller's stop to end, one way or the other: deallocated, or the claim taken back or over.
  func waitForStop(of run: String, limit: Duration) async throws -> VMView {
    try await withLimit(limit, waitingFor: "another run to stop the VM \(vm)") {
      while true {
        let seen = try await view()
        if seen.power == .deallocated || !seen.board.isBeingStopped(byOtherThan: run) { return seen }
        try await Task.sleep(for: Self.lookEvery)
      }
    }
  }
}
