/// Everything that a ``Redactor`` looks for, found by its first two bytes: one look into a table for each byte of the text.
struct MatcherTable: Sendable {
  /// How far before the place where a match is noticed it may begin, in bytes.
  static let lookBehind = 8

  enum Match: Equatable {
    case none
    case found(Range<Int>)
    /// The text ends before it is clear; with a tail where enough is there to mask what follows unseen.
    case more(SecretPattern.Tail?)
  }

  private enum Candidate {
    case matcher(Int)
    case pattern(SecretPattern)
  }

  private let matchers: [SecretMatcher]
  private let buckets: [[Candidate]]
  /// By the first two bytes: 0 for nothing, else a bucket's number plus 1.
  private let table: [UInt16]
  /// A match that is longer, in bytes, is not waited for.
  let longest: Int

  init(values: [[UInt8]]) {
    matchers = Self.matchers(for: values)
    var pairs: [Int: [Candidate]] = [:]
    for pattern in SecretPattern.allCases {
      for pair in pattern.firstPairs { pairs[pair, default: []].append(.pattern(pattern)) }
    }
    for (number, matcher) in matchers.enumerated() {
      for pair in Set(matcher.firstPairs) { pairs[pair, default: []].append(.matcher(number)) }
    }
    var table = [UInt16](repeating: 0, count: 1 << 16)
    var buckets: [[Candidate]] = []
    for (pair, candidates) in pairs {
      buckets.append(candidates)
      table[pair] = UInt16(buckets.count)
    }
    self.table = table
    self.buckets = buckets
    longest = max(4096, matchers.map(\.longest).max() ?? 0)
  }

  /// A value of several lines is looked for line by line too: many programs show no more of it at once.
  private static func matchers(for values: [[UInt8]]) -> [SecretMatcher] {
    var all: Set<[UInt8]> = []
    for value in values {
      var trimmed = value[...]
      while let last = trimmed.last, last == 0x0a || last == 0x0d || last == 0x20 { trimmed.removeLast() }
      while let first = trimmed.first, first == 0x0a || first == 0x0d || first == 0x20 { trimmed.removeFirst() }
      all.insert(Array(trimmed))
      let lines = trimmed.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d })
      if lines.count > 1 { for line in lines where line.count >= 12 { all.insert(Array(line)) } }
    }
    return all.filter { $0.count >= Redactor.shortest }.sorted { $0.lexicographicallyPrecedes($1) }
      .flatMap(SecretMatcher.all)
  }

  /// The next place, at or behind `start`, whose two bytes begin something that is looked for.
  func next(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    var position = start
    return table.withUnsafeBufferPointer { table in
      guard position + 1 < bytes.count else { return nil }
      var pair = Int(bytes[position])
      while position + 1 < bytes.count {
        pair = (pair << 8 | Int(bytes[position + 1])) & 0xffff
        if table[pair] != 0 { return position }
        position += 1
      }
      return nil
    }
  }

  /// Whether anything at all matches, or might if the text went on.
  func firstCandidate(in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var position = 0
    while let found = next(in: bytes, from: position) {
      if match(in: bytes, at: found, isLast: true) != .none { return true }
      position = found + 1
    }
    return false
  }

  /// The longest match that is noticed at `position`.
  func match(in bytes: UnsafeBufferPointer<UInt8>, at position: Int, isLast: Bool) -> Match {
    var best = Match.none
    for candidate in buckets[Int(table[Int(bytes[position]) << 8 | Int(bytes[position + 1])]) - 1] {
      let match =
        switch candidate {
        case .matcher(let number): matchers[number].match(in: bytes, at: position, isLast: isLast)
        case .pattern(let pattern): pattern.match(in: bytes, at: position, isLast: isLast)
        }
      switch (match, best) {
      case (.none, _): continue
      case (.more(let tail), .more(let other)): best = .more(tail ?? other)
      case (.more, _): best = match
      case (.found, .more): continue
      case (.found(let range), .found(let other)):
        best = .found(min(range.lowerBound, other.lowerBound)..<max(range.upperBound, other.upperBound))
      case (.found, .none): best = match
      }
    }
    return best
  }
}
