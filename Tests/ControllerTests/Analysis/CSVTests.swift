import Testing

@testable import ControllerCore

@Suite("CSV: records and numbers")
struct CSVTests {
  /// The fields of each record and the line it starts in.
  private func records(_ text: String) throws -> [(fields: [String], line: Int)] {
    var bytes = Array(text.utf8)
    bytes.append(0)
    return try bytes.withUnsafeBufferPointer { buffer in
      var reader = CSVRecords(UnsafeBufferPointer(rebasing: buffer.dropLast()))
      var found: [(fields: [String], line: Int)] = []
      while try reader.next() { found.append((reader.fields.map(reader.string), reader.line)) }
      return found
    }
  }

  private func number(_ text: String) -> (double: Double?, whole: Int?) {
    var bytes = Array(text.utf8)
    bytes.append(0)
    return bytes.withUnsafeBufferPointer { buffer in
      let reader = CSVRecords(UnsafeBufferPointer(rebasing: buffer.dropLast()))
      let field = CSVRecords.Field(start: 0, end: text.utf8.count, hasEscapes: false)
      return (reader.double(field), reader.whole(field))
    }
  }

  @Test("quotes, commas and line breaks in fields, both line ends, an empty line, a byte order mark")
  func quoting() throws {
    let found = try records("\u{FEFF}a,\"b,\"\"c\"\"\"\r\n\"d\ne\",\n\nf\"g,h")
    #expect(found.map(\.fields) == [["a", "b,\"c\""], ["d\ne", ""], ["f\"g", "h"]])
    #expect(found.map(\.line) == [1, 2, 5])
  }

  @Test("nothing, and only line ends, hold no records", arguments: ["", "\n", "\r\n\n", "\u{FEFF}"])
  func nothing(text: String) throws { #expect(try records(text).isEmpty) }

  @Test("a half line break at the end belongs to no field")
  func tornBreak() throws { #expect(try records("a,b\r").map(\.fields) == [["a", "b"]]) }

  @Test("quotes in wrong places")
  func faults() {
    #expect(throws: CSVRecords.Fault.unclosedQuote) { try records("a,\"b\nc,d\n") }
    #expect(throws: CSVRecords.Fault.afterQuote) { try records("\"a\"b,c\n") }
  }

  @Test("numbers, and what is none")
  func numbers() {
    #expect(number("0.0123").double == 0.0123 && number(" 1e-3 ").double == 1e-3 && number("-4").double == -4)
    #expect(number("nan").double?.isNaN == true && number("inf").double == .infinity)
    for text in ["", " ", "abc", "1.2.3", "0x10", "1e", "12 ms", "1_000"] {
      #expect(number(text).double == nil, "\(text)")
    }
    #expect(number("12").whole == 12 && number("0").whole == 0)
    for text in ["", "-1", "1.0", "9999999999999999999", "a"] { #expect(number(text).whole == nil, "\(text)") }
  }
}
