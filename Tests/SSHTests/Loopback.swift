import Foundation
import LocalSSHD
import SSH
import Shared
import Subprocess
import TestSupport
import Testing

/// A private sshd and the way to it.
struct Loopback: Sendable {
  var server: PrivateSSHD
  var destination: SSHDestination { SSHDestination(host: "127.0.0.1", port: server.port, user: server.user) }

  static func with<R: Sendable>(
    _ options: PrivateSSHDOptions = .init(), _ body: (Loopback) async throws -> R
  ) async throws -> R {
    try await withPrivateSSHD(options) { try await body(Loopback(server: $0)) }
  }

  func connect(
    _ authentication: [SSHAuthentication]? = nil, knownHosts: [String]? = nil, limits: SSHLimits = .init()
  ) async throws -> SSHConnection {
    try await SSHConnection.connect(
      to: destination, authentication: authentication ?? [.keyFile(path: server.clientKey)],
      knownHosts: knownHosts ?? [server.knownHosts], limits: limits)
  }

  /// What connecting fails with.
  func failure(
    _ authentication: [SSHAuthentication]? = nil, knownHosts: [String]? = nil, limits: SSHLimits = .init(),
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> Problem {
    do {
      await (try connect(authentication, knownHosts: knownHosts, limits: limits)).close()
    } catch let error as SSHError {
      return error.problem
    }
    Issue.record("the connection was made", sourceLocation: sourceLocation)
    return Problem(what: "", fix: "", exitStatus: .done)
  }

  func log() throws -> String { try String(contentsOfFile: server.log, encoding: .utf8) }

  /// Makes a key in the server's own folder; returns its path.
  func makeKey(_ name: String, _ arguments: String...) async throws -> String {
    let path = server.folder + "/" + name
    try await run("ssh-keygen", ["-q", "-f", path, "-C", name] + arguments)
    return path
  }

  /// Makes the server take a key as well.
  func authorize(_ key: String) throws {
    let file = server.folder + "/authorized_keys"
    let all = try String(contentsOfFile: file, encoding: .utf8) + String(contentsOfFile: key + ".pub", encoding: .utf8)
    try all.write(toFile: file, atomically: true, encoding: .utf8)
  }

  @discardableResult
  func run(_ name: String, _ arguments: [String]) async throws -> String {
    let result = try await Subprocess.run(
      .name(name), arguments: Arguments(arguments), output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
    try #require(result.terminationStatus.isSuccess, "\(name): \(result.standardError)")
    return result.standardOutput
  }
}

extension SSHByteStream {
  /// All bytes to the end.
  func collect() async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await chunk in self { bytes += chunk }
    return bytes
  }
}
