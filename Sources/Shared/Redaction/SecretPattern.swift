/// What has the shape of a secret, whoever it belongs to. Narrow on purpose: digests, commits, paths and pictures pass.
enum SecretPattern: CaseIterable, Sendable {
  case github, githubFineGrained, jwt, bearer, codeflash, azureClient, sharedAccessSignature, accountKey,
    sharedAccessKey, awsKeyID, awsTemporaryID, awsSecret, privateKey, address, packageIndex, modelService

  /// What a match begins with; it is noticed there.
  private var beginnings: [String] {
    switch self {
    case .github: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]
    case .githubFineGrained: ["github_pat_"]
    case .jwt: ["eyJ"]
    case .bearer: ["Bearer ", "bearer ", "BEARER "]
    case .codeflash: ["cf-"]
    case .azureClient: ["Q~"]
    case .sharedAccessSignature: ["sig="]
    case .accountKey: ["AccountKey="]
    case .sharedAccessKey: ["SharedAccessKey="]
    case .awsKeyID: ["AKIA"]
    case .awsTemporaryID: ["ASIA"]
    case .awsSecret: ["aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"]
    case .privateKey: ["-----BEGIN "]
    case .address: ["://"]
    case .packageIndex: ["pypi-"]
    case .modelService: ["sk-"]
    }
  }

  var firstPairs: Set<Int> {
    Set(beginnings.map { Array($0.utf8.prefix(2)) }.map { Int($0[0]) << 8 | Int($0[1]) })
  }

  func match(in bytes: UnsafeBufferPointer<UInt8>, at start: Int, isLast: Bool) -> MatcherTable.Match {
    var text = PatternReader(bytes: bytes, start: start, isLast: isLast)
    guard beginnings.contains(where: { text.takes($0) }) else { return text.ranOut && !isLast ? .more(nil) : .none }
    switch self {
    case .github: return text.run(of: .letters, atLeast: 36, standsAlone: true)
    case .githubFineGrained: return text.run(of: .word, atLeast: 22, standsAlone: true)
    case .jwt: return text.webToken()
    case .bearer: return text.run(of: .token, atLeast: 20, needsDigit: true, from: text.position)
    case .codeflash:
      // Our own files and programs are called cf-bench-….
      if text.follows("bench") || text.before(UInt8(ascii: "/")) { return .none }
      return text.run(of: .dashed, atLeast: 16, needsDigit: true, standsAlone: true)
    case .azureClient: return text.azureClientSecret()
    case .sharedAccessSignature:
      return text.run(of: .percent, atLeast: 40, standsAlone: true, from: text.position)
    case .accountKey, .sharedAccessKey: return text.run(of: .base64, atLeast: 40, from: text.position)
    case .awsKeyID, .awsTemporaryID: return text.run(of: .capitals, atLeast: 16, atMost: 16, standsAlone: true)
    case .awsSecret: return text.awsSecret()
    case .privateKey: return text.privateKey()
    case .address: return text.password()
    case .packageIndex: return text.run(of: .dashed, atLeast: 50, standsAlone: true)
    case .modelService: return text.run(of: .dashed, atLeast: 32, needsDigit: true, standsAlone: true)
    }
  }

  static func isWord(_ byte: UInt8) -> Bool { Letters.word.has(byte) }

  /// The rest of a match that is too long to be waited for: it is dropped as it comes.
  struct Tail: Sendable, Equatable {
    /// Where the match begins in the bytes in which it was noticed.
    var start: Int
    var letters: Letters
    /// How many bytes more may belong to it.
    var room = Int.max

    /// Drops what still belongs to the match. True when it is over.
    mutating func swallow(_ bytes: inout [UInt8], isLast: Bool) -> Bool {
      let end: Int?
      if letters == .keyBlock {
        end = bytes.withUnsafeBufferPointer { PatternReader.endOfKey(in: $0, from: 0) }
      } else {
        end = bytes.firstIndex { !letters.has($0) }
      }
      if let end {
        bytes.removeFirst(min(end, room))
        return true
      }
      let kept = isLast ? [] : rest(of: bytes)
      let dropped = bytes.count - kept.count
      guard dropped <= room else {
        bytes.removeFirst(room)
        return true
      }
      room -= dropped
      bytes = kept
      return isLast
    }

    /// What of the match's bytes is needed to see its end: the mark at the end of a key block may be cut in two.
    func rest(of bytes: [UInt8]) -> [UInt8] { letters == .keyBlock ? bytes.suffix(64) : [] }
  }
}

/// A set of ASCII characters.
enum Letters: Sendable {
  case letters, capitals, word, dashed, token, azure, percent, base64, user, keyBlock

  func has(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39: return true
    case 0x41...0x5a: return true
    case 0x61...0x7a: return self != .capitals
    default: break
    }
    return switch self {
    case .letters, .capitals: false
    case .word: byte == UInt8(ascii: "_")
    case .dashed: byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    case .token: "._~+/=-".utf8.contains(byte)
    case .azure: "._~-".utf8.contains(byte)
    case .percent: "%+/=_-".utf8.contains(byte)
    case .base64: "+/=".utf8.contains(byte)
    case .user: byte > 0x20 && byte < 0x7f && !"/\\@:\"'<>`?#".utf8.contains(byte)
    case .keyBlock: "+/= \r\n\t\\:,-".utf8.contains(byte)
    }
  }
}

/// Reads a text from the place where a pattern was noticed.
struct PatternReader {
  let bytes: UnsafeBufferPointer<UInt8>
  let start: Int
  let isLast: Bool
  private(set) var position: Int
  private(set) var ranOut = false

