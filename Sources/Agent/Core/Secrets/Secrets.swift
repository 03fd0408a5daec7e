import Shared

/// Values that may stand in no file and no event. They come with the request, go through pipes from the session to the
/// job's runner, and reach only whom the manifest names.
enum Secrets {
  /// The key of codeflash's real service, by the name that codeflash itself uses.
  static let codeflashKey = "CODEFLASH_API_KEY"
  /// Of all values of a job together, in bytes: they have to fit into a pipe.
  static let mostBytes = 48 << 10

  /// What the manifest's names stand for: as the controller gave it, or as the benchmark host's login has it. All else is
  /// dropped.
  /// - Throws: ``Problem`` when a value is missing that the target's commands need.
  static func admitted(
    _ given: [String: String], environment: [String: String], for manifest: JobManifest
  ) throws -> [String: String] {
    var admitted: [String: String] = [:]
    for name in names(of: manifest) {
      if let value = value(given[name], of: name) ?? value(environment[name], of: name) {
        admitted[name] = value
      } else if name != codeflashKey {  // layer 3 says itself what to do about its key
        throw Problem(
          what: "the job needs the secret \(name), and nobody gave it",
          why: "neither the controller's environment nor the benchmark host's has a value of that name",
          fix: "export \(name)=… before cf-bench, or take it out of the setting 'secrets'", exitStatus: .usage)
      }
    }
    let bytes = admitted.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    guard bytes <= mostBytes else {
      throw Problem(
        what: "the job's secrets are too long", why: "they have \(bytes) bytes, \(mostBytes) is the most",
        fix: "give fewer of them, or shorter ones", exitStatus: .usage)
    }
    return admitted
  }

  /// Those that the commands of the target find in their environment. The key of codeflash's service is not among them: it
  /// goes to the program that speaks with the service, and codeflash gets one that is worth nothing elsewhere.
  static func ofTarget(_ secrets: [String: String]) -> [String: String] { secrets.filter { $0.key != codeflashKey } }

  /// An environment without them: programs show theirs in /proc.
  static func removed(from environment: [String: String], for manifest: JobManifest) -> [String: String] {
    let names = Set(names(of: manifest) + [codeflashKey])
    return environment.filter { !names.contains($0.key) }
  }

  /// Manifests of the first release name none: a live service's key was meant.
  private static func names(of manifest: JobManifest) -> [String] {
    if let names = manifest.secrets { return names }
    let answers = [manifest.layers.optimize?.run.answers, manifest.layers.memory?.run?.answers]
    return answers.contains(.live) ? [codeflashKey] : []
  }

  /// A line's end that came along is not part of a value. One that no environment can carry is none, nor is a key that no
  /// header can carry.
  private static func value(_ text: String?, of name: String) -> String? {
    guard var text = text?[...] else { return nil }
    while let last = text.last, last.isNewline { text.removeLast() }
    if name == codeflashKey {
      let words = text.split(whereSeparator: \.isWhitespace)
      guard words.count == 1, words[0].utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else { return nil }
      return String(words[0])
    }
    return text.isEmpty || text.utf8.contains(0) ? nil : String(text)
  }
}
