import CLibrary
import Foundation
import LocalSSHD
import SSH
import Shared
import Subprocess
import TestSupport
import Testing

@Suite("What listens there may be anything, and our own server leaves nothing behind", .programs)
struct PeerTests {
  /// Has a listener on loopback that says `greeting` to everyone and nothing more.
  private func withListener(_ greeting: String, _ body: (Int) async throws -> Void) async throws {
    let socket = makeStreamSocket(family: AF_INET)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, length) == 0 && listen(socket, 4) == 0 && getsockname(socket, $0, &length) == 0
      }
    }
    try #require(bound)
    let acceptor = Thread {
      while true {
        let peer = acceptConnection(socket)
        guard peer >= 0 else { return }
        if !greeting.isEmpty { _ = write(peer, greeting, greeting.utf8.count) }
      }
    }
    acceptor.start()
    defer { shutdown(socket, Int32(SHUT_RDWR)) }
    try await body(Int(UInt16(bigEndian: address.sin_port)))
  }

  private func failure(port: Int) async -> Problem? {
    let error = await #expect(throws: SSHError.self) {
      try await SSHConnection.connect(
        to: SSHDestination(host: "127.0.0.1", port: port, user: "nobody"), authentication: [], knownHosts: [],
        limits: SSHLimits(handshake: .milliseconds(500)))
    }
    return error?.problem
  }

  @Test("a server that accepts and says nothing is given up")
  func silent() async throws {
    try await withListener("") { port in
      #expect(await failure(port: port)?.what.contains("took longer") == true)
    }
  }

  @Test("a web server is told from an SSH server")
  func notSSH() async throws {
    try await withListener("HTTP/1.1 400 Bad Request\r\n\r\n") { port in
      let problem = await failure(port: port)
      #expect(problem?.what.contains("not an SSH server") == true)
      #expect(problem?.why?.contains("HTTP/1.1") == true)
    }
  }

  @Test("nobody listening")
  func nobody() async throws {
    var free = 0
    try await withListener("") { free = $0 }
    #expect(await failure(port: free)?.what.contains("cannot connect") == true)
  }

  @Test("the private sshd and its folder are gone after its scope, also when that throws")
  func scope() async throws {
    struct Stop: Error {}
    var seen: PrivateSSHD?
    await #expect(throws: Stop.self) {
      try await withPrivateSSHD { server in
        seen = server
        throw Stop()
      }
    }
    let server = try #require(seen)
    #expect(!FileManager.default.fileExists(atPath: server.folder))
    #expect(await failure(port: server.port)?.what.contains("cannot connect") == true)
  }

  @Test(
    "addresses with user, port and IPv6 are read; others are refused with the form to use",
    arguments: [
      ("a@b", "b", 22, "a"), ("ssh://a@b:2222", "b", 2222, "a"), ("a@[::1]:5", "::1", 5, "a"),
    ])
  func addresses(text: String, host: String, port: Int, user: String) throws {
    #expect(try SSHDestination(parsing: text) == SSHDestination(host: host, port: port, user: user))
  }

  @Test(
    "what is no address is refused", arguments: ["", "@", "a@", "a@b:0", "a@b:99999", "-oProxyCommand=x@y", "a b@c"])
  func badAddresses(text: String) {
    let error = #expect(throws: SSHError.self) { try SSHDestination(parsing: text) }
    #expect(error?.fix.contains("user@host") == true)
  }
}
