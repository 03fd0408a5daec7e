import SSH
import Shared

/// What an error on the way to a job means for somebody who wants to go on with it.
enum ConnectionFault: Equatable, Sendable {
  /// The connection was there and broke, fell silent, or brought a damaged line.
  case broke
  /// Nobody answers there for now: no route, no address, nobody listening, a host that is still coming up.
  case unreachable
  /// Another try would end in the same way.
  case permanent

  init(_ error: any Error) {
    self =
      switch error {
      case let error as SSHError: error.connectionFault
      case let error as StartRefusal: error.exit.isConnectionFault ? .broke : .permanent
      case let error as WireError: if case .protocolMismatch = error { .permanent } else { .broke }
      case is ConnectionEnded, is LimitPassed, is EventMismatch: .broke
      default: .permanent
      }
  }
}

extension SSHError {
  fileprivate var connectionFault: ConnectionFault {
    switch cause {
    case .lost, .silent, .closed, .inputClosed, .library, .commandTooSlow: .broke
    case .system: step == .connect || step == .resolve ? .unreachable : .broke
    case .noAddress, .limitPassed, .notSSH, .agent(.silent), .agent(.broken): .unreachable
    case .noWayIn(let reasons): reasons.map(\.connectionFault).first { $0 != .permanent } ?? .permanent
    default: .permanent
    }
  }
}

extension SSHExit {
  /// The command did not end by itself: the connection broke, or a signal from outside ended it.
  fileprivate var isConnectionFault: Bool {
    switch self {
    case .status: false
    case .signal, .lost: true
    }
  }
}
