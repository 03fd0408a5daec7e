import FoundationEssentials

/// Reads the fields of SSH's binary formats (RFC 4251, section 5) off the front of some bytes. A field that is not
/// whole gives `nil`.
struct SSHWireReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(bytes) }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func byte() -> UInt8? { rest.popFirst() }

  mutating func skip(_ count: Int) -> Bool {
    guard rest.count >= count else { return false }
    rest = rest.dropFirst(count)
    return true
  }

  mutating func uint32() -> UInt32? {
    guard rest.count >= 4 else { return nil }
    defer { rest = rest.dropFirst(4) }
    return rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// A `string`: a length and as many bytes.
  mutating func bytes() -> [UInt8]? {
    guard let length = uint32(), rest.count >= Int(length) else { return nil }
    defer { rest = rest.dropFirst(Int(length)) }
    return Array(rest.prefix(Int(length)))
  }

  mutating func text() -> String? { bytes().map { String(decoding: $0, as: UTF8.self) } }

  /// A `name-list`: names with commas between them.
  mutating func names() -> [String]? { text().map { $0.split(separator: ",").map(String.init) } }
}

/// Puts together the fields of SSH's binary formats.
struct SSHWireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func byte(_ value: UInt8) { bytes.append(value) }

  mutating func uint32(_ value: UInt32) {
    for shift in stride(from: 24, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift)))
    }
  }

  mutating func string(_ value: [UInt8]) {
    uint32(UInt32(value.count))
    bytes += value
  }
}

/// Base64 as in RFC 4648, section 4; blanks are not allowed. `nil` when it is none.
func bytes(fromBase64 text: some StringProtocol) -> [UInt8]? {
  Data(base64Encoded: String(text)).map(Array.init)
}
