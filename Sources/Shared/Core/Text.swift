import FoundationEssentials

/// A list of names that stays short: `a, b, c and 2 more`.
/// - Parameter rest: What those that are left out are called behind their number.
public func listed(_ names: [String], most: Int = 4, rest: String = "more") -> String {
  let shown = names.prefix(most).joined(separator: ", ")
  return names.count > most ? "\(shown) and \(names.count - most) \(rest)" : shown
}

extension Unicode.Scalar {
  /// A control character, a line's or paragraph's end, or one that turns the direction of writing or can't be seen: each can make a
  /// text show something else than it says.
  public var isHidden: Bool {
    switch value {
    case 0x00...0x1f, 0x7f...0x9f, 0x061c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x2069, 0xfeff: true
    default: false
    }
  }
}

/// Words of a command line as a POSIX shell (and hyperfine's own splitting) reads them.
public enum ShellWord {
  public static func quoted(_ word: String) -> String {
    let plain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "@%+=:,./_-".contains($0)) }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }

  public static func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }
}

extension JSONEncoder {
  /// One line, the same for the same value.
  public static var line: JSONEncoder { make([.sortedKeys, .withoutEscapingSlashes]) }
  /// For a file that people look at, the same for the same value.
  public static var pretty: JSONEncoder { make([.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]) }

  private static func make(_ formatting: OutputFormatting) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    return encoder
  }
}

/// Moments as text: always UTC.
public enum Timestamp {
  /// RFC 3339 with milliseconds: `2026-01-31T12:34:56.789Z`. For events and documents.
  public static func rfc3339(_ date: Date = .now) -> String {
    date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt))
  }

  /// The moment that ``rfc3339(_:)`` wrote.
  public static func date(_ text: String) throws -> Date {
    try Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt).parse(text)
  }

  /// ISO 8601 basic form: `20260131T123456Z`. For the names of folders.
  public static func folder(_ date: Date = .now) -> String {
    rfc3339(date).prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
  }
}
