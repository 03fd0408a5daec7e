import Foundation
import SSH
import Shared
import TestSupport
import Testing
import Tools

@testable import ControllerCore

@Suite("A line of authorized_keys lets a key measure, and nothing else")
struct AuthorizeTests {
  /// RFC 8709's and ssh-keygen's keys; nobody has the private halves any more.
  private static let ed25519 =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtQZ8P0iHJqjqzhv7JpWqBbAYoHaZlWZyUHPyA0sCbM"

  private func problem(_ text: String) -> Problem? {
    #expect(throws: Problem.self) { _ = try PublicKeyLine(text) }
  }

  @Test("every type of key that ssh-keygen makes, with its fingerprint")
  func types() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      for (type, bits) in [("ed25519", 256), ("rsa", 2048), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521)] {
        let path = "\(folder)/\(type)-\(bits)"
        let made = try await LocalTool.run(
          "ssh-keygen", ["-q", "-t", type, "-b", "\(bits)", "-N", "", "-C", "a b@c", "-f", path])
        #expect(made.succeeded, "\(made.error)")
        let key = try PublicKeyLine(try String(contentsOfFile: path + ".pub", encoding: .utf8))
        let told = try await LocalTool.run("ssh-keygen", ["-lf", path + ".pub"])
        #expect(told.output.contains(key.fingerprint) && key.comment == "a b@c")
        let file = path + ".line"
        let line = try AuthorizedLine(key: key, home: "/srv/cf-bench", expires: "2099-12-31T23:59")
        try Data((line.text + "\n").utf8).write(to: URL(filePath: file))
        #expect(
          try await LocalTool.run("ssh-keygen", ["-lf", file]).output.contains(key.fingerprint), "sshd's own reader")
        #expect(throws: Problem.self, "the private half") {
          _ = try PublicKeyLine(try String(contentsOfFile: path, encoding: .utf8))
        }
      }
    }
  }

  @Test("the line, word for word")
  func line() throws {
    let key = try PublicKeyLine("\n# ours\n\(Self.ed25519) ada@laptop \r\n")
    let body = "\(Self.ed25519) ada@laptop"
    #expect(
      try AuthorizedLine(key: key).text == "restrict,command=\"~/.cf-bench/cf-bench-agent serve\" \(body)")
    #expect(
      try AuthorizedLine(key: key, home: "/srv/b/", expires: "2099-01-31").text
        == "restrict,command=\"env CF_BENCH_HOME=/srv/b /srv/b/cf-bench-agent serve\",expiry-time=\"20990131\" \(body)")
    #expect(try AuthorizedLine(key: try PublicKeyLine(Self.ed25519)).text.hasSuffix(Self.ed25519))
  }

  @Test(
    "what is no public key, or would change the line, is refused with the reason",
    arguments: [
      ("", "no key"), ("\n\n", "no key"), ("hello world", "begins with none"), ("ssh-ed25519", "base64"),
      ("ssh-ed25519 AAAA", "parts"), ("ssh-ed25519 !!!!", "base64"),
      ("ssh-dss AAAAB3NzaC1kc3MAAACBAP", "begins with none"),
      ("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIDtQZ8P0iHJqjqzhv7JpWqBbAYoHaZlWZyUHPyA0sCbM", "parts"),
      (String(ed25519.dropLast(4)), "parts"), (ed25519 + "AAAA x", "parts"),
      ("restrict \(ed25519)", "begins with none"), ("command=\"sh\" \(ed25519)", "begins with none"),
      ("ssh-ed25519-cert-v01@openssh.com AAAA x", "begins with none"),
      ("\(ed25519) x\n\(ed25519) y", "2 lines"), ("\(ed25519) x\rcommand=\"sh\" y", "2 lines"),
      ("\(ed25519) a\"b", "quotes"), ("\(ed25519) a\\b", "quotes"), ("\(ed25519) a\u{202e}b", "can't be seen"),
      ("\(ed25519) a\u{0}b", "can't be seen"), ("\(ed25519) a\u{1b}[31m", "can't be seen"),
    ])
  func refusals(text: String, word: String) {
    let problem = problem(text)
    #expect(problem?.why?.contains(word) == true, "\(String(describing: problem))")
    #expect(problem?.exitStatus == .usage)
  }

  @Test(
    "homes that a shell or sshd would read otherwise",
    arguments: ["", "relative", "~/x", "/a b", "/a\"b", "/a$(x)", "/a;b", "/", "/a/../b", "/a\nb", "/ä"])
  func homes(path: String) throws {
    let key = try PublicKeyLine(Self.ed25519)
    #expect(throws: Problem.self) { _ = try AuthorizedLine(key: key, home: path) }
  }

  @Test("the day at which a key ends is a day to come")
  func days() throws {
    let now = try Timestamp.date("2026-06-15T12:00:00.000Z")
    for (text, wanted) in [
      ("2026-12-31", "20261231"), ("20261231", "20261231"), ("2028-02-29", "20280229"),
      ("2026-12-31T08:05", "202612310805"), ("202612310805", "202612310805"),
    ] {
      #expect(try AuthorizedLine.timeSpecification(text, now: now) == wanted)
    }
    for text in [
      "", "tomorrow", "2026-13-01", "2027-02-29", "2026-12-31T24:00", "2026-06-14", "2026-12", "-1", "20261231Z\"",
    ] {
      #expect(throws: Problem.self, "\(text)") { try AuthorizedLine.timeSpecification(text, now: now) }
    }
  }
}
