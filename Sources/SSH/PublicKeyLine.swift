import FoundationEssentials
import Shared

/// A public key as a person has it: the line of a `.pub` file. Checked down to its parts, since a line of authorized_keys that
/// sshd can't read lets nobody in and says so nowhere.
public struct PublicKeyLine: Equatable, Sendable {
  public var type: String
  /// In base64, as it was given.
  public var key: String
  public var comment: String
  public var fingerprint: String

  /// - Parameter text: the content of a `.pub` file, or its one line.
  /// - Throws: ``Problem`` for what is no public key, or could change the meaning of the line that it is put into.
  public init(_ text: String) throws {
    if text.contains("PRIVATE KEY-----") {
      throw Problem(
        what: "this is a private key",
        why: "the remote host gets the public half only; the private one stays where it is",
        fix: "name the .pub file beside it, or make one: ssh-keygen -y -f KEY > KEY.pub", exitStatus: .usage)
    }
    let lines = text.split(whereSeparator: \.isNewline).map { $0.droppingFirst { $0 == " " || $0 == "\t" } }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    guard let line = lines.first, lines.count == 1 else {
      throw Self.refusal(
        lines.isEmpty ? "there is no key in it" : "it has \(lines.count) lines: give one key at a time")
    }
    let words = line.split(maxSplits: 2, omittingEmptySubsequences: true) { $0 == " " || $0 == "\t" }.map(String.init)
    guard let type = words.first, Self.types.contains(type) else {
      throw Self.refusal(
        "it begins with none of \(Self.types.joined(separator: ", ")); options of authorized_keys and certificates are not taken"
      )
    }
    guard words.count > 1, let data = Data(base64Encoded: words[1]), data.count <= 16 << 10 else {
      throw Self.refusal("what follows '\(type)' is not a key in base64: it was cut or damaged")
    }
    guard let key = HostKey(blob: Array(data)), key.type == type, Self.isWhole(key) else {
      throw Self.refusal("its parts are not those of a key of the type '\(type)': it was cut or damaged")
    }
    let comment = words.count > 2 ? words[2].droppingLast { $0 == " " || $0 == "\t" } : ""
    guard comment.unicodeScalars.allSatisfy(Self.isHarmless) else {
      throw Self.refusal("its comment has quotes, backslashes or characters that can't be seen")
    }
    self.type = type
    self.key = words[1]
    self.comment = comment
    fingerprint = key.fingerprint
  }

  /// Types that sshd takes today; `ssh-dss` is gone since OpenSSH 10.
  private static let types = [
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
    "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
  ]

  private static func refusal(_ why: String) -> Problem {
    Problem(
      what: "this is no public key that can be put into authorized_keys", why: why,
      fix: "give the content of a .pub file, such as ~/.ssh/id_ed25519.pub; ssh-keygen -t ed25519 makes one",
      exitStatus: .usage)
  }

  /// Whether all fields of the type are there and nothing follows (RFC 4253, 5656, 8709; OpenSSH's PROTOCOL.u2f).
  private static func isWhole(_ key: HostKey) -> Bool {
    var reader = SSHWireReader(key.blob)
    _ = reader.text()
    let fields: Bool
    switch key.type {
    case "ssh-ed25519": fields = reader.bytes()?.count == 32
    case "sk-ssh-ed25519@openssh.com": fields = reader.bytes()?.count == 32 && reader.text()?.isEmpty == false
    case "ssh-rsa": fields = reader.bytes()?.isEmpty == false && (reader.bytes()?.count ?? 0) >= 128
    default:
      let isToken = key.type.hasPrefix("sk-")
      let curve = isToken ? "nistp256" : String(key.type.dropFirst("ecdsa-sha2-".count))
      let size = ["nistp256": 32, "nistp384": 48, "nistp521": 66][curve] ?? 0
      fields =
        reader.text() == curve && reader.bytes()?.count == 1 + 2 * size && (!isToken || reader.text()?.isEmpty == false)
    }
    return fields && reader.isAtEnd
  }

  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    guard scalar != "\"", scalar != "'", scalar != "\\", scalar != "`" else { return false }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    default: true
    }
  }
}

extension StringProtocol {
  fileprivate func droppingFirst(_ isBlank: (Character) -> Bool) -> SubSequence { drop(while: isBlank) }

  fileprivate func droppingLast(_ isBlank: (Character) -> Bool) -> String {
    var text = String(self)
    while let last = text.last, isBlank(last) { text.removeLast() }
    return text
  }
}
