import Shared

/// Splits a command line into its words as a POSIX shell does (XCU 2.2, quoting), and does nothing else that a shell does:
/// no variable, pattern or operator means anything.
enum ShellWords {
  /// `nil` when a quote is left open or the line ends in a backslash.
  static func split(_ line: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = line[...]
    while let character = rest.popFirst() {
      switch (quote, character) {
      case ("'"?, "'"), ("\""?, "\""): quote = nil
      case ("'"?, _): word?.append(character)
      case (nil, "'"), (nil, "\""):
        quote = character
        word = word ?? ""
      case (_, "\\"):
        guard let escaped = rest.popFirst() else { return nil }
        // Inside double quotes a backslash only escapes what would mean something there.
        let kept = quote == nil || "\"\\$`".contains(escaped) ? "\(escaped)" : "\\\(escaped)"
        word = (word ?? "") + kept
      case (nil, let space) where space.isWhitespace:
        if let word { words.append(word) }
        word = nil
      default: word = (word ?? "") + String(character)
      }
    }
    guard quote == nil else { return nil }
    return words + (word.map { [$0] } ?? [])
  }

  /// The words as one line that ``split(_:)`` takes apart again.
  static func join(_ words: [String]) -> String { ShellWord.line(words) }
}
