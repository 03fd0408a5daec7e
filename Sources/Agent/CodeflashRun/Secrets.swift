/// Values that may stand in no file and no event: they come with the submit request and live in the runner's environment.
enum Secrets {
  /// The key of codeflash's real service, by the name that codeflash itself uses.
  static let codeflashKey = "CODEFLASH_API_KEY"
  static let names = [codeflashKey]

  static func take(from environment: [String: String]) -> [String: String] {
    environment.filter { names.contains($0.key) && !$0.value.isEmpty }
  }
}
