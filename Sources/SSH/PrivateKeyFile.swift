import CLibrary
import FoundationEssentials

/// What a private key file says about itself without its passphrase. libssh2 gives one and the same error for a missing
/// passphrase, a wrong one, an unknown cipher and a file that is no key; this tells them apart.
struct PrivateKeyFile: Sendable, Equatable {
  let path: String
  /// `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`; `nil` when the format hides it or does not say exactly.
  let type: String?
  /// The cipher's name, or `unknown` when the format hides it; `nil` when the key is not encrypted.
  let cipher: String?
  /// The public half, where the format shows it.
  let publicKey: HostKey?

  /// Looks at the file.
  init(path: String) throws(SSHError) {
    func fail(_ problem: SSHError.KeyFileProblem) -> SSHError {
      SSHError(step: .authenticate, cause: .keyFile(path: path, problem))
    }
    let content: [UInt8]
    do {
      content = try readWhole(path, limit: 1 << 20)
    } catch {
      switch error.code {
      case ENOENT: throw fail(.missing)
      case EFBIG: throw fail(.notAKey)
      default: throw fail(.unreadable(error.code))
      }
    }
    do {
      self = try Self.read(String(decoding: content, as: UTF8.self), path: path)
    } catch {
      throw fail(error.problem)
    }
    // Last: a public half is meant to be open, and that it is one says more.
    if let mode = Self.openMode(of: path) { throw fail(.tooOpen(mode: mode)) }
  }

  private init(path: String, type: String?, cipher: String? = nil, publicKey: HostKey? = nil) {
    self.path = path
    self.type = type
    self.cipher = cipher
    self.publicKey = publicKey
  }

  /// Ciphers of OpenSSH's own format that no libssh2, or none before 1.11.1, can read.
  func hasUnreadableCipher(libraryReadsGCM: Bool) -> Bool {
    guard let cipher else { return false }
    return cipher.hasPrefix("chacha20-") || (cipher.contains("-gcm@") && !libraryReadsGCM)
  }

  /// The permission bits, when they let others in and the file is ours; ssh(1) asks for the same.
  private static func openMode(of path: String) -> UInt32? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_uid == geteuid(), status.st_mode & 0o077 != 0 else { return nil }
    return UInt32(status.st_mode & 0o7777)
  }

  private struct Problem: Error {
    let problem: SSHError.KeyFileProblem
  }

  private static func read(_ text: String, path: String) throws(Problem) -> PrivateKeyFile {
    if text.hasPrefix("PuTTY-User-Key-File") { throw Problem(problem: .isPuTTYKey) }
    if ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].contains(where: text.hasPrefix)
      || text.contains("-----BEGIN PUBLIC KEY-----") || text.hasPrefix("---- BEGIN SSH2 PUBLIC KEY")
    {
      throw Problem(problem: .isPublicKey)
    }
    guard let begin = text.firstRange(of: "-----BEGIN "), let end = text[begin.upperBound...].firstRange(of: "-----")
    else { throw Problem(problem: .notAKey) }
    let label = text[begin.upperBound..<end.lowerBound]
    let lines = text[end.upperBound...].split(whereSeparator: \.isNewline).prefix { !$0.hasPrefix("-----END") }
    let header = lines.filter { $0.contains(":") }
    let body = bytes(fromBase64: lines.filter { !$0.contains(":") }.joined()) ?? []
    let cipher = header.first { $0.hasPrefix("DEK-Info:") }?.dropFirst(9).split(separator: ",").first.map {
      $0.trimmingPrefix(while: \.isWhitespace)
    }
    switch label {
    case "OPENSSH PRIVATE KEY": return try readOpenSSH(body, path: path)
    case "RSA PRIVATE KEY": return PrivateKeyFile(path: path, type: "ssh-rsa", cipher: cipher.map(String.init))
    case "EC PRIVATE KEY": return PrivateKeyFile(path: path, type: "ecdsa", cipher: cipher.map(String.init))
    case "ENCRYPTED PRIVATE KEY": return PrivateKeyFile(path: path, type: nil, cipher: "unknown")
    case "PRIVATE KEY": return PrivateKeyFile(path: path, type: typeInPKCS8(body))
    case "DSA PRIVATE KEY": throw Problem(problem: .unsupportedType("ssh-dss"))
    default: throw Problem(problem: .notAKey)
    }
  }

  /// OpenSSH's PROTOCOL.key: a magic word, cipher, key derivation and its options, the number of keys, the public key.
  private static func readOpenSSH(_ body: [UInt8], path: String) throws(Problem) -> PrivateKeyFile {
    let magic = Array("openssh-key-v1\0".utf8)
    guard body.starts(with: magic) else { throw Problem(problem: .notAKey) }
    var reader = SSHWireReader(body.dropFirst(magic.count))
    guard let cipher = reader.text(), reader.text() != nil, reader.bytes() != nil, reader.uint32() == 1,
      let blob = reader.bytes(), let key = HostKey(blob: blob)
    else { throw Problem(problem: .notAKey) }
    guard ["ssh-ed25519", "ssh-rsa"].contains(key.type) || key.type.hasPrefix("ecdsa-sha2-") else {
      throw Problem(problem: .unsupportedType(key.type))
    }
    return PrivateKeyFile(path: path, type: key.type, cipher: cipher == "none" ? nil : cipher, publicKey: key)
  }

  /// The algorithm's object identifier near the front of PKCS #8 (RFC 5208): rsaEncryption, ecPublicKey or Ed25519.
  private static func typeInPKCS8(_ body: [UInt8]) -> String? {
    let front = Array(body.prefix(48))
    func has(_ identifier: [UInt8]) -> Bool { front.firstRange(of: identifier) != nil }
    if has([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]) { return "ssh-rsa" }
    if has([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]) { return "ecdsa" }
    return has([0x06, 0x03, 0x2b, 0x65, 0x70]) ? "ssh-ed25519" : nil
  }
}

/// The key in a `.pub` file: type, key in base64, comment.
func publicKey(inFile path: String) throws(SSHError) -> HostKey {
  let content: [UInt8]
  do {
    content = try readWhole(path, limit: 1 << 20)
  } catch {
    let problem: SSHError.KeyFileProblem = error.code == ENOENT ? .missing : .unreadable(error.code)
    throw SSHError(step: .authenticate, cause: .keyFile(path: path, problem))
  }
  let fields = String(decoding: content, as: UTF8.self).split(whereSeparator: \.isWhitespace)
  guard fields.count >= 2, let blob = bytes(fromBase64: fields[1]), let key = HostKey(blob: blob) else {
    throw SSHError(step: .authenticate, cause: .keyFile(path: path, .notAKey))
  }
  return key
}
