import Foundation
import LocalSSHD
import SSH
import Shared
import SystemPackage

/// A machine that is up: how to reach it.
struct MachineAddress: Sendable {
  var destination: SSHDestination
  var authentication: [SSHAuthentication]
  var knownHosts: [String]
  /// For words: `this machine`, `bench@10.0.0.4`.
  var name: String
}

/// Which machine, and what it takes to have it.
struct MachineAccess: Sendable {
  var choice: MachineChoice
  var identity: SSHIdentity
  var environment: [String: String]
  var settings: Settings

  /// Who asks for it, and for how long: what a VM's lease says.
  struct Claim: Sendable {
    var run: String
    var owner: String
    var lease: Duration
    /// How long it will take as far as one can tell: what a limit on spending goes by; the lease where nobody knows.
    var expected: Duration?
  }

  /// Has the machine for the length of `body`; gives it back on return, throw and cancellation.
  /// - Parameter note: says to the person what goes on meanwhile.
  func with<Result: Sendable>(
    _ claim: Claim, note: @escaping @Sendable (String) -> Void, _ body: (MachineAddress) async throws -> Result
  ) async throws -> (result: Result, use: MachineUseRecord?) {
    switch choice {
    case .azure: return try await withAzure(claim, note: note, body)
    case .local: return (try await withLocal(body), nil)
    case .ssh(let destination): return (try await body(try address(of: destination)), nil)
    }
  }

  /// The flags that lead to this machine, as a person would write them: for words that name a command.
  var flags: String {
    var words = ["--machine", choice.description]
    // What stands in a file or a variable is there for the next command too.
    if case .given(.flag) = settings.origin(of: "ssh.identity"), let file = settings.sshIdentity {
      words += ["--identity", file.string]
    }
    if case .given(.flag) = settings.origin(of: "ssh.known-hosts"), let file = settings.sshKnownHosts {
      words += ["--known-hosts", file.string]
    }
    return ShellWords.join(words)
  }

  private func withLocal<Result: Sendable>(_ body: (MachineAddress) async throws -> Result) async throws -> Result {
    // The benchmark host sees what this shell sees, so that the tools found here are found there; what came with cf-bench stands behind.
    var passed = environment.filter { isPassedOn($0.key) }
    passed["PATH"] = ([passed["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"] + ToolSupply.folders).joined(separator: ":")
    let options = PrivateSSHDOptions(environment: passed)
    return try await withPrivateSSHD(options) { server in
      try await body(
        MachineAddress(
          destination: SSHDestination(host: "127.0.0.1", port: server.port, user: server.user),
          authentication: [.keyFile(path: server.clientKey, passphrase: nil)], knownHosts: [server.knownHosts],
          name: "this machine"))
    }
  }

  private func address(of destination: SSHDestination) throws -> MachineAddress {
    let name = "\(destination.user)@\(destination.host)"
    return MachineAddress(
      destination: destination, authentication: try identity.methods(for: name), knownHosts: [identity.knownHosts],
      name: name)
  }
}

/// Which variables of this shell a session on this machine gets: where programs and certificates are, how the network is
/// reached, how uv is set up. Secrets have other names.
func isPassedOn(_ name: String) -> Bool {
  let exact = [
    "PATH", "CF_BENCH_HOME", "CF_BENCH_LOCK", "CF_BENCH_CONFINE", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
  ]
  let proxies = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]
  let isCredential = ["TOKEN", "PASSWORD", "USERNAME", "CREDENTIAL"].contains { name.contains($0) }
  return exact.contains(name) || proxies.contains(name.lowercased()) || (name.hasPrefix("UV_") && !isCredential)
}
