import Azure
import Foundation
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

  /// The setting's default: what is known from here decides.
  static let automatic = "auto"

  /// What the settings say; with nothing said the VM in Azure where one is known, because it was made from here or the settings
  /// speak of it, else this machine, but not in CI.
  /// - Returns: the choice, and in words why, where it was guessed; without such words in CI, where who measures has to ask for it.
  static func settled(_ settings: Settings, environment: [String: String]) throws -> (Self, guessed: String?) {
    guard settings.machine == automatic else { return (try MachineChoice(settings.machine), nil) }
    let vm = settings.azure.machine
    let isMade = access(StateFolder(environment: environment).keys(of: vm), F_OK) == 0
    if isMade || settings.origins.keys.contains(where: { $0.hasPrefix("azure.") }) {
      let why = isMade ? "it was made from here" : "the settings speak of it"
      return (.azure, "measuring on the VM \(vm) in Azure: \(why) (--machine local for this machine)")
    }
    guard environment["CI"]?.isEmpty != false else { return (.azure, nil) }
    return (.local, "measuring on this machine: no VM in Azure is known here (--machine names another)")
  }

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
