/// One secret value in one family of encodings.
enum SecretMatcher: Sendable {
  /// As it is.
  case plain([UInt8])
  /// Percent-encoded, escaped as in JSON (once or several times over), or with HTML's entities, in any mixture.
  case encoded([Unit])
  /// Base64 in either alphabet: the characters that the value alone decides, at one of three offsets in a longer text.
  case base64([UInt8], hasEdgeBefore: Bool, hasEdgeBehind: Bool)
  /// Hexadecimal, in either case.
  case hexadecimal([UInt8])

  /// One character of the value.
  struct Unit: Sendable, Hashable {
    var bytes: [UInt8]
    /// `nil` for a byte that is no character.
    var scalar: UInt32?
  }

  static func all(of value: [UInt8]) -> [SecretMatcher] {
    [.plain(value), .encoded(units(of: value)), .hexadecimal(value)] + (0..<3).map { base64(value, offset: $0) }
  }

  private static func units(of value: [UInt8]) -> [Unit] {
    guard let text = String(validating: value, as: UTF8.self) else { return value.map { Unit(bytes: [$0]) } }
    return text.unicodeScalars.map { Unit(bytes: Array(String($0).utf8), scalar: $0.value) }
  }

  private static func base64(_ value: [UInt8], offset: Int) -> SecretMatcher {
    var digits: [UInt8] = []
    var (bits, count) = (UInt32(0), 0)
    for byte in [UInt8](repeating: 0, count: offset) + value {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        digits.append(Base64.alphabet[Int(bits >> UInt32(count) & 63)])
      }
    }
    // The digit in which the value begins also has bits of what stands before it.
    return .base64(
      Array(digits.dropFirst(offset == 0 ? 0 : offset + 1)), hasEdgeBefore: offset > 0, hasEdgeBehind: count > 0)
  }

  /// The most bytes of text that a match may have.
  var longest: Int {
    switch self {
    case .plain(let value): value.count
    case .encoded(let units): units.count * 32
    case .base64(let digits, _, _): digits.count * 2 + 2
    case .hexadecimal(let value): value.count * 4
    }
  }

  /// The first two bytes of every text that may match, as one number each.
  var firstPairs: [Int] {
    switch self {
    case .plain(let value): [Int(value[0]) << 8 | Int(value[1])]
    case .encoded(let units): SecretEncoding.firstPairs(of: units)
    case .base64(let digits, _, _):
      Base64.spellings(digits[0]).flatMap { first in
        (Base64.spellings(digits[1]) + [0x0a, 0x0d]).map { Int(first) << 8 | Int($0) }
      }
    case .hexadecimal(let value):
      Hexadecimal.spellings(value[0] >> 4).flatMap { first in
        Hexadecimal.spellings(value[0] & 15).map { Int(first) << 8 | Int($0) }
      }
    }
  }

  func match(in bytes: UnsafeBufferPointer<UInt8>, at start: Int, isLast: Bool) -> MatcherTable.Match {
    switch self {
    case .plain(let value):
      for (offset, byte) in value.enumerated() {
        guard start + offset < bytes.count else { return isLast ? .none : .more(nil) }
        if bytes[start + offset] != byte { return .none }
      }
      return .found(start..<(start + value.count))
    case .encoded(let units):
      var text = SecretEncoding.Reader(bytes: bytes, position: start, isLast: isLast)
      return text.match(units)
    case .base64(let digits, let before, let behind):
      return Base64.match(digits, edges: (before, behind), in: bytes, at: start, isLast: isLast)
    case .hexadecimal(let value):
      return Hexadecimal.match(value, in: bytes, at: start, isLast: isLast)
    }
  }
}

/// RFC 4648, sections 4 and 5.
private enum Base64 {
  static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func spellings(_ digit: UInt8) -> [UInt8] { standard(digit) == digit ? [digit] + other(digit) : [digit] }

  private static func other(_ digit: UInt8) -> [UInt8] {
    switch digit {
    case UInt8(ascii: "+"): [UInt8(ascii: "-")]
    case UInt8(ascii: "/"): [UInt8(ascii: "_")]
    default: []
    }
  }

  private static func standard(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "-"): UInt8(ascii: "+")
    case UInt8(ascii: "_"): UInt8(ascii: "/")
    default: byte
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { SecretPattern.isWord(byte) || "+/-".utf8.contains(byte) }

  static func match(
    _ digits: [UInt8], edges: (before: Bool, behind: Bool), in bytes: UnsafeBufferPointer<UInt8>, at start: Int,
    isLast: Bool
  ) -> MatcherTable.Match {
    var position = start
    for digit in digits {
      // Long texts are wrapped, after 64 or 76 digits.
      while position < bytes.count, position > start, bytes[position] == 0x0a || bytes[position] == 0x0d {
        position += 1
      }
      guard position < bytes.count else { return isLast ? .none : .more(nil) }
      if standard(bytes[position]) != digit { return .none }
      position += 1
    }
    var begin = start
    if edges.before, begin > 0, isDigit(bytes[begin - 1]) { begin -= 1 }
    if edges.behind {
      guard position < bytes.count else { return isLast ? .found(begin..<position) : .more(nil) }
      if isDigit(bytes[position]) { position += 1 }
    }
    return .found(begin..<position)
  }
}

private enum Hexadecimal {
  static func spellings(_ value: UInt8) -> [UInt8] {
    value < 10 ? [0x30 + value] : [0x41 + value - 10, 0x61 + value - 10]
  }

  static func match(
    _ value: [UInt8], in bytes: UnsafeBufferPointer<UInt8>, at start: Int, isLast: Bool
  ) -> MatcherTable.Match {
    var position = start
    for (number, byte) in value.enumerated() {
      if number > 0, position < bytes.count, "\n :-".utf8.contains(bytes[position]) { position += 1 }
      for half in [byte >> 4, byte & 15] {
        guard position < bytes.count else { return isLast ? .none : .more(nil) }
        if SecretEncoding.hexadecimal(bytes[position]) != half { return .none }
        position += 1
      }
    }
    return .found(start..<position)
  }
}
