/// The hash chain over a journal's lines: no line can be lost, swapped or changed without the next one showing it.
///
/// A sealed line ends in `,"hash":"…"}`: the first 16 bytes, in hexadecimal, of the SHA-256 of the line before's hash (nothing
/// for the first) and this line's own bytes up to that point. Lines of the first release have no hash; they are taken as
/// they are as long as no sealed one came before.
public struct JournalChain: Sendable {
  /// The hash of the last line; empty before the first one and after lines without a hash.
  public private(set) var head: String

  public init(head: String = "") { self.head = head }

  public enum Verdict: Equatable, Sendable {
    case fits
    /// It has no hash, as in the first release.
    case unsealed
    /// It is not the line that was written here.
    case broken
  }

  private static let mark = Array(",\"hash\":\"".utf8)
  private static let digits = 32
  /// From the mark to the end: `,"hash":"` digits `"}`.
  private static let tail = mark.count + digits + 2

  /// Adds the hash to a line that ends in `}` and a newline.
  public mutating func seal(_ line: [UInt8]) -> [UInt8] {
    let content = line.dropLast(2)
    head = content.withUnsafeBytes { Self.hash(head, $0) }
    var sealed = Array(content)
    sealed.reserveCapacity(content.count + Self.tail + 1)
    sealed += Self.mark
    sealed += head.utf8
    sealed += [UInt8(ascii: "\""), UInt8(ascii: "}"), UInt8(ascii: "\n")]
    return sealed
  }

  /// Looks at the next line, given without its newline, and moves on when it fits.
  public mutating func take(_ line: UnsafeRawBufferPointer) -> Verdict {
    guard let claimed = Self.hash(ofLine: line) else {
      // Its last field is the body, which is an object: another end is a hash that was damaged.
      return head.isEmpty && line.suffix(2).elementsEqual("}}".utf8) ? .unsealed : .broken
    }
    let content = UnsafeRawBufferPointer(rebasing: line[..<(line.count - Self.tail)])
    guard Self.hash(head, content) == claimed else { return .broken }
    head = claimed
    return .fits
  }

  /// The hash that stands at a line's end; `nil` for a line without one.
  public static func hash(ofLine line: UnsafeRawBufferPointer) -> String? {
    guard line.count > tail, line[line.count - 1] == UInt8(ascii: "}"), line[line.count - 2] == UInt8(ascii: "\"")
    else {
      return nil
    }
    let start = line.count - tail
    for index in 0..<mark.count where line[start + index] != mark[index] { return nil }
    let hex = line[(start + mark.count)..<(line.count - 2)]
    guard hex.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return nil }
    return String(decoding: hex, as: UTF8.self)
  }

  private static func hash(_ head: String, _ content: UnsafeRawBufferPointer) -> String {
    var hash = SHA256()
    hash.update(head.utf8)
    hash.update(content)
    return String(hash.finish().prefix(digits))
  }
}
