import Foundation
import LocalSSHD
import Shared
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// A real sshd whose only key lets in nothing but the agent of the testbed's home, by the line that `cf-bench authorize`
/// prints.
struct RestrictedKeyTestbed: Sendable {
  var testbed: Testbed
  var server: PrivateSSHD
  /// Where the agent's home is.
  var home: String

  /// - Parameters:
  ///   - isRestricted: otherwise the key may do everything.
  ///   - agent: makes the program that the stable name leads to; gets the home where it has to be.
  static func with(
    home: String? = nil, configuration: [String] = [], isRestricted: Bool = true,
    agent: @escaping @Sendable (Testbed, String) async throws -> Void,
    _ body: @escaping @Sendable (RestrictedKeyTestbed) async throws -> Void
  ) async throws {
    try await Testbed.with { testbed in
      let home = home ?? testbed.folder + "/far"
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1))
      try testbed.writeProjects()
      try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
      try await agent(testbed, home)
      _ = try await testbed.tool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", testbed.folder + "/any"])
      let line = try await testbed.bench(["authorize", "any.pub", "--home", home])
      #expect(line.status == 0 && line.error.contains("authorized_keys"), "\(line.error)")
      let passed = testbed.environment.filter {
        ["PATH", "CF_BENCH_LOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"].contains($0.key)
      }
      let restriction = try #require(line.output.components(separatedBy: " ssh-ed25519 ").first)
      let options = PrivateSSHDOptions(
        environment: passed, extraConfiguration: configuration, keyOptions: isRestricted ? restriction : nil)
      try await withPrivateSSHD(options) {
        try await body(RestrictedKeyTestbed(testbed: testbed, server: $0, home: home))
      }
    }
  }

  /// An agent as an earlier build left it: the built one under another digest.
  static func installOlder(_ testbed: Testbed, _ home: String) async throws {
    let bytes = try Data(contentsOf: URL(filePath: BuiltProduct.path("cf-bench-agent"))) + Data("older".utf8)
    let digest = SHA256.hex(bytes)
    let folder = "\(home)/agents/\(digest)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try placeProgram(bytes, at: folder + "/cf-bench-agent")
    try FileManager.default.createSymbolicLink(
      atPath: home + "/cf-bench-agent", withDestinationPath: "agents/\(digest)/cf-bench-agent")
  }

  /// A program of a few lines in the agent's place.
  static func script(_ text: String) -> @Sendable (Testbed, String) async throws -> Void {
    { testbed, home in
      try placeProgram("#!/bin/bash\n\(text)\n", at: home + "/cf-bench-agent")
    }
  }

  /// The built agent whose hello, and nothing else, is changed on its way by `sed`.
  static func changed(_ expression: String) throws -> @Sendable (Testbed, String) async throws -> Void {
    script("'\(try BuiltProduct.path("cf-bench-agent"))' \"$@\" | sed -u '/\"type\":\"hello\"/{\(expression)}'")
  }

  var login: [String] {
    [
      "--machine", "ssh://\(server.user)@127.0.0.1:\(server.port)", "--identity", server.clientKey, "--known-hosts",
      server.knownHosts,
    ]
  }

  /// The digest of the agent that the stable name leads to.
  func current() throws -> String {
    let link = try FileManager.default.destinationOfSymbolicLink(atPath: home + "/cf-bench-agent")
    return String(link.split(separator: "/")[1])
  }
}
