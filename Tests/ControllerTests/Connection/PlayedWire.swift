import Shared
import Synchronization

@testable import ControllerCore
@testable import SSH

/// An agent that a test plays: what it says next, and what was sent to it.
final class PlayedWire: AgentWire {
  enum Turn {
    case says([UInt8])
    case breaks(any Error)
    /// Nothing comes until the session hangs up.
    case silence
  }

  private struct State {
    var turns: [Turn]
    var sent: [AgentRequest] = []
    /// Why nothing can be sent.
    var sendFailure: SSHError?
    var ended = false
    var waiter: CheckedContinuation<Void, Never>?
  }
  private let state: Mutex<State>

  init(_ turns: [Turn]) { state = Mutex(State(turns: turns)) }

  convenience init(_ messages: [AgentMessage]) throws { self.init([.says(try messages.flatMap { try $0.line() })]) }

  var sent: [AgentRequest] { state.withLock { $0.sent } }
  var isEnded: Bool { state.withLock { $0.ended } }

  func refuseToSend(_ failure: SSHError) { state.withLock { $0.sendFailure = failure } }

  func send(_ bytes: [UInt8]) async throws {
    let request = try AgentRequest(line: bytes.dropLast())
    let failure = state.withLock { state in
      if state.sendFailure == nil { state.sent.append(request) }
      return state.sendFailure
    }
    if let failure { throw failure }
  }

  func next() async throws -> [UInt8]? {
    let turn = state.withLock { $0.turns.isEmpty ? nil : $0.turns.removeFirst() }
    switch turn {
    case nil: return nil
    case .says(let bytes): return bytes
    case .breaks(let error): throw error
    case .silence:
      await withCheckedContinuation { waiter in
        let isOver = state.withLock {
          if !$0.ended { $0.waiter = waiter }
          return $0.ended
        }
        if isOver { waiter.resume() }
      }
      return nil
    }
  }

  func hangUp() async { end() }
  func abandon() async { end() }
  func close() async { end() }

  private func end() {
    let waiter = state.withLock { state in
      state.ended = true
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }
}
