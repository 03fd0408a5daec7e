import Foundation

/// Cuts text as of RFC 4180 into records and fields, byte by byte and without making strings: a file may hold millions of
/// lines. Lines may end in LF too; empty ones are passed over.
struct CSVRecords {
  /// Where the content of a field lies, without its quotes.
  struct Field {
    var start: Int
    var end: Int
    /// Whether quotes stand in it twice.
    var hasEscapes: Bool
  }

  enum Fault: Error, Equatable {
    /// A quote that nothing closes.
    case unclosedQuote
    /// Something else than a comma or the line's end after a closing quote.
    case afterQuote
  }

  let text: UnsafeBufferPointer<UInt8>
  private(set) var fields: [Field] = []
  /// Of the record read last, from 1: where it begins.
  private(set) var line = 0
  /// Whether a line break stands after the record read last.
  private(set) var isEnded = true
  private var place: Int
  private var nextLine = 1

  private static let quote = UInt8(ascii: "\"")
  private static let comma = UInt8(ascii: ",")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  init(_ text: UnsafeBufferPointer<UInt8>) {
    self.text = text
    // A byte order mark belongs to no field.
    place = text.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
  }

  /// Reads the next record into ``fields``; false at the end.
  mutating func next() throws(Fault) -> Bool {
    while place < text.count {
      try record()
      if fields.count > 1 || (fields.first.map { $0.end > $0.start } ?? false) { return true }
    }
    return false
  }

  private mutating func record() throws(Fault) {
    fields.removeAll(keepingCapacity: true)
    line = nextLine
    isEnded = false
    while true {
      try field()
      guard place < text.count else { return }
      let byte = text[place]
      place += 1
      if byte == Self.comma { continue }
      // A line feed, or a carriage return that one follows.
      if byte == Self.carriageReturn { place += 1 }
      nextLine += 1
      isEnded = true
      return
    }
  }

  /// Leaves ``place`` at the comma or line break after the field, or at the end of the text.
  private mutating func field() throws(Fault) {
    guard place < text.count, text[place] == Self.quote else {
      let start = place
      while place < text.count, !isBreak(place), text[place] != Self.comma { place += 1 }
      // The last line may end in the half of a line break.
      let isTorn = place == text.count && place > start && text[place - 1] == Self.carriageReturn
      fields.append(Field(start: start, end: isTorn ? place - 1 : place, hasEscapes: false))
      return
    }
    place += 1
    var found = Field(start: place, end: place, hasEscapes: false)
    while place < text.count {
      if text[place] == Self.quote {
        guard place + 1 < text.count, text[place + 1] == Self.quote else {
          found.end = place
          place += 1
          guard place == text.count || text[place] == Self.comma || isBreak(place) else { throw .afterQuote }
          fields.append(found)
          return
        }
        found.hasEscapes = true
        place += 1
      } else if text[place] == Self.lineFeed {
        nextLine += 1
      }
      place += 1
    }
    throw .unclosedQuote
  }

  private func isBreak(_ place: Int) -> Bool {
    if text[place] == Self.lineFeed { return true }
    return text[place] == Self.carriageReturn && place + 1 < text.count && text[place + 1] == Self.lineFeed
  }

  /// A field as text, quotes that stand twice once.
  func string(_ field: Field) -> String {
    let raw = String(decoding: text[field.start..<field.end], as: UTF8.self)
    return field.hasEscapes ? raw.replacing("\"\"", with: "\"") : raw
  }

  /// The fields of the record read last as one line, for errors.
  var recordText: String { fields.map(string).joined(separator: ",") }
}

extension CSVRecords {
  /// A decimal number, infinity or NaN in a field; `nil` for anything else, hexadecimal numbers included. The text must go
  /// on after the field, at least by a zero.
  func double(_ field: Field) -> Double? {
    let (start, end) = trimmed(field)
    guard start < end, let base = text.baseAddress else { return nil }
    for place in start..<end where text[place] == UInt8(ascii: "x") || text[place] == UInt8(ascii: "X") { return nil }
    return UnsafeRawPointer(base + start).withMemoryRebound(to: CChar.self, capacity: end - start + 1) { pointer in
      var stop: UnsafeMutablePointer<CChar>?
      let value = strtod(pointer, &stop)
      return stop.map { UnsafePointer($0) } == pointer + (end - start) ? value : nil
    }
  }

  /// A whole number from 0 on; `nil` for anything else.
  func whole(_ field: Field) -> Int? {
    let (start, end) = trimmed(field)
    guard start < end, end - start <= 18 else { return nil }
    var value = 0
    for place in start..<end {
      let digit = Int(text[place]) - 48
      guard digit >= 0, digit <= 9 else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  func isEmpty(_ field: Field) -> Bool {
    let (start, end) = trimmed(field)
    return start == end
  }

  func equals(_ field: Field, _ word: StaticString) -> Bool {
    let (start, end) = trimmed(field)
    guard end - start == word.utf8CodeUnitCount, let base = text.baseAddress else { return false }
    return memcmp(base + start, word.utf8Start, end - start) == 0
  }

  /// Without spaces around it.
  private func trimmed(_ field: Field) -> (start: Int, end: Int) {
    var (start, end) = (field.start, field.end)
    while start < end, text[start] == UInt8(ascii: " ") { start += 1 }
    while end > start, text[end - 1] == UInt8(ascii: " ") { end -= 1 }
    return (start, end)
  }
}
