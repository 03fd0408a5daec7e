/// The ways in which a character of a secret may be written: `%2F`, `\u002f`, `\/`, `&#x2f;`, `&quot;`, and `+` for a space.
enum SecretEncoding {
  static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  /// What follows a backslash in JSON, Python and shell, for characters that have a letter of their own.
  static func letter(of scalar: UInt32) -> UInt8? {
    switch scalar {
    case 0x0a: UInt8(ascii: "n")
    case 0x0d: UInt8(ascii: "r")
    case 0x09: UInt8(ascii: "t")
    case 0x08: UInt8(ascii: "b")
    case 0x0c: UInt8(ascii: "f")
    default: nil
    }
  }

  private static let backslash = UInt8(ascii: "\\")

  static func firstPairs(of units: [SecretMatcher.Unit]) -> [Int] {
    let (first, second) = (units[0].bytes, units.count > 1 ? units[1].bytes : [])
    let percent = Int(UInt8(ascii: "%")) << 8
    let half = Int(first[0] >> 4)
    var pairs = half < 10 ? [percent | 0x30 + half] : [percent | 0x41 + half - 10, percent | 0x61 + half - 10]
    // After a backslash or an ampersand anything may come.
    for other in 0x21..<0x7f {
      pairs.append(Int(backslash) << 8 | other)
      pairs.append(Int(UInt8(ascii: "&")) << 8 | other)
    }
    let following = first.count > 1 ? [first[1]] : Array(second.prefix(1)) + Array("%\\&+".utf8)
    return pairs + following.map { Int(first[0]) << 8 | Int($0) } + (first == [0x20] ? plus(before: following) : [])
  }

  private static func plus(before following: [UInt8]) -> [Int] { following.map { 0x2b << 8 | Int($0) } }

  /// Reads a text against a secret's characters.
  struct Reader {
    let bytes: UnsafeBufferPointer<UInt8>
    var position: Int
    let isLast: Bool
    private var ranOut = false

    init(bytes: UnsafeBufferPointer<UInt8>, position: Int, isLast: Bool) {
      self.bytes = bytes
      self.position = position
      self.isLast = isLast
    }

    mutating func match(_ units: [SecretMatcher.Unit]) -> MatcherTable.Match {
      let start = position
      var next = 0
      while next < units.count {
        let taken = take(units[next...])
        guard taken > 0 else { return ranOut && !isLast ? .more(nil) : .none }
        next += taken
      }
      return .found(start..<position)
    }

    private mutating func byte(_ offset: Int = 0) -> UInt8? {
      guard position + offset < bytes.count else {
        ranOut = true
        return nil
      }
      return bytes[position + offset]
    }

    /// How many characters stand at the place; 0 when it is not them.
    private mutating func take(_ units: ArraySlice<SecretMatcher.Unit>) -> Int {
      let unit = units[units.startIndex]
      guard let first = byte() else { return 0 }
      switch first {
      case UInt8(ascii: "%") where takePercent(unit): return 1
      case UInt8(ascii: "+") where unit.scalar == 0x20:
        position += 1
        return 1
      case UInt8(ascii: "&") where takeEntity(unit): return 1
      case SecretEncoding.backslash: return takeEscape(units)
      default: return takePlain(unit) ? 1 : 0
      }
    }

    private mutating func takePlain(_ unit: SecretMatcher.Unit) -> Bool {
      for (offset, expected) in unit.bytes.enumerated() where byte(offset) != expected { return false }
      position += unit.bytes.count
      return true
    }

    private mutating func takePercent(_ unit: SecretMatcher.Unit) -> Bool {
      for (offset, expected) in unit.bytes.enumerated() {
        guard byte(offset * 3) == UInt8(ascii: "%"), let high = byte(offset * 3 + 1), let low = byte(offset * 3 + 2),
          let upper = SecretEncoding.hexadecimal(high), let lower = SecretEncoding.hexadecimal(low),
          upper << 4 | lower == expected
        else { return false }
      }
      position += unit.bytes.count * 3
      return true
    }

