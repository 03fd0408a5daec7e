/// The hash chain over a journal's lines: no line can be lost, swapped or changed without the next one showing it.
///
/// A sealed line ends in `,"hash":"…"}`: the first 16 bytes, in hexadecimal, of the SHA-256 of the line before's hash (nothing
/// for the first) and this line's own bytes up to that point. Lines of the first release have no hash; they are taken as
/// they are as long as no sealed one came before.
public struct JournalChain: Sendable {
  /// The hash of the last line as it stands there; `nil` before the first one and after lines without a hash.
  private var digits: Digits?

  /// The hash of the last line; empty before the first one and after lines without a hash.
  public var head: String {
    guard var digits else { return "" }
    return withUnsafeBytes(of: &digits) { String(decoding: $0, as: UTF8.self) }
  }

  public init(head: String = "") {
    var bytes: Digits = (0, 0, 0, 0)
    guard head.utf8.count == Self.count else { return }
    withUnsafeMutableBytes(of: &bytes) { $0.copyBytes(from: head.utf8) }
    digits = bytes
  }

  public enum Verdict: Equatable, Sendable {
    case fits
    /// It has no hash, as in the first release.
    case unsealed
    /// It is not the line that was written here.
    case broken
  }

  /// 32 hexadecimal digits, as their bytes. No string is made of a line's hash: each line passes here at both ends.
  private typealias Digits = (UInt64, UInt64, UInt64, UInt64)

  private static let mark = StaticString(",\"hash\":\"")
  private static let count = 32
  /// From the mark to the end: `,"hash":"` digits `"}`.
  private static let tail = mark.utf8CodeUnitCount + count + 2

  /// Adds the hash to a line that ends in `}` and a newline.
  public mutating func seal(_ line: [UInt8]) -> [UInt8] {
    let length = max(0, line.count - 2)
    var hash = line.withUnsafeBytes { next(UnsafeRawBufferPointer(rebasing: $0[..<length])) }
    digits = hash
    var sealed: [UInt8] = []
    sealed.reserveCapacity(length + Self.tail + 1)
    sealed += line[..<length]
    Self.mark.withUTF8Buffer { sealed.append(contentsOf: $0) }
    withUnsafeBytes(of: &hash) { sealed.append(contentsOf: $0) }
    sealed += [UInt8(ascii: "\""), UInt8(ascii: "}"), UInt8(ascii: "\n")]
    return sealed
  }

  /// Looks at the next line, given without its newline, and moves on when it fits.
  public mutating func take(_ line: UnsafeRawBufferPointer) -> Verdict {
    guard let claimed = Self.digits(ofLine: line) else {
      // Its last field is the body, which is an object: another end is a hash that was damaged.
      return digits == nil && line.suffix(2).elementsEqual("}}".utf8) ? .unsealed : .broken
    }
    guard next(UnsafeRawBufferPointer(rebasing: line[..<(line.count - Self.tail)])) == claimed else { return .broken }
    digits = claimed
    return .fits
  }

  /// The hash that stands at a line's end; `nil` for a line without one.
  public static func hash(ofLine line: UnsafeRawBufferPointer) -> String? {
    guard var digits = digits(ofLine: line) else { return nil }
    return withUnsafeBytes(of: &digits) { String(decoding: $0, as: UTF8.self) }
  }

  private static func digits(ofLine line: UnsafeRawBufferPointer) -> Digits? {
    guard line.count > tail, line[line.count - 1] == UInt8(ascii: "}"), line[line.count - 2] == UInt8(ascii: "\"")
    else { return nil }
    let start = line.count - tail
    for index in 0..<mark.utf8CodeUnitCount where line[start + index] != mark.utf8Start[index] { return nil }
    let first = line.count - 2 - count
    for index in first..<(first + count) {
      guard (0x30...0x39).contains(line[index]) || (0x61...0x66).contains(line[index]) else { return nil }
    }
    return line.loadUnaligned(fromByteOffset: first, as: Digits.self)
  }

  /// The hash of a line with this content behind the last one.
  private func next(_ content: UnsafeRawBufferPointer) -> Digits {
    var hash = SHA256()
    if var digits { withUnsafeBytes(of: &digits) { hash.update($0) } }
    hash.update(content)
    var hex: Digits = (0, 0, 0, 0)
    hash.withDigest { digest in
      withUnsafeMutableBytes(of: &hex) { hex in
        for index in 0..<(Self.count / 2) {
          hex[2 * index] = Self.hexDigit(digest[index] >> 4)
          hex[2 * index + 1] = Self.hexDigit(digest[index] & 15)
        }
      }
    }
    return hex
  }

  @inline(__always) private static func hexDigit(_ value: UInt8) -> UInt8 { value + (value < 10 ? 0x30 : 0x57) }
}
