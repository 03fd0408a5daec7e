import CLibrary

/// Which variables of an environment hold secrets, going by their names.
public enum SecretNames {
  /// Those of the tools that cf-bench meets.
  public static let known: Set<String> = [
    "CODEFLASH_API_KEY", "GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN",
    "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "CF_BENCH_KEY_PASSPHRASE",
  ]
  private static let endings = ["_TOKEN", "_SECRET", "_PASSWORD", "_PASSPHRASE"]
  /// What ends so may be a key of anything: of a cache, a sort order, a project.
  private static let vagueEnding = "_KEY"

  public static func isSecret(_ name: String) -> Bool {
    isNamedSecret(name) || name.uppercased().hasSuffix(vagueEnding)
  }

  private static func isNamedSecret(_ name: String) -> Bool {
    known.contains(name) || endings.contains { name.uppercased().hasSuffix($0) }
  }

  /// The values to mask in free text (see ``Redactor/redacted(line:)``). A variable that is only called like some key counts when
  /// its value looks like a secret.
  public static func values(in environment: [String: String]) -> [String] {
    environment.compactMap { name, value in
      isNamedSecret(name) || isSecret(name) && looksSecret(value) ? value : nil
    }
  }

  /// A row of 16 letters and digits or more, of both kinds, with at least 3 bits to a character (Shannon's entropy), as keys of
  /// services have it; words, versions, names and paths have not.
  static func looksSecret(_ value: String) -> Bool {
    guard !value.hasPrefix("/"), !value.hasPrefix("~/") else { return false }
    return value.utf8.split { !isOfName($0) && $0 != UInt8(ascii: "+") }.contains { row in
      guard row.count >= 16, row.contains(where: isDigit), row.contains(where: { isOfName($0) && !isDigit($0) }) else {
        return false
      }
      let counts = row.reduce(into: [UInt8: Double]()) { $0[$1, default: 0] += 1 }
      return counts.values.reduce(0) { $0 - $1 / Double(row.count) * log2($1 / Double(row.count)) } >= 3
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  /// Why a name can't be that of a secret; `nil` for one that can.
  public static func objection(to name: String) -> String? {
    guard let first = name.utf8.first, name.utf8.count <= 64, !(0x30...0x39).contains(first),
      name.utf8.allSatisfy(isOfName)
    else { return "is no variable's name" }
    let ours = ["PATH", "HOME", "TMPDIR", "VIRTUAL_ENV", "COLUMNS", "LANG"]
    let kinds = ["LD_", "PYTHON", "LC_", "CF_BENCH_"]
    return ours.contains(name) || kinds.contains { name.hasPrefix($0) } ? "decides how commands run" : nil
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
  }
}
