import Shared

/// What `python -X importtime` writes to standard error.
///
/// Format (CPython, `Python/import.c`): `import time: %9ld | %10ld | %*s%s`, that is self and cumulative microseconds and
/// the module's name behind two spaces a level; a header line first; children before their parent.
enum ImportTimeReport {
  private static let prefix = "import time:"

  static func modules(in text: String) -> [ImportedModule] {
    text.split(separator: "\n").compactMap(module)
  }

  /// What the program itself wrote between the report's lines.
  static func otherLines(in text: String) -> [String] {
    text.split(separator: "\n").filter { !$0.hasPrefix(prefix) }.map(String.init)
  }

  /// `nil` for the header and for lines that are not the report's, or torn by another writer.
  private static func module(_ line: Substring) -> ImportedModule? {
    guard line.hasPrefix(prefix) else { return nil }
    let fields = line.dropFirst(prefix.count).split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3, let own = Int(fields[0].filter { $0 != " " }),
      let cumulative = Int(fields[1].filter { $0 != " " })
    else { return nil }
    let field = fields[2].dropFirst()
    let indentation = field.prefix { $0 == " " }.count
    let name = field.dropFirst(indentation)
    guard !name.isEmpty else { return nil }
    return ImportedModule(
      name: String(name), depth: indentation / 2, selfMicroseconds: own, cumulativeMicroseconds: cumulative)
  }
}
