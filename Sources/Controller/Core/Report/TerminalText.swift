import Foundation
import Shared

/// Text of unknown origin made harmless for a terminal.
enum TerminalText {
  /// Rows as lines, each column as wide as its widest cell, without blanks at the end.
  static func columns(_ rows: [[String]]) -> [String] {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
  }

  /// Whether nothing in a text would be left out by ``clean(_:limit:)``.
  static func isHarmless(_ text: String) -> Bool {
    !text.unicodeScalars.contains(where: \.isHidden)
  }

  /// Several lines, each of them harmless: for words that quote what somebody typed or another program said.
  static func lines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { clean(String($0), limit: 4000) }
      .joined(separator: "\n")
  }

  /// One line without control characters and without the marks that turn the direction of writing, both of which can make a
  /// line show something else than it says; line breaks become spaces. Cut at `limit` characters.
  static func clean(_ text: String, limit: Int = 500) -> String {
    var clean = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x09, 0x0a, 0x0d, 0x2028, 0x2029: if clean.last != " " { clean.append(" ") }
      default: if !scalar.isHidden { clean.append(scalar) }
      }
    }
    let line = String(clean)
    return line.count <= limit ? line : line.prefix(limit - 1) + "…"
  }
}

/// Whether and how a stream is coloured.
struct TerminalStyle: Equatable, Sendable {
  var hasColour: Bool

  static let plain = TerminalStyle(hasColour: false)
  /// Of this program's standard output.
  static var ofOutput: TerminalStyle {
    TerminalStyle(isTerminal: isatty(STDOUT_FILENO) != 0, environment: ProcessInfo.processInfo.environment)
  }

  /// Colour on a terminal, unless NO_COLOR is set to anything (https://no-color.org) or TERM says that there is none.
  init(isTerminal: Bool, environment: [String: String]) {
    hasColour = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }

  init(hasColour: Bool) { self.hasColour = hasColour }

  enum Colour: String {
    case green = "32"
    case red = "31"
    case yellow = "33"
    case bold = "1"
  }

  func paint(_ text: String, _ colour: Colour?) -> String {
    guard hasColour, let colour else { return text }
    return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
  }
}
