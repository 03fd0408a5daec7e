import Foundation
import LocalSSHD
import SSH
import Shared
import Subprocess
import TestSupport
import Testing

@Suite("Who we are: keys from files and from ssh-agent", .programs)
struct KeyTests {
  @Test(
    "ed25519 and ECDSA keys log in, with and without a passphrase",
    arguments: [
      ["-t", "ed25519"], ["-t", "ecdsa", "-b", "256"], ["-t", "ecdsa", "-b", "384"], ["-t", "ecdsa", "-b", "521"],
    ])
  func kinds(type: [String]) async throws {
    try await Loopback.with { loopback in
      for passphrase in ["", "open sesame"] {
        let path = loopback.server.folder + "/key\(passphrase.count)"
        try await loopback.run("ssh-keygen", ["-q", "-f", path, "-N", passphrase] + type)
        try loopback.authorize(path)
        let connection = try await loopback.connect([
          .keyFile(path: path, passphrase: passphrase.isEmpty ? nil : passphrase)
        ])
        #expect(try await connection.run("echo in", limit: .seconds(300)).text == "in\n")
        await connection.close()
      }
    }
  }

  @Test(
    "a missing file, a public half, no key at all, a locked key, a wrong passphrase: each in its own words")
  func files() async throws {
    try await Loopback.with { loopback in
      let folder = loopback.server.folder
      let locked = try await loopback.makeKey("locked", "-t", "ed25519", "-N", "right")
      try "no key".write(toFile: folder + "/text", atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder + "/text")
      func words(_ path: String, _ passphrase: String? = nil) async throws -> String {
        let problem = try await loopback.failure([.keyFile(path: path, passphrase: passphrase)])
        #expect(!problem.fix.isEmpty)
        return problem.what + " / " + (problem.why ?? "")
      }
      #expect(try await words(folder + "/nowhere").contains("there is no key file"))
      #expect(try await words(folder + "/client.pub").contains("public half"))
      #expect(try await words(folder + "/text").contains("not a private key"))
      #expect(try await words(locked).contains("needs a passphrase"))
      #expect(try await words(locked, "wrong").contains("passphrase"))
    }
  }

  @Test("a key that the server does not take names user, host and fingerprint")
  func refused() async throws {
    try await Loopback.with { loopback in
      let stranger = try await loopback.makeKey("stranger", "-t", "ed25519", "-N", "")
      let problem = try await loopback.failure([.keyFile(path: stranger)])
      #expect(problem.what.contains("refuses the key"))
      #expect(problem.what.contains("SHA256:"))
      #expect(problem.what.contains(loopback.server.user))
      #expect(problem.fix.contains("ssh-copy-id"))
    }
  }

  @Test("an RSA key either works or is explained, never just refused")
  func rsa() async throws {
    try await Loopback.with { loopback in
      let path = try await loopback.makeKey("rsa", "-t", "rsa", "-b", "2048", "-N", "")
      try loopback.authorize(path)
      do {
        await (try loopback.connect([.keyFile(path: path)])).close()
      } catch let error as SSHError {
        #expect(error.problem.why?.contains("SHA-1") == true)
        #expect(error.problem.fix.contains("ed25519"))
      }
    }
  }

  @Test("a server with nothing but an RSA host key either works or is explained")
  func rsaHost() async throws {
    try await Loopback.with(PrivateSSHDOptions(hostKeyTypes: ["rsa"])) { loopback in
      do { await (try loopback.connect()).close() } catch let error as SSHError {
        #expect(error.problem.what.contains("RSA"))
        #expect(!error.problem.fix.isEmpty)
      }
    }
  }

  /// Has a real ssh-agent, whose socket is named in this process's environment. Tests that use it run one at a time.
  @Suite("ssh-agent", .serialized)
  struct AgentKeys {
    private func withAgent(_ loopback: Loopback, _ body: (_ pid: pid_t) async throws -> Void) async throws {
      let socket = loopback.server.folder + "/agent"
      let said = try await loopback.run("ssh-agent", ["-a", socket])
      let pid = try #require(said.firstMatch(of: /SSH_AGENT_PID=(\d+)/).flatMap { pid_t($0.output.1) })
      let before = getenv("SSH_AUTH_SOCK").map { String(cString: $0) }
      setenv("SSH_AUTH_SOCK", socket, 1)
      defer {
        kill(pid, SIGKILL)
        if let before { setenv("SSH_AUTH_SOCK", before, 1) } else { unsetenv("SSH_AUTH_SOCK") }
      }
      try await body(pid)
    }

    @Test("a key that the agent holds logs in; an empty agent says so")
    func held() async throws {
      try await Loopback.with { loopback in
        try await withAgent(loopback) { _ in
          #expect(try await loopback.failure([.agent()]).rendered.contains("holds no key"))
          try await loopback.run("ssh-add", ["-q", loopback.server.clientKey])
          let connection = try await loopback.connect([.agent()])
          #expect(try await connection.run("echo in", limit: .seconds(300)).text == "in\n")
          await connection.close()
        }
      }
    }

    @Test("a stopped agent is given up within its limit")
    func stopped() async throws {
      try await Loopback.with { loopback in
        try await withAgent(loopback) { pid in
          kill(pid, SIGSTOP)
          let problem = try await loopback.failure([.agent()], limits: SSHLimits(agent: .milliseconds(500)))
          #expect(problem.rendered.contains("did not answer"))
        }
      }
    }
  }
}