  /// The longest private key that is taken for one, in bytes.
  private static let keyLimit = 16 << 10

  init(bytes: UnsafeBufferPointer<UInt8>, start: Int, isLast: Bool) {
    self.bytes = bytes
    self.start = start
    self.isLast = isLast
    position = start
  }

  mutating func takes(_ text: String) -> Bool {
    guard follows(text) else { return false }
    position += text.utf8.count
    return true
  }

  /// Whether `text` comes next; as far as the text goes.
  mutating func follows(_ text: String) -> Bool {
    for (offset, byte) in text.utf8.enumerated() {
      guard position + offset < bytes.count else {
        ranOut = true
        return false
      }
      if bytes[position + offset] != byte { return false }
    }
    return true
  }

  func before(_ byte: UInt8) -> Bool { start > 0 && bytes[start - 1] == byte }

  /// A row of these letters. The whole match is masked, or from `mask` on.
  mutating func run(
    of letters: Letters, atLeast least: Int, atMost most: Int = .max, needsDigit: Bool = false,
    standsAlone: Bool = false, from mask: Int? = nil
  ) -> MatcherTable.Match {
    if standsAlone, start > 0, Letters.dashed.has(bytes[start - 1]) { return .none }
    if ranOut, !isLast { return .more(nil) }
    let begin = position
    while position < bytes.count, letters.has(bytes[position]), position - begin <= most { position += 1 }
    let count = position - begin
    guard count <= most else { return .none }
    let hasDigit = !needsDigit || bytes[begin..<position].contains { (0x30...0x39).contains($0) }
    let isEnough = count >= least && hasDigit
    if position == bytes.count, !isLast {
      return .more(isEnough && most == .max ? .init(start: mask ?? start, letters: letters) : nil)
    }
    return isEnough ? .found((mask ?? start)..<position) : .none
  }

  private mutating func skip(_ letters: Letters, atMost most: Int = .max) -> Int {
    let begin = position
    while position < bytes.count, position - begin < most, letters.has(bytes[position]) { position += 1 }
    if position == bytes.count { ranOut = true }
    return position - begin
  }

  private var undecided: MatcherTable.Match { ranOut && !isLast ? .more(nil) : .none }

  /// RFC 7519: three parts of base64, the first two of which are JSON objects.
  mutating func webToken() -> MatcherTable.Match {
    if start > 0, Letters.dashed.has(bytes[start - 1]) { return .none }
    guard skip(.dashed, atMost: 8192) >= 8, takes(".eyJ"), skip(.dashed, atMost: 8192) >= 4, takes(".") else {
      return undecided
    }
    return run(of: .dashed, atLeast: 8)
  }

  /// Three characters, a digit, `Q~`, and 31 or more.
  mutating func azureClientSecret() -> MatcherTable.Match {
    guard start >= 4, (0x30...0x39).contains(bytes[start - 1]),
      (2...4).allSatisfy({ Letters.azure.has(bytes[start - $0]) })
    else { return .none }
    return run(of: .azure, atLeast: 31, from: start - 4)
  }

  mutating func awsSecret() -> MatcherTable.Match {
    var between = 0
    while between < 8, position < bytes.count, " \"'\\:=".utf8.contains(bytes[position]) {
      position += 1
      between += 1
    }
    if position == bytes.count { ranOut = true }
    guard between > 0 else { return undecided }
    return run(of: .base64, atLeast: 40, from: position)
  }

  /// What stands between an address's scheme and its `@`: a password, or a token in place of the user.
  mutating func password() -> MatcherTable.Match {
    let user = position
    let userLength = skip(.user, atMost: 256)
    if takes("@") {
      let isToken = userLength >= 20 && bytes[user..<(user + userLength)].contains { (0x30...0x39).contains($0) }
      return isToken ? .found(user..<(user + userLength)) : .none
    }
    guard takes(":") else { return undecided }
    let password = position
    guard skip(.user, atMost: 256) >= 3 else { return undecided }
    let end = position
    return takes("@") ? .found(password..<end) : undecided
  }

  mutating func privateKey() -> MatcherTable.Match {
    let label = position
    while position < bytes.count, position - label < 48, bytes[position] != UInt8(ascii: "-") { position += 1 }
    guard position < bytes.count else { return isLast ? .none : .more(nil) }
    guard takes("-----") else { return undecided }
    let words = String(decoding: bytes[label..<(position - 5)], as: UTF8.self)
    guard words.hasSuffix("PRIVATE KEY") || words.hasSuffix("PRIVATE KEY BLOCK") else { return .none }
    if let end = Self.endOfKey(in: bytes, from: position) {
      return .found(start..<min(end, position + Self.keyLimit))
    }
    guard isLast else {
      let room = Self.keyLimit - (bytes.count - position)
      return .more(.init(start: start, letters: .keyBlock, room: max(0, room)))
    }
    return .found(start..<min(bytes.count, position + Self.keyLimit))
  }

  /// Behind the mark at a key's end, or where something stands that no key has; `nil` when the text ends before.
  static func endOfKey(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    let mark = Array("-----END ".utf8)
    let dash = UInt8(ascii: "-")
    var position = start
    while position < bytes.count {
      if !Letters.keyBlock.has(bytes[position]) { return position }
      if bytes[position] == dash, bytes[position...].starts(with: mark) {
        var end = position + mark.count
        while end < bytes.count, bytes[end] != dash, Letters.keyBlock.has(bytes[end]) { end += 1 }
        let label = end
        while end < bytes.count, bytes[end] == dash { end += 1 }
        return end < bytes.count || end - label >= 5 ? end : nil
      }
      position += 1
    }
    return nil
  }
}
