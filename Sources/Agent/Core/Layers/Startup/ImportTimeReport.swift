import Shared

/// What Python's import trace writes to standard error.
///
/// Format (CPython, `Python/import.c`): `import time: %9ld | %10ld | %*s%s`, that is self and cumulative microseconds and
/// the module's name behind two spaces a level; a header line first; children before their parent. The trace shares standard
/// error with the program, its threads and its child processes: a line of it may begin behind what another has written.
enum ImportTimeReport {
  /// Set to 1, it does what `-X importtime` does, for whatever way Python is started.
  static let variable = "PYTHONPROFILEIMPORTTIME"
  private static let prefix = Array("import time:".utf8)

  static func modules(in report: [UInt8]) -> [ImportedModule] { lines(report).compactMap { module($0) } }

  /// What the program itself wrote between the report's lines.
  static func otherLines(in report: [UInt8]) -> [String] {
    lines(report).filter { start(of: $0) == nil }.map { String(decoding: $0, as: UTF8.self) }.filter { !$0.isEmpty }
  }

  /// Ends of lines may be those of another system.
  private static func lines(_ report: [UInt8]) -> [ArraySlice<UInt8>] {
    report.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
  }

  /// Where the report's part of a line begins: the last one, of two that were torn.
  private static func start(of line: ArraySlice<UInt8>) -> Int? {
    guard line.count >= prefix.count else { return nil }
    return (line.startIndex...(line.endIndex - prefix.count)).last { line[$0...].starts(with: prefix) }
  }

  /// `nil` for the header and for lines that are not the report's, or torn by another writer.
  private static func module(_ line: ArraySlice<UInt8>) -> ImportedModule? {
    guard let start = start(of: line) else { return nil }
    let fields = line[(start + prefix.count)...].split(
      separator: UInt8(ascii: "|"), maxSplits: 2, omittingEmptySubsequences: false)
    func number(_ field: ArraySlice<UInt8>) -> Int? {
      Int(String(decoding: field.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self))
    }
    guard fields.count == 3, let own = number(fields[0]), let cumulative = number(fields[1]) else { return nil }
    let field = fields[2].dropFirst()
    let indentation = field.prefix { $0 == UInt8(ascii: " ") }.count
    // A name is what the file system holds: bytes that are no UTF-8 are shown as such.
    let name = String(decoding: field.dropFirst(indentation), as: UTF8.self)
    guard !name.isEmpty else { return nil }
    return ImportedModule(
      name: name, depth: indentation / 2, selfMicroseconds: own, cumulativeMicroseconds: cumulative)
  }
}
