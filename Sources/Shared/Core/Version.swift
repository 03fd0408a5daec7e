/// The version that both programs carry; the agent's binary itself is told apart by its SHA-256.
public enum Version {
  /// The release, as in CHANGELOG.md.
  public static let current = "0.1.0"
  /// The wire protocol's version. A peer with the same number can be talked to; fields it adds are ignored.
  public static let wireProtocol = 1
}