    /// A row of backslashes: the secret's own, doubled or not, and those that escape the character behind them.
    private mutating func takeEscape(_ units: ArraySlice<SecretMatcher.Unit>) -> Int {
      let own = units.prefix { $0.bytes == [SecretEncoding.backslash] }.count
      // Three times over is what programs do at most; a row without end must not be counted at each of its places.
      let most = own * 8 + 8
      var count = 0
      while count <= most, byte(count) == SecretEncoding.backslash { count += 1 }
      guard count <= most else { return 0 }
      if position + count == bytes.count, !isLast { return 0 }  // more may come: `byte` noted that the text ran out
      position += count
      // A backslash of the secret's own may be written as a number too.
      if own > 0, takeNumbered(0x5c) { return 1 }
      guard own <= count else { return 0 }
      guard own < units.count else { return own }
      let unit = units[units.startIndex + own]
      let isEscaped = count > own && takeEscaped(unit)
      if isEscaped { return own + 1 }
      if own > 0 { return own }
      return takePlain(unit) ? 1 : 0
    }

    private mutating func takeEscaped(_ unit: SecretMatcher.Unit) -> Bool {
      guard let scalar = unit.scalar, let first = byte() else { return false }
      if let letter = SecretEncoding.letter(of: scalar), first == letter {
        position += 1
        return true
      }
      return takeNumbered(scalar) || takePlain(unit)
    }

    private mutating func takeNumbered(_ scalar: UInt32) -> Bool {
      if byte() == UInt8(ascii: "x"), scalar < 0x80, number(at: 1, digits: 2) == scalar {
        position += 3
        return true
      }
      guard byte() == UInt8(ascii: "u") else { return false }
      let beyond = scalar >= 0x10000 ? scalar - 0x10000 : 0
      return takeCodes(scalar < 0x10000 ? [scalar] : [0xd800 + beyond >> 10, 0xdc00 + beyond & 0x3ff])
    }

    /// `uXXXX`, and for what lies beyond 16 bits a second one behind its own backslashes.
    private mutating func takeCodes(_ codes: [UInt32]) -> Bool {
      var offset = 0
      for (index, code) in codes.enumerated() {
        if index > 0 {
          guard byte(offset) == SecretEncoding.backslash else { return false }
          let begin = offset
          while offset - begin < 8, byte(offset) == SecretEncoding.backslash { offset += 1 }
        }
        guard byte(offset) == UInt8(ascii: "u"), number(at: offset + 1, digits: 4) == code else { return false }
        offset += 5
      }
      position += offset
      return true
    }

    private mutating func number(at offset: Int, digits: Int) -> UInt32? {
      var value: UInt32 = 0
      for index in 0..<digits {
        guard let digit = byte(offset + index).flatMap(SecretEncoding.hexadecimal) else { return nil }
        value = value << 4 | UInt32(digit)
      }
      return value
    }

    private mutating func takeEntity(_ unit: SecretMatcher.Unit) -> Bool {
      guard let scalar = unit.scalar else { return false }
      var name: [UInt8] = []
      while name.count < 10, let next = byte(1 + name.count), next != UInt8(ascii: ";") { name.append(next) }
      guard byte(1 + name.count) == UInt8(ascii: ";"), Self.scalar(ofEntity: name) == scalar else { return false }
      position += name.count + 2
      return true
    }

    private static func scalar(ofEntity name: [UInt8]) -> UInt32? {
      let text = String(decoding: name, as: UTF8.self)
      if text.hasPrefix("#x") || text.hasPrefix("#X") { return UInt32(text.dropFirst(2), radix: 16) }
      if text.hasPrefix("#") { return UInt32(text.dropFirst()) }
      return switch text {
      case "amp": 0x26
      case "lt": 0x3c
      case "gt": 0x3e
      case "quot": 0x22
      case "apos": 0x27
      default: nil
      }
    }
  }
}
