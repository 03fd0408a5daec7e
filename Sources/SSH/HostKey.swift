import FoundationEssentials
import Shared

/// A public key as it travels: a type's name, and the key in the format of that type (RFC 4253, section 6.6).
public struct HostKey: Sendable, Equatable {
  /// The whole key, type included.
  public let blob: [UInt8]
  /// Its type, as `ssh-ed25519`.
  public let type: String

  /// `nil` when the bytes do not begin with a type's name.
  init?(blob: [UInt8]) {
    var reader = SSHWireReader(blob)
    guard let type = reader.text(), !type.isEmpty, !reader.isAtEnd else { return nil }
    self.blob = blob
    self.type = type
  }

  /// As OpenSSH prints it: `SHA256:` and the digest in base64 without padding.
  public var fingerprint: String { Self.fingerprint(of: blob) }

  static func fingerprint(of blob: [UInt8]) -> String {
    let hex = Array(SHA256.hex(blob).utf8)
    let digest = stride(from: 0, to: hex.count, by: 2).map { (hex[$0].hexDigit << 4) | hex[$0 + 1].hexDigit }
    return "SHA256:" + Data(digest).base64EncodedString().prefix { $0 != "=" }
  }

  /// What `ssh-keyscan -t` calls this type.
  var keyscanType: String {
    switch type {
    case "ssh-ed25519": "ed25519"
    case "ssh-rsa": "rsa"
    default: type.hasPrefix("ecdsa-") ? "ecdsa" : type
    }
  }
}

extension UInt8 {
  /// The value of a lower-case hexadecimal digit.
  fileprivate var hexDigit: UInt8 {
    self <= UInt8(ascii: "9") ? self - UInt8(ascii: "0") : self - UInt8(ascii: "a") + 10
  }
}
