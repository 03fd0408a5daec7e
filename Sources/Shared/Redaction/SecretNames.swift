/// Which variables of an environment hold secrets, going by their names.
public enum SecretNames {
  /// Those of the tools that cf-bench meets.
  public static let known: Set<String> = [
    "CODEFLASH_API_KEY", "GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN",
    "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "CF_BENCH_KEY_PASSPHRASE",
  ]
  private static let endings = ["_TOKEN", "_SECRET", "_PASSWORD", "_PASSPHRASE", "_KEY"]
  /// Values of variables that are only called like a secret are masked from this length on, in bytes.
  private static let shortestOfOthers = 8

  public static func isSecret(_ name: String) -> Bool {
    known.contains(name) || endings.contains { name.uppercased().hasSuffix($0) }
  }

  /// The values to mask. A path is none: `SOME_KEY=/home/ada/.ssh/id_ed25519` names a secret and is not one.
  public static func values(in environment: [String: String]) -> [String] {
    environment.compactMap { name, value in
      if known.contains(name) { return value }
      guard isSecret(name), value.utf8.count >= shortestOfOthers else { return nil }
      return value.hasPrefix("/") || value.hasPrefix("~/") ? nil : value
    }
  }

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
