import Foundation

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
