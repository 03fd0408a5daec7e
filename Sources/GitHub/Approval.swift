import Shared

/// Somebody wrote `/bench`, or `/bench SHA`, under a pull request. Whether that counts is GitHub's to say: who may write here,
/// what the pull request's head is, and whether the commit named is part of it.
public struct Approval: Equatable, Sendable {
  public var by: String
  public var pull: Int
  /// `nil` for whatever the head is. Of a fork only a full name counts: commits with the same first digits can be made.
  public var commit: String?
  public var base: String?

  public init(by: String, pull: Int, commit: String?, base: String?) {
    self.by = by
    self.pull = pull
    self.commit = commit
    self.base = base
  }

  /// What a repository grants to a person. Source: REST API, "Get repository permissions for a user".
  public enum Permission: String, Decodable, Sendable {
    case admin, write, read, none
    var mayWrite: Bool { self == .admin || self == .write }
  }

  /// How the commit that was named stands to the pull request's head.
  public enum Relation: Equatable, Sendable {
    case same
    /// So many commits have come since.
    case ancestor(newer: Int)
    case unrelated
  }

  /// Who may ask, and for what. A first look, which needs no more than the pull request.
  public enum Look: Equatable, Sendable {
    case refused(String)
    case measure(Subject)
    /// The head is not what was named: its place in the pull request decides.
    case relate(approved: String, head: CommitID)
  }

  public func look(at pull: PullRequest, permission: Permission) -> Look {
    guard permission.mayWrite else {
      return .refused("\(TextOfOthers.short(by)) may not write to this repository, and so may not start the machine")
    }
    guard pull.isOpen, let head = CommitID(pull.head.sha) else { return .refused("the pull request is closed") }
    if pull.isFromFork, commit.flatMap(CommitID.init) == nil {
      return .refused(
        "the pull request comes from a fork: name the commit that you have read in full, as in '\(Decision.command) \(head)'"
      )
    }
    guard let commit else { return .measure(subject(pull, head)) }
    return head.text.hasPrefix(commit) ? .measure(subject(pull, head)) : .relate(approved: commit, head: head)
  }

  /// The second look, for a commit that is not the head.
  public func look(at pull: PullRequest, approved: CommitID, relation: Relation) -> Look {
    switch relation {
    case .same, .ancestor: .measure(subject(pull, approved))
    case .unrelated:
      .refused("the commit \(approved.text.prefix(12)) is not part of this pull request, or not any more")
    }
  }

  private func subject(_ pull: PullRequest, _ commit: CommitID) -> Subject {
    Subject(
      head: .init(label: pull.head.ref, commit: commit), base: base ?? pull.base.ref, pull: .number(pull.number),
      isFork: pull.isFromFork, approvedBy: pull.isFromFork ? by : nil)
  }
}

/// Asks GitHub what an ``Approval`` needs.
public struct ApprovalCheck: Sendable {
  private let api: GitHubAPI

  public init(api: GitHubAPI) { self.api = api }

  /// - Throws: ``GitHubError`` where GitHub gives no answer: then nothing is measured.
  public func look(_ approval: Approval) async throws -> Approval.Look {
    let permission = try await permission(of: approval.by)
    let pull = try await api.pull(approval.pull)
    let first = approval.look(at: pull, permission: permission)
    guard case .relate(let named, let head) = first else { return first }
    // A short name is made whole before it is compared, and only the whole one is used from here on.
    guard let approved = try await api.commit(named), approved.text.hasPrefix(named) else {
      return .refused("there is no commit \(named) in this repository")
    }
    return approval.look(at: pull, approved: approved, relation: try await relation(approved, head, in: pull))
  }

  private func permission(of person: String) async throws -> Approval.Permission {
    struct Answer: Decodable { var permission: String }
    do {
      let answer = try await api.get(Answer.self, api.path("collaborators/\(GitHubAPI.segment(person))/permission"))
      return Approval.Permission(rawValue: answer.permission) ?? .none
    } catch let error as GitHubError where error.status == 404 { return .none }
  }

  /// Part of the pull request is what lies between its base and its head, not what the base holds already.
  private func relation(_ approved: CommitID, _ head: CommitID, in pull: PullRequest) async throws -> Approval.Relation
  {
    guard approved != head else { return .same }
    guard let toHead = try await api.compare(approved.text, head.text), toHead.status == "ahead" else {
      return .unrelated
    }
    guard let fromBase = try await api.compare(pull.base.sha, approved.text),
      fromBase.status == "ahead" || fromBase.status == "diverged"
    else { return .unrelated }
    return .ancestor(newer: toHead.aheadBy)
  }
}
