/// The commit that a revision stands for, and what a reader of the report should know of it.
public struct FoundCommit: Equatable, Sendable {
  public var commit: String
  /// Such as `main at 0123456789ab, 3 commits behind its tip`.
  public var note: String?

  public init(commit: String, note: String? = nil) {
    self.commit = commit
    self.note = note
  }
}

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

  /// - Parameters:
  ///   - ref: what the base is called.
  ///   - behind: how many commits the base has that the merge base has not; `nil` for unknown.
  public static func found(_ commit: String, of ref: String, behind: Int?) -> FoundCommit {
    let distance = behind.map { count in
      count == 0 ? ", its tip" : ", \(count) \(count == 1 ? "commit" : "commits") behind its tip"
    }
    return FoundCommit(commit: commit, note: "\(ref) at \(commit.prefix(12))\(distance ?? "")")
  }
}
