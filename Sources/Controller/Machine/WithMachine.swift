import Foundation
import PrivateSSHD
import SSH
import Shared

/// A machine that is up: how to reach it.
struct MachineAddress: Sendable {
  var destination: SSHDestination
  var authentication: [SSHAuthentication]
  var knownHosts: [String]
  /// For words: `this machine`, `bench@10.0.0.4`.
  var name: String
}

/// How a person proves who they are to an `ssh://` machine.
struct SSHIdentity: Sendable, Equatable {
  /// A private key's file; `nil` for the agent, then the usual files.
  var keyFile: String?
  var passphrase: String?
  var knownHosts: String
  var home: String

  var methods: [SSHAuthentication] {
    if let keyFile { return [.keyFile(path: keyFile, passphrase: passphrase)] }
    let usual = ["id_ed25519", "id_ecdsa"].map { "\(home)/.ssh/\($0)" }
      .filter { FileManager.default.fileExists(atPath: $0) }
    let agent: [SSHAuthentication] =
      ProcessInfo.processInfo.environment["SSH_AUTH_SOCK"] == nil ? [] : [.agent(publicKeyFile: nil)]
    return agent + usual.map { .keyFile(path: $0, passphrase: passphrase) }
  }
}

/// Has the machine for the length of `body`; gives it back on return, throw and cancellation.
func withMachine<Result: Sendable>(
  _ choice: MachineChoice, identity: SSHIdentity, environment: [String: String],
  _ body: (MachineAddress) async throws -> Result
) async throws -> Result {
  switch choice {
  case .local:
    // The far end sees what this shell sees, so that the tools found here are found there.
    let options = PrivateSSHDOptions(environment: environment.filter { isPassedOn($0.key) })
    return try await withPrivateSSHD(options) { server in
      try await body(
        MachineAddress(
          destination: SSHDestination(host: "127.0.0.1", port: server.port, user: server.user),
          authentication: [.keyFile(path: server.clientKey, passphrase: nil)], knownHosts: [server.knownHosts],
          name: "this machine"))
    }
  case .ssh(let destination):
    let methods = identity.methods
    guard !methods.isEmpty else {
      throw Problem(
        what: "there is no key to log in to \(destination.user)@\(destination.host) with",
        why: "no ssh-agent runs, and neither ~/.ssh/id_ed25519 nor ~/.ssh/id_ecdsa exists",
        fix: "name a key with --identity FILE, or make one: ssh-keygen -t ed25519", exitStatus: .usage)
    }
    return try await body(
      MachineAddress(
        destination: destination, authentication: methods, knownHosts: [identity.knownHosts],
        name: "\(destination.user)@\(destination.host)"))
  }
}

/// Which variables of this shell a session on this machine gets: where programs and certificates are, how the network is
/// reached, how uv is set up. Secrets have other names.
func isPassedOn(_ name: String) -> Bool {
  let exact = ["PATH", "CF_BENCH_HOME", "CF_BENCH_LOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"]
  let proxies = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]
  let isCredential = ["TOKEN", "PASSWORD", "USERNAME", "CREDENTIAL"].contains { name.contains($0) }
  return exact.contains(name) || proxies.contains(name.lowercased()) || (name.hasPrefix("UV_") && !isCredential)
}
