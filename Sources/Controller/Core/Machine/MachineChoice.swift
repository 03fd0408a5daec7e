import SSH
import Shared

/// Where to run: `--machine`.
enum MachineChoice: Equatable, Sendable, CustomStringConvertible {
  /// The VM of the settings `azure.…`, started for the run and stopped after it.
  case azure
  /// This machine, behind a private sshd on loopback.
  case local
  /// Any host one can log in to.
  case ssh(SSHDestination)

  init(_ text: String) throws {
    if text == "azure" {
      self = .azure
    } else if text == "local" {
      self = .local
    } else if text.hasPrefix("ssh://") {
      self = .ssh(try SSHDestination(parsing: text))
    } else {
      throw Problem(
        what: "unknown machine '\(text)'", why: "it takes 'azure', 'local' or 'ssh://user@host[:port]'",
        fix: "use --machine local to measure on this machine", exitStatus: .usage)
    }
  }

  var description: String {
    switch self {
    case .azure: "azure"
    case .local: "local"
    case .ssh(let destination): "ssh://\(destination.user)@\(destination.host):\(destination.port)"
    }
  }

  /// The first words of a run there.
  var beginning: String {
    switch self {
    case .azure: "asking Azure about the VM"
    case .local: "starting a private sshd on this machine"
    case .ssh: "starting a session with \(self)"
    }
  }
}
