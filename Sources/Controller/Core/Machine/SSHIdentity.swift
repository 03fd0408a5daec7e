import Foundation
import SSH
import Shared

/// How a person proves who they are to a machine.
struct SSHIdentity: Sendable, Equatable {
  /// A private key's file; `nil` for the agent, then the usual files.
  var keyFile: String?
  var passphrase: String?
  var knownHosts: String
  var home: String

  /// The ways to try, in order.
  /// - Throws: when there is none.
  func methods(for machine: String) throws -> [SSHAuthentication] {
    if let keyFile { return [.keyFile(path: keyFile, passphrase: passphrase)] }
    let usual = ["id_ed25519", "id_ecdsa"].map { "\(home)/.ssh/\($0)" }
      .filter { FileManager.default.fileExists(atPath: $0) }
    let agent: [SSHAuthentication] =
      ProcessInfo.processInfo.environment["SSH_AUTH_SOCK"] == nil ? [] : [.agent(publicKeyFile: nil)]
    let methods = agent + usual.map { .keyFile(path: $0, passphrase: passphrase) }
    guard !methods.isEmpty else {
      throw Problem(
        what: "there is no key to log in to \(machine) with",
        why: "no ssh-agent runs, and neither ~/.ssh/id_ed25519 nor ~/.ssh/id_ecdsa exists",
        fix: "name a key with --identity FILE, or make one: ssh-keygen -t ed25519", exitStatus: .usage)
    }
    return methods
  }
}
