/// Two revisions with git's three dots between them: `main...perf/x`, the last commit that both have. No git ref holds two dots
/// in a row, so that this is the name of nothing else.
public struct MergeBase: Equatable, Sendable {
  public var base: String
  public var head: String

  /// `nil` for any other text.
  public init?(_ text: String) {
    let parts = text.split(separator: "...", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    // No name of git's begins or ends with a dot.
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && !$0.contains("..") }), parts[0].last != ".",
      parts[1].first != "."
    else { return nil }
    (base, head) = (parts[0], parts[1])
  }

  /// `main at 0123456789ab, 3 commits behind its tip`.
  /// - Parameter behind: how many commits the base has that the merge base has not; `nil` for unknown.
  public static func note(_ ref: String, commit: String, behind: Int?) -> String {
    let distance = behind.map { count in
      count == 0 ? ", its tip" : ", \(count) \(count == 1 ? "commit" : "commits") behind its tip"
    }
    return "\(ref) at \(commit.prefix(12))\(distance ?? "")"
  }
}
