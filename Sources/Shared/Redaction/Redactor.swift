/// Puts `***` in the place of secrets, in text that comes in pieces.
///
/// Two things are masked: values that are given, in plain form and in every usual encoding (``SecretMatcher``), and what has
/// the shape of a secret whoever it belongs to (``SecretPattern``). Text is read once, from left to right; what may still
/// become a match at the end of a piece is held back until the next one comes, so that no border lets a secret through.
/// What is held back is bounded: of a match that is longer than that, the rest is swallowed as it comes.
public struct Redactor: Sendable {
  /// What stands in the place of a secret.
  public static let mask = Array("***".utf8)

  /// Shorter values, in bytes, are not masked: they would stand in any text by chance.
  public static let shortest = 6

  let index: MatcherTable
  private var pending: [UInt8] = []
  /// Where in ``pending`` the search goes on.
  private var searched = 0
  private var swallowed: SecretPattern.Tail?

  /// - Parameter secrets: values to mask; the order does not matter.
  public init(_ secrets: some Sequence<String> = []) {
    index = MatcherTable(values: secrets.map { Array($0.utf8) })
  }

  init(index: MatcherTable) { self.index = index }

  /// The next piece of the text: gives what of the text so far is safe to be shown.
  public mutating func push(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    pending.append(contentsOf: bytes)
    return advance(isLast: false)
  }

  /// The end of the text: gives what was held back.
  public mutating func finish() -> [UInt8] {
    let rest = advance(isLast: true)
    (pending, searched, swallowed) = ([], 0, nil)
    return rest
  }

  /// A whole text.
  public func redacted(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.withUnsafeBufferPointer({ index.firstCandidate(in: $0) }) else { return bytes }
    var copy = Redactor(index: index)
    return copy.push(bytes) + copy.finish()
  }

  /// A whole text.
  public func redacted(_ text: String) -> String {
    let bytes = Array(text.utf8)
    let safe = redacted(bytes)
    return safe == bytes ? text : String(decoding: safe, as: UTF8.self)
  }

  private mutating func advance(isLast: Bool) -> [UInt8] {
    if swallowed != nil {
      guard swallowed?.swallow(&pending, isLast: isLast) == true else { return [] }
      swallowed = nil
    }
    var out: [UInt8] = []
    let (shown, position) = pending.withUnsafeBufferPointer { search($0, isLast: isLast, into: &out) }
    if let tail = swallowed {
      (pending, searched) = (tail.rest(of: pending), 0)
      return out
    }
    // What was looked through stays for a few bytes more: some matches begin before the place where they are noticed.
    let safe = isLast ? pending.count : max(shown, min(position, pending.count) - MatcherTable.lookBehind)
    out.append(contentsOf: pending[shown..<max(shown, safe)])
    pending.removeFirst(safe)
    searched = max(0, position - safe)
    return out
  }

  /// Looks through what is there. Gives the end of what was shown or masked, and where to look on.
  private mutating func search(
    _ bytes: UnsafeBufferPointer<UInt8>, isLast: Bool, into out: inout [UInt8]
  ) -> (shown: Int, position: Int) {
    var (shown, position) = (0, searched)
    while let place = index.next(in: bytes, from: position) {
      switch index.match(in: bytes, at: place, isLast: isLast) {
      case .none: position = place + 1
      case .more where bytes.count - place <= index.longest: return (shown, place)
      case .more(nil): position = place + 1
      case .more(let tail?):
        out.append(contentsOf: bytes[shown..<max(shown, tail.start)] + Self.mask)
        swallowed = tail
        return (bytes.count, bytes.count)
      case .found(let range):
        out.append(contentsOf: bytes[shown..<max(shown, range.lowerBound)] + Self.mask)
        shown = range.upperBound
        position = max(shown, place + 1)
      }
    }
    return (shown, max(position, bytes.count - 1))
  }
}
