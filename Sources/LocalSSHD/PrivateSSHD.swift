import Foundation
import Shared

/// A real `sshd` of this process's own: on a loopback port, with fresh keys, for the current user only.
public struct PrivateSSHD: Sendable {
  public let port: Int
  public let user: String
  /// Holds the keys, the configuration and the log; gone when the server is.
  public let folder: String
  /// The private key that it takes.
  public var clientKey: String { folder + "/client" }
  /// A known_hosts file that vouches for it.
  public var knownHosts: String { folder + "/known_hosts" }
  /// What the server says of itself.
  public var log: String { folder + "/log" }
}

public struct PrivateSSHDOptions: Sendable {
  /// Variables that sessions get, such as `PATH`.
  public var environment: [String: String]
  /// More lines of sshd_config(5).
  public var extraConfiguration: [String]
  /// Options of the client's key in authorized_keys, such as `restrict`; sshd(8) has them.
  public var keyOptions: String?
  /// Key types of the host, as ssh-keygen(1) names them.
  public var hostKeyTypes: [String]

  public init(
    environment: [String: String] = [:], extraConfiguration: [String] = [], hostKeyTypes: [String] = ["ed25519"],
    keyOptions: String? = nil
  ) {
    self.keyOptions = keyOptions
    self.environment = environment
    self.extraConfiguration = extraConfiguration
    self.hostKeyTypes = hostKeyTypes
  }
}

/// The server did not come up.
public struct PrivateSSHDFailure: UserFacingError {
  public var why: String?
  public var fix: String
  public var what: String { "can't start a private sshd on this machine" }
  public var exitStatus: ExitStatus { .infrastructure }
}

/// Has a private sshd for the length of `body`. It ends and its folder vanishes on return, throw and cancellation, and
/// also when this process is killed: its process reads a pipe that only this process holds. Where that process is killed as
/// well, the folder goes with the next ``ScratchFolder/sweep()``.
public func withPrivateSSHD<Result: Sendable>(
  _ options: PrivateSSHDOptions = .init(), _ body: (PrivateSSHD) async throws -> Result
) async throws -> Result {
  let process = try await SSHDProcess.start(options)
  defer { process.stop() }
  return try await body(process.server)
}
