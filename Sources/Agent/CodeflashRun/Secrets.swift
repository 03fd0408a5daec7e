/// Values that may stand in no file and no event: they come with the submit request and live in the runner's environment.
enum Secrets {
  /// The key of codeflash's real service, by the name that codeflash itself uses.
  static let codeflashKey = "CODEFLASH_API_KEY"
  static let names = [codeflashKey]

  static func take(from environment: [String: String]) -> [String: String] {
    environment.filter { names.contains($0.key) }.compactMapValues { value in
      // A line's end that came along is not part of it; a value that no header can carry is none.
      let words = value.split(whereSeparator: \.isWhitespace)
      guard words.count == 1, words[0].utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
      return String(words[0])
    }
  }
}
