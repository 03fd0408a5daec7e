/// Text of unknown origin (names of branches, modules, functions; messages) put into GitHub's Markdown so that it stays text:
/// no markup, no HTML, no table cell of its own, no mention of anybody, no reference to an issue.
///
/// Rules: CommonMark 0.31 (backslash escapes, code spans) and GitHub Flavored Markdown (tables, autolinks).
enum Markdown {
  /// Longer pieces are cut: a name that fills a screen says no more than its start.
  static let limit = 300

  /// As running text, also inside a table.
  static func text(_ text: String, limit: Int = limit) -> String {
    let clean = Array(TerminalText.clean(text, limit: limit))
    var escaped = ""
    for (index, character) in clean.enumerated() {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      // A zero-width space behind them keeps GitHub from notifying people and linking issues.
      case "@", "#":
        let startsName = clean[index...].dropFirst().first.map { $0.isLetter || $0.isNumber } ?? false
        escaped += startsName ? "\(character)\u{200B}" : "\(character)"
      case "\\", "`", "*", "_", "[", "]", "|", "~", "$": escaped += "\\\(character)"
      // GitHub links GH-12 as it links #12.
      case "-":
        let isReference =
          escaped.suffix(2).lowercased() == "gh" && clean[index...].dropFirst().first?.isNumber == true
        escaped += isReference ? "-\u{200B}" : "-"
      case ":": escaped += startsLink(escaped, character) ? ":\u{200B}" : ":"
      // Behind the dot it would be too late: `www.` alone makes a link.
      case ".": escaped += startsLink(escaped, character) ? "\u{200B}." : "."
      default: escaped.append(character)
      }
    }
    return escaped
  }

  /// As a paragraph of its own: its first characters make no heading, list or rule of it.
  static func paragraph(_ text: String, limit: Int = limit) -> String {
    let escaped = Markdown.text(text, limit: limit)
    if let first = escaped.first, "#+-=".contains(first) { return "\\" + escaped }
    let digits = escaped.prefix { $0.isASCII && $0.isNumber }
    let rest = escaped[digits.endIndex...]
    guard !digits.isEmpty, let mark = rest.first, ".)".contains(mark) else { return escaped }
    return digits + "\\" + rest
  }

  /// `https://…` and `www.…` become links on their own, unless something stands in between.
  private static func startsLink(_ before: String, _ character: Character) -> Bool {
    let end = before.suffix(5).lowercased()
    return character == "." ? end.hasSuffix("www") : ["http", "https", "ftp"].contains { end.hasSuffix($0) }
  }

  /// As code: shown letter by letter, so only its own fence has to be minded. Nothing in it is markup or a mention.
  static func code(_ text: String) -> String {
    let clean = TerminalText.clean(text, limit: limit)
    guard !clean.isEmpty else { return "` `" }
    var (longest, current) = (0, 0)
    for character in clean {
      current = character == "`" ? current + 1 : 0
      longest = max(longest, current)
    }
    let fence = String(repeating: "`", count: longest + 1)
    let needsPadding = clean.hasPrefix("`") || clean.hasSuffix("`")
    return needsPadding ? "\(fence) \(clean) \(fence)" : "\(fence)\(clean)\(fence)"
  }

  /// A table; cells are Markdown already. A `|` must be escaped in a cell even inside code (GFM, section 4.10).
  static func table(_ header: [String], _ rows: [[String]]) -> String {
    ([header, header.map { _ in "---" }] + rows).map { row in
      "| " + row.map(cell).joined(separator: " | ") + " |\n"
    }.joined()
  }

  private static func cell(_ markdown: String) -> String {
    var cell = ""
    var isEscaped = false
    for character in markdown {
      if character == "|", !isEscaped { cell += "\\" }
      isEscaped = character == "\\" && !isEscaped
      cell.append(character)
    }
    return cell
  }
}

extension String {
  /// The same with a capital at its start.
  var capitalisedFirst: String { prefix(1).uppercased() + dropFirst() }
}
