import Foundation
import LocalSSHD
import SSH
import Shared
import TestSupport
import Testing

@Suite("Whom we trust: a host key that is not vouched for ends the connection before a key is shown", .programs)
struct TrustTests {
  /// Runs the case and proves from the server's log that nobody tried to log in.
  private func refused(
    _ loopback: Loopback, _ lines: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> Problem {
    let file = loopback.server.folder + "/known"
    try lines.write(toFile: file, atomically: true, encoding: .utf8)
    let problem = try await loopback.failure(knownHosts: [file], sourceLocation: sourceLocation)
    let log = try loopback.log()
    #expect(!log.contains("Accepted"), sourceLocation: sourceLocation)
    #expect(!log.contains("Failed publickey"), sourceLocation: sourceLocation)
    #expect(!log.contains("userauth"), sourceLocation: sourceLocation)
    return problem
  }

  private func goodLine(_ loopback: Loopback) throws -> String {
    try String(contentsOfFile: loopback.server.knownHosts, encoding: .utf8)
  }

  @Test("an unknown host: its fingerprint, where we looked, how to add it")
  func unknown() async throws {
    try await Loopback.with { loopback in
      let problem = try await refused(loopback, "# nobody\n")
      let fingerprint = try await loopback.run("ssh-keygen", ["-lf", loopback.server.folder + "/host_ed25519.pub"])
      let sha = try #require(fingerprint.split(separator: " ").first { $0.hasPrefix("SHA256:") })
      #expect(problem.what.contains(sha))
      #expect(problem.why?.contains("known") == true)
      #expect(problem.fix.contains("ssh-keyscan"))
      #expect(problem.exitStatus == .infrastructure)
    }
  }

  @Test("a changed host key")
  func changed() async throws {
    try await Loopback.with { loopback in
      let other = try await loopback.makeKey("other", "-t", "ed25519", "-N", "")
      let key = try String(contentsOfFile: other + ".pub", encoding: .utf8).split(separator: " ").prefix(2)
      let problem = try await refused(loopback, "[127.0.0.1]:\(loopback.server.port) \(key.joined(separator: " "))\n")
      #expect(problem.what.contains("has changed"))
      #expect(problem.fix.contains("ssh-keygen -R"))
    }
  }

  @Test("a revoked host key, though another line vouches for it")
  func revoked() async throws {
    try await Loopback.with { loopback in
      let line = try goodLine(loopback)
      let problem = try await refused(
        loopback, line + "@revoked * " + line.split(separator: " ").dropFirst().joined(separator: " "))
      #expect(problem.what.contains("revoked"))
    }
  }

  @Test(
    "the right key for another port or another name vouches for nothing",
    arguments: [
      "[127.0.0.1]:1", "localhost", "!127.0.0.1,*.example.org",
    ])
  func otherName(name: String) async throws {
    try await Loopback.with { loopback in
      let key = try goodLine(loopback).split(separator: " ").dropFirst().joined(separator: " ")
      _ = try await refused(loopback, "\(name) \(key)")
    }
  }

  @Test("hashed names, patterns, lists, carriage returns and rubbish around are understood")
  func understood() async throws {
    try await Loopback.with { loopback in
      let line = try goodLine(loopback)
      let key = line.split(separator: " ").dropFirst().joined(separator: " ")
      let name = "[127.0.0.1]:\(loopback.server.port)"
      let hashed = loopback.server.folder + "/hashed"
      try line.write(toFile: hashed, atomically: true, encoding: .utf8)
      try await loopback.run("ssh-keygen", ["-H", "-f", hashed])
      let variants = [
        try String(contentsOfFile: hashed, encoding: .utf8), "[127.0.0.*]:\(loopback.server.port) \(key)",
        "other.example.org,\(name) \(key)", line.replacingOccurrences(of: "\n", with: "\r\n"),
        "rubbish\n\(String(repeating: "x", count: 9000)) y\n@cert-authority * \(key)\n\(line)",
        String(line.dropLast()),
      ]
      for (index, text) in variants.enumerated() {
        let file = loopback.server.folder + "/variant"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        await #expect(throws: Never.self, "variant \(index)") {
          await (try loopback.connect(knownHosts: [file])).close()
        }
      }
    }
  }
}
