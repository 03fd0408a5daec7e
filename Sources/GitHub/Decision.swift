import Shared

/// What a workflow's step may do about an event. Pure: nothing is asked of anybody. The table in `docs/github.md` is this
/// function in words.
///
/// Nothing of a fork reaches a machine that is not the runner's own, unless somebody who may write to the repository has
/// named the very commit.
public enum Decision: Equatable, Sendable {
  /// To be measured, as it stands.
  case measure(Subject)
  /// To be measured when GitHub confirms who asked for it, and of what: see ``Approval``.
  case ask(Approval)
  /// The results of a fork's run are put under its pull request.
  case carry(FinishedRun)
  /// Nothing to do, and why: no failure.
  case nothing(String)

  /// What the step was told about the run it may make.
  public struct Wishes: Equatable, Sendable {
    /// What to compare with; the default branch, or the pull request's base, if nil.
    public var base: String?
    /// What to measure; by hand only.
    public var head: String?
    /// Whether the runner itself is the machine.
    public var isLocal: Bool
    public init(base: String? = nil, head: String? = nil, isLocal: Bool = false) {
      self.base = base
      self.head = head
      self.isLocal = isLocal
    }
  }

  /// The label of a pull request, and the first word of a comment under one, that ask for a run.
  public static let label = "bench"
  public static let command = "/bench"

  /// - Parameters:
  ///   - commit: `GITHUB_SHA`.
  ///   - ref: `GITHUB_REF`.
  /// - Throws: ``Problem`` for events on which no workflow may run this step.
  public static func decide(
    _ event: GitHubEvent, wishes: Wishes, commit: String?, ref: String?
  ) throws(Problem) -> Decision {
    switch event.name {
    case "push": return push(event.payload, wishes, commit)
    case "workflow_dispatch", "repository_dispatch": return byHand(event.payload, wishes, commit, ref)
    case "pull_request": return pull(event.payload, wishes)
    case "issue_comment": return comment(event.payload, wishes)
    case "workflow_run": return run(event.payload)
    case "schedule": return .nothing("nothing is measured on a schedule; 'cf-bench reap' is for that")
    case "merge_group": return .nothing("what waits to be merged was measured on its branch")
    case "pull_request_target":
      throw Problem(
        what: "a workflow on 'pull_request_target' may not measure",
        why: "it runs with this repository's secrets on a commit that anybody may have written and may have changed "
          + "since it was looked at",
        fix: "use 'pull_request' and the comment '\(command) SHA' of a member (docs/github.md)", exitStatus: .usage)
    default:
      throw Problem(
        what: "cf-bench does not know what to measure on the event '\(event.name.prefix(60))'",
        why: "it knows push, workflow_dispatch, pull_request, issue_comment and workflow_run",
        fix: "take the workflow that 'cf-bench init' writes", exitStatus: .usage)
    }
  }

  private static func push(_ payload: GitHubEvent.Payload, _ wishes: Wishes, _ commit: String?) -> Decision {
    guard let ref = payload.ref, ref.hasPrefix("refs/heads/") else { return .nothing("a tag was pushed, not a branch") }
    guard payload.deleted != true, let commit = (payload.after ?? commit).flatMap(CommitID.init) else {
      return .nothing("the branch was deleted")
    }
    let branch = String(ref.dropFirst("refs/heads/".count))
    let base = wishes.base ?? payload.repository?.defaultBranch
    guard branch != base else { return .nothing("'\(branch)' is what others are compared with") }
    return .measure(Subject(head: .init(label: branch, commit: commit), base: base, pull: .ofBranch(branch)))
  }

  private static func byHand(
    _ payload: GitHubEvent.Payload, _ wishes: Wishes, _ commit: String?, _ ref: String?
  ) -> Decision {
    let base = wishes.base ?? payload.repository?.defaultBranch
    if let head = wishes.head {
      return .measure(Subject(head: .init(label: head, commit: CommitID(head)), base: base, pull: .ofBranch(head)))
    }
    guard let commit = commit.flatMap(CommitID.init), let ref, ref.hasPrefix("refs/heads/") else {
      return .nothing("no revision was named, and the workflow was not started on a branch")
    }
    let branch = String(ref.dropFirst("refs/heads/".count))
    guard branch != base else {
      return .nothing("no revision was named, and '\(branch)' is what others are compared with")
    }
    return .measure(Subject(head: .init(label: branch, commit: commit), base: base, pull: .ofBranch(branch)))
  }

