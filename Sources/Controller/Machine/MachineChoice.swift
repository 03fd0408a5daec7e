import SSH
import Shared

/// Where to run: `--machine`.
enum MachineChoice: Equatable, Sendable, CustomStringConvertible {
  /// This machine, behind a private sshd on loopback.
  case local
  /// Any host one can log in to.
  case ssh(SSHDestination)

  init(_ text: String) throws {
    if text == "local" {
      self = .local
    } else if text.hasPrefix("ssh://") {
      self = .ssh(try SSHDestination(parsing: text))
    } else {
      throw Problem(
        what: "'\(text)' is no machine", why: "known are 'local' and 'ssh://user@host[:port]'",
        fix: "use --machine local to measure on this machine", exitStatus: .usage)
    }
  }

  var description: String {
    switch self {
    case .local: "local"
    case .ssh(let destination): "ssh://\(destination.user)@\(destination.host):\(destination.port)"
    }
  }
}
