import Synchronization

/// A value behind a lock, and the tasks that wait for it to change. Waiting ends at once when the task is cancelled.
final class AsyncCondition<State: Sendable>: Sendable {
  private enum Waiter {
    /// Has seen that it must wait, and is about to suspend.
    case announced
    case suspended(CheckedContinuation<Void, any Error>)
    case cancelled
  }

  private struct Content {
    var state: State
    var waiters: [UInt64: Waiter] = [:]
    var lastTicket: UInt64 = 0
  }

  private let content: Mutex<Content>

  init(_ state: State) { content = Mutex(Content(state: state)) }

  /// Looks at the value; wakes nobody.
  func read<R: Sendable>(_ body: (State) -> R) -> R { content.withLock { body($0.state) } }

  /// Changes the value without waking those who wait: for changes that give nobody what he waits for.
  func updateQuietly<R: Sendable>(_ body: (inout State) -> R) -> R { content.withLock { body(&$0.state) } }

  /// Changes the value and lets everyone who waits look again.
  @discardableResult
  func update<R: Sendable>(_ body: (inout State) -> R) -> R {
    let (result, woken) = content.withLock { content -> (R, [Waiter]) in
      let result = body(&content.state)
      guard !content.waiters.isEmpty else { return (result, []) }
      let woken = content.waiters.filter { if case .cancelled = $0.value { false } else { true } }
      for ticket in woken.keys { content.waiters[ticket] = nil }
      return (result, Array(woken.values))
    }
    for case .suspended(let continuation) in woken { continuation.resume() }
    return result
  }

  /// Waits until `answer` has one. It runs under the lock, each time the value has changed, and may change the value itself.
  /// - Throws: `CancellationError` when the waiting task is cancelled.
  func wait<R: Sendable>(for answer: (inout State) -> R?) async throws -> R {
    while true {
      let (found, ticket) = content.withLock { content -> (R?, UInt64) in
        if let found = answer(&content.state) { return (found, 0) }
        content.lastTicket += 1
        content.waiters[content.lastTicket] = .announced
        return (nil, content.lastTicket)
      }
      if let found { return found }
      try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { suspend(ticket, $0) }
      } onCancel: {
        cancel(ticket)
      }
    }
  }

  private func suspend(_ ticket: UInt64, _ continuation: CheckedContinuation<Void, any Error>) {
    let outcome: Result<Void, any Error>? = content.withLock { content in
      switch content.waiters[ticket] {
      case .announced:
        content.waiters[ticket] = .suspended(continuation)
        return nil
      case .cancelled:
        content.waiters[ticket] = nil
        return .failure(CancellationError())
      case nil, .suspended:  // the value changed in between
        return .success(())
      }
    }
    if let outcome { continuation.resume(with: outcome) }
  }

  private func cancel(_ ticket: UInt64) {
    let continuation: CheckedContinuation<Void, any Error>? = content.withLock { content in
      switch content.waiters[ticket] {
      case .suspended(let continuation):
        content.waiters[ticket] = nil
        return continuation
      case .announced:
        content.waiters[ticket] = .cancelled
        return nil
      case nil, .cancelled:
        return nil
      }
    }
    continuation?.resume(throwing: CancellationError())
  }
}