  private static func pull(_ payload: GitHubEvent.Payload, _ wishes: Wishes) -> Decision {
    guard let pull = payload.pullRequest, let head = CommitID(pull.head.sha) else {
      return .nothing("the event names no pull request")
    }
    guard pull.isOpen else { return .nothing("the pull request is closed") }
    if pull.isFromFork {
      guard ["opened", "synchronize", "reopened", "labeled"].contains(payload.action) else {
        return .nothing("the commits of the pull request are the same as before")
      }
      guard wishes.isLocal else {
        return .nothing(
          "the pull request comes from a fork, and nobody has approved its commit; a member who has read it may write "
            + "the comment: \(command) \(head)")
      }
      // The runner is thrown away afterwards, and a fork's run has no secrets.
      return .measure(
        Subject(
          head: .init(label: pull.head.ref, commit: head), base: wishes.base ?? pull.base.ref, pull: .none, isFork: true
        ))
    }
    guard payload.action == "labeled", payload.label?.name == label else {
      return .nothing("pushes are measured as such; the label '\(label)' asks for one more run")
    }
    return .measure(
      Subject(
        head: .init(label: pull.head.ref, commit: head), base: wishes.base ?? pull.base.ref, pull: .number(pull.number))
    )
  }

  private static func comment(_ payload: GitHubEvent.Payload, _ wishes: Wishes) -> Decision {
    guard payload.action == "created", let comment = payload.comment, let issue = payload.issue else {
      return .nothing("no comment was written")
    }
    guard let words = firstLine(comment.body), words.first == command[...] else {
      return .nothing("the comment does not begin with \(command)")
    }
    guard issue.pullRequest != nil else { return .nothing("the comment is not under a pull request") }
    guard issue.state == nil || issue.state == "open" else { return .nothing("the pull request is closed") }
    // A comment is its author's word: whoever else sent the event did not ask for anything.
    guard comment.user.type != "Bot", payload.sender == nil || payload.sender?.login == comment.user.login else {
      return .nothing("the comment is not a person's own")
    }
    guard words.count <= 2 else { return .nothing("the comment says more than '\(command) SHA' on its first line") }
    var approved: String?
    if words.count == 2 {
      let sha = words[1].lowercased()
      guard 7...64 ~= sha.utf8.count, sha.utf8.allSatisfy(CommitID.isHex) else {
        return .nothing(
          "'\(TextOfOthers.short(words[1]))' is no commit: write \(command) and 7 to 40 hexadecimal digits")
      }
      approved = sha
    }
    return .ask(Approval(by: comment.user.login, pull: issue.number, commit: approved, base: wishes.base))
  }

  private static func firstLine(_ body: String) -> [Substring]? {
    body.split(whereSeparator: \.isNewline).first?.split(separator: " ")
  }

  private static func run(_ payload: GitHubEvent.Payload) -> Decision {
    guard let run = payload.workflowRun, let commit = CommitID(run.headSha) else {
      return .nothing("the event names no run")
    }
    guard run.event == "pull_request" else { return .nothing("the run was not made for a pull request") }
    guard let from = run.headRepository?.fullName, let branch = run.headBranch,
      from.lowercased() != payload.repository?.fullName.lowercased()
    else { return .nothing("the run was not a fork's: it wrote its own comment") }
    return .carry(FinishedRun(id: run.id, commit: commit, repository: from, branch: branch))
  }
}

/// Two revisions, and the pull request that they belong to.
public struct Subject: Equatable, Sendable {
  public struct Revision: Equatable, Sendable {
    /// As people call it: `perf/x`.
    public var label: String
    /// `nil` where it has to be looked up, once.
    public var commit: CommitID?
    public init(label: String, commit: CommitID?) {
      self.label = label
      self.commit = commit
    }
  }

  public enum Pull: Equatable, Sendable {
    case number(Int)
    /// The open one of this branch, if there is one.
    case ofBranch(String)
    /// No comment can be written from here.
    case none
  }

  public var head: Revision
  /// The repository's default branch if nil.
  public var base: String?
  public var pull: Pull
  public var isFork = false
  /// Who approved a commit of a fork.
  public var approvedBy: String?

  public init(head: Revision, base: String?, pull: Pull, isFork: Bool = false, approvedBy: String? = nil) {
    self.head = head
    self.base = base
    self.pull = pull
    self.isFork = isFork
    self.approvedBy = approvedBy
  }
}

/// A run of a fork's pull request that has ended, whose results are carried to it.
public struct FinishedRun: Equatable, Sendable {
  public var id: Int
  public var commit: CommitID
  /// The fork.
  public var repository: String
  public var branch: String
}

/// Words of others in sentences of ours.
enum TextOfOthers {
  /// One short line of visible characters.
  static func short(_ text: some StringProtocol, limit: Int = 60) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit).filter { 0x21...0x7e ~= $0.value || $0 == " " }))
  }
}
