import Foundation
import TestSupport
import Testing

@testable import Shared

@Suite("Secrets are masked, in whatever encoding and wherever a text is cut")
struct RedactorTests {
  private static let letters = Array(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=_-.~!@#$%^&*()\"'\\ <>?;:,{}[]|`é漢😀")

  @Test("no secret comes through: in fourteen encodings, whole, byte by byte, and cut anywhere")
  func encodings() throws {
    let began = ContinuousClock.now
    let trials = TrialReport.count(usual: 60)
    var random = TrialReport.random(for: "secrets")
    var leaks: [String] = []
    for _ in 0..<trials {
      let length = Int.random(in: 6...60, using: &random)
      let letters = (0..<length).compactMap { _ in Self.letters.randomElement(using: &random) }
      // A blank at an end is not looked for: nobody types one.
      let secret = "k" + String(letters).trimmingCharacters(in: .whitespaces) + "7end"
      let redactor = Redactor(["another secret", secret])
      for encoding in SecretDisguise.allCases {
        let encoded = encoding.put(on: secret)
        let text = Array("before é \(encoded) after % \\ & done".utf8)
        for (how, shown) in try shown(text, redactor, &random)
        where !encoding.isHidden(encoded, in: shown) || !shown.hasPrefix("before é ") || !shown.hasSuffix(" done") {
          leaks.append("\(encoding), \(how): \(secret) in \(shown)")
        }
      }
    }
    #expect(leaks.isEmpty, "\(leaks.prefix(3))")
    TrialReport.print(
      "random secrets x \(SecretDisguise.allCases.count) encodings x 4 cuts", trials: trials,
      held: trials - min(trials, leaks.count), worst: "\(leaks.count) leaks", since: began)
  }

  private func shown(
    _ text: [UInt8], _ redactor: Redactor, _ random: inout SeededRandom
  ) throws -> [(how: String, text: String)] {
    var all = [("whole", redactor.redacted(text))]
    var byByte = redactor
    all.append(("byte by byte", text.flatMap { byByte.push([$0]) } + byByte.finish()))
    for _ in 0..<2 {
      let cut = Int.random(in: 0...text.count, using: &random)
      var copy = redactor
      all.append(("cut at \(cut)", copy.push(text[..<cut]) + copy.push(text[cut...]) + copy.finish()))
    }
    return try all.map { ($0, try #require(String(validating: $1, as: UTF8.self))) }
  }

  @Test(
    "what has the shape of a secret is masked, and what stands around it is not",
    arguments: [
      ("token ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2 end", "token *** end"),
      ("github_pat_11ABCDEFG0abcdefghij_1234567890", "***"),
      ("Authorization: Bearer abc.def-1234567890abcdefg\n", "Authorization: Bearer ***\n"),
      ("jwt=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_def-ghijkl;", "jwt=***;"),
      ("export CODEFLASH_API_KEY=cf-9fK2mN4pQ7rS1tV5wX8yZ0aB", "export CODEFLASH_API_KEY=***"),
      ("secret abc8Q~x1y2z3a4b5c6d7e8f9g0h1i2j3k4l5m6n7 end", "secret *** end"),
      (
        "https://a.blob/x?sv=1&sig=abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789%3D&se=2",
        "https://a.blob/x?sv=1&sig=***&se=2"
      ),
      ("AccountKey=abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789abcdef==;x", "AccountKey=***;x"),
      ("id AKIAIOSFODNN7EXAMPLE.", "id ***."),
      ("aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12", "aws_secret_access_key = ***"),
      ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n-----END OPENSSH PRIVATE KEY-----\nnext", "***\nnext"),
      ("git clone https://ada:pa55word@host/x", "git clone https://ada:***@host/x"),
      ("https://x0123456789abcdef01234@host/x", "https://***@host/x"),
    ])
  func shapes(text: String, safe: String) {
    #expect(Redactor().redacted(text) == safe)
    var stream = Redactor()
    let pieces = text.utf8.flatMap { stream.push([$0]) } + stream.finish()
    #expect(String(decoding: pieces, as: UTF8.self) == safe)
  }

  @Test(
    "digests, commits, paths, addresses and pictures are no secrets",
    arguments: [
      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "/tmp/cf-bench-test-8F0E4A4B-0123-4567-89AB-0123456789AB/far/jobs/20260131T120000Z-abc123",
      "http://127.0.0.1:8000/cfapi/x", "ssh://user@127.0.0.1:2222", "git@github.com:codeflash-ai/codeflash.git",
      "disk-0123456789abcdef0123456789abcdef", "bearer of good news from somewhere far away indeed",
      "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "eyJ is how base64 of {\" begins",
      "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----",
    ])
  func innocent(text: String) { #expect(Redactor(["hunter22"]).redacted(text) == text) }

  @Test("every event, document and golden file of this project passes as it is")
  func falseAlarms() throws {
    let redactor = Redactor()
    for event in try EveryMessage.numbered() {
      let line = try event.line()
      #expect(redactor.redacted(line: line) == line)
    }
    // A picture as base64, as reports hold them: as long as several keys, of all letters.
    var random = TrialReport.random(for: "picture")
    let picture = Data((0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) }).base64EncodedString()
    #expect(redactor.redacted(picture) == picture)
    let root = SchemaValidator.packageRoot
    for folder in ["docs", "Tests/ControllerTests/Goldens", "fixtures"] {
      let files = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
      for name in files where [".md", ".json", ".txt", ".py", ".svg"].contains(where: name.hasSuffix) {
        let text = try String(contentsOf: root.appending(path: "\(folder)/\(name)"), encoding: .utf8)
        #expect(redactor.redacted(text) == text || folder == "docs" && name == "security.md", "\(folder)/\(name)")
      }
    }
  }

  @Test("a masked line is the same JSON with the secret's letters gone, whatever was escaped")
  func lines() throws {
    let secret = "a\"b\\c/é\u{1}😀x"
    let redactor = Redactor([secret])
    for encoding in [
      secret, "\(secret) \(secret)", SecretDisguise.json.put(on: secret), SecretDisguise.base64.put(on: secret),
    ] {
      let event = JobEvent.phase(Phase(text: "x \(encoding) y\n\"quoted\" \\ /"))
      let line = try NumberedEvent(number: 7, time: "t", event: event).line()
      let masked = redactor.redacted(line: line)
      let read = try NumberedEvent(line: masked.dropLast())
      guard case .phase(let phase) = read.event else { throw Unexpected() }
      #expect(read.number == 7 && masked.last == UInt8(ascii: "\n"))
      #expect(phase.text.hasPrefix("x ***") && phase.text.hasSuffix(" y\n\"quoted\" \\ /"), "\(phase.text)")
    }
  }
  private struct Unexpected: Error {}

  @Test("what is held back is bounded, a match without an end too")
  func bounded() {
    let pieces = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
    for beginning in ["Bearer 1", "eyJabcdefgh.eyJabcdefgh.", "-----BEGIN RSA PRIVATE KEY-----\n", "\\u006", "cf-1"] {
      var redactor = Redactor(["long secret value"])
      var shown = redactor.push(beginning.utf8).count
      for _ in 0..<300 { shown += redactor.push(pieces).count }
      shown += redactor.push(".\" the rest".utf8).count
      let rest = redactor.finish()
      #expect(shown + rest.count <= 310_000)
      #expect(String(decoding: rest, as: UTF8.self).hasSuffix("rest"), "\(beginning)")
    }
    // A key without an end does not swallow all that comes after it.
    var redactor = Redactor()
    var shown = redactor.push("-----BEGIN PRIVATE KEY-----\n".utf8).count
    for _ in 0..<100 { shown += redactor.push(pieces).count }
    #expect(shown + redactor.finish().count > 60_000)
  }

  @Test("texts made to be looked at for long take no longer than others", .timeLimit(.minutes(5)))
  func linear() {
    let secret = String(repeating: "a", count: 50) + "b"
    let redactor = Redactor([secret])
    for part in [
      "a", "eyJ", "eyJaaaaaaaa.", "://a", "%61", "\\", "&#97;", "-----BEGIN PRIVATE KEY-----", "Bearer ", "-",
    ] {
      let text = Array(String(repeating: part, count: 100_000 / part.count).utf8)
      #expect(!redactor.redacted(text).isEmpty)
    }
  }

  @Test("values that are too short stay, and a value's lines are looked for one by one")
  func values() {
    #expect(Redactor(["12345"]).redacted("12345") == "12345")
    let lines = Redactor(["first line of it\nsecond line of it\n"])
    #expect(lines.redacted("it says: second line of it!") == "it says: ***!")
  }

  @Test(
    "what a variable called like some key holds counts when it looks like a secret",
    arguments: [
      ("CI_SORT_KEY", "regressed", false), ("PROJECT_KEY", "codeflash", false),
      ("SSH_KEY", "/home/ada/.ssh/id_ed25519aA1", false),
      ("CACHE_KEY", "linux-py312-codeflash==0.20.6", false), ("PARTITION_KEY", "aaaaaaaaaaaaaaaaaaaa1", false),
      ("PRIMARY_KEY", "customer_identifier_of_order", false), ("A_KEY", "12345678901234567890", false),
      ("DATADOG_API_KEY", "9f86d081884c7d659a2feaa0c55ad015", true),
      ("MAP_KEY", "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", true),
      ("STORE_KEY", "Zm9vYmFyYmF6MTIzNDU2Nzg5MA==", true), ("MY_TOKEN", "regressed", true),
      ("DB_PASSWORD", "/codeflash", true),
      ("X_PASSPHRASE", "codeflash", true), ("CLIENT_SECRET", "word word", true), ("PATH", "/usr/bin:/bin:/sbin", false),
    ])
  func keys(name: String, value: String, isMasked: Bool) {
    #expect(SecretNames.values(in: [name: value]) == (isMasked ? [value] : []))
  }

  @Test("fields that programs read keep their values, whatever secrets are called; free text is masked")
  func machineRead() throws {
    let redactor = Redactor(["regressed", "codeflash", "rebooted", "runnerKilled", "tool --version"])
    let line =
      Array(
        #"{"body":{"verdict":"regressed","package" : "codeflash","codeflash":"codeflash","labels":["codeflash"],"reason":"rebooted""#
          .utf8)
      + Array(
        #","a":[{"name":"codeflash"}, "codeflash"],"what":"codeflash regressed","metric":"tool --version"}}"#.utf8)
    #expect(
      String(decoding: redactor.redacted(line: line), as: UTF8.self)
        == #"{"body":{"verdict":"regressed","package" : "codeflash","codeflash":"***","labels":["codeflash"],"reason":"rebooted""#
        + #","a":[{"name":"codeflash"}, "***"],"what":"*** ***","metric":"tool --version"}}"#)
    let token = "ghp_" + String(repeating: "a1B2", count: 9)
    #expect(
      String(decoding: redactor.redacted(line: Array(#"{"label":"\#(token)"}"#.utf8)), as: UTF8.self)
        == #"{"label":"***"}"#)
  }

  @Test("every text field of a schema is known to be read by programs or by people, and enumerations by programs")
  func classified() throws {
    let free: Set<String> = [
      "after", "arguments", "before", "call", "candidate", "caveats", "command", "content", "detail", "disturbance",
      "evidence",
      "fix", "holder",
      "headline", "home", "interpreterBuild", "interpreterNote", "liveAddress", "log", "note", "notes", "only",
      "parameters", "path",
      "quick", "reason", "remark",
      "repository",
      "setup", "slow", "subject", "text", "wanted", "what", "why", "withheld",
    ]
    #expect(free.isDisjoint(with: Redactor.machineRead))
    let folder = SchemaValidator.packageRoot.appending(path: "docs/schemas")
    var texts = Set<String>()
    var words = Set<String>()
    func walk(_ node: Any, _ name: String?) {
      if let list = node as? [Any] { for each in list { walk(each, name) } }
      guard let node = node as? [String: Any] else { return }
      if let name, node["enum"] != nil || node["const"] != nil { words.insert(name) }
      if let name, node["type"] as? String == "string" || (node["type"] as? [String])?.contains("string") == true {
        texts.insert(name)
      }
      for (key, value) in node where !["enum", "const", "required", "properties", "$defs"].contains(key) {
        walk(value, name)
      }
      for (key, value) in node["properties"] as? [String: Any] ?? [:] { walk(value, key) }
      for value in (node["$defs"] as? [String: Any] ?? [:]).values { walk(value, nil) }
    }
    for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
      walk(try JSONSerialization.jsonObject(with: Data(contentsOf: file)), nil)
    }
    #expect(texts.count >= 100)
    let unknown = texts.subtracting(free).subtracting(Redactor.machineRead)
    #expect(unknown.isEmpty, "\(unknown.sorted())")
    let misplaced = words.subtracting(Redactor.machineRead).subtracting(["reason", "isCopy", "headline", "proven"])
    #expect(misplaced.isEmpty, "\(misplaced.sorted())")
  }
}

/// The ways in which programs write a value.
private enum SecretDisguise: CaseIterable {
  case plain, base64, base64Second, base64Third, base64URL, percent, form, escapes, json, jsonTwice, hexadecimal,
    capitalHexadecimal, numericEntities, html

  func put(on secret: String) -> String {
    let bytes = Array(secret.utf8)
    func encoded(_ before: String) -> String {
      Data(Array(before.utf8) + bytes + Array("zz".utf8)).base64EncodedString()
    }
    switch self {
    case .plain: return secret
    case .base64: return encoded("")
    case .base64Second: return encoded("x")
    case .base64Third: return encoded("xy")
    case .base64URL:
      return encoded("").replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    case .percent: return bytes.map { String(format: "%%%02X", $0) }.joined()
    case .form:
      return bytes.map { byte in
        let isPlain = Character(UnicodeScalar(byte)).isASCII && Character(UnicodeScalar(byte)).isLetter
        return byte == 0x20 ? "+" : isPlain ? String(UnicodeScalar(byte)) : String(format: "%%%02x", byte)
      }.joined()
    case .escapes: return secret.utf16.map { String(format: "\\u%04x", $0) }.joined()
    case .json: return quoted(secret)
    case .jsonTwice: return quoted(quoted(secret))
    case .hexadecimal: return bytes.map { String(format: "%02x", $0) }.joined()
    case .capitalHexadecimal: return bytes.map { String(format: "%02X", $0) }.joined()
    case .numericEntities: return secret.unicodeScalars.map { "&#\($0.value);" }.joined()
    case .html:
      return secret.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
  }

  private func quoted(_ text: String) -> String {
    let encoded = (try? JSONEncoder().encode([text])) ?? Data()  // a text can always be encoded
    return String(decoding: encoded.dropFirst(2).dropLast(2), as: UTF8.self)
  }

  /// In base64 the digits at both ends also belong to what stands beside the secret.
  func isHidden(_ encoded: String, in shown: String) -> Bool {
    let isBase64 = [.base64, .base64Second, .base64Third, .base64URL].contains(self)
    let core = isBase64 ? String(encoded.dropFirst(4).dropLast(6)) : encoded
    return shown.contains("***") && !shown.contains(core)
  }
}
