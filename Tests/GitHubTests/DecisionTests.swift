import Foundation
import Shared
import Testing

@testable import GitHub

/// One row of the table in `docs/github.md`.
private struct Row: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var event: String
  var payload: String
  var wishes = Decision.Wishes()
  var expected: Expected

  enum Expected: Sendable {
    case measure(head: String, commit: String?, base: String?, pull: Subject.Pull, isFork: Bool)
    case ask(pull: Int, by: String, commit: String?)
    case carry(run: Int)
    /// A part of the reason.
    case nothing(String)
    case misuse(String)
  }

  init(
    _ description: String, _ event: String, _ payload: String, wishes: Decision.Wishes = .init(), _ expected: Expected
  ) {
    testDescription = description
    self.event = event
    self.payload = payload
    self.wishes = wishes
    self.expected = expected
  }
}

private let sha = "1111111111111111111111111111111111111111"
private let other = "2222222222222222222222222222222222222222"
private let repository = #""repository":{"full_name":"octo/project","private":false,"default_branch":"main"}"#

private func push(_ ref: String, more: String = "") -> String {
  #"{"ref":"\#(ref)","after":"\#(sha)"\#(more),\#(repository)}"#
}

private func pull(
  _ action: String, from head: String? = "octo/project", label: String? = nil, state: String = "open",
  branch: String = "perf/x"
) -> String {
  let repo = head.map { #"{"full_name":"\#($0)"}"# } ?? "null"
  let labelled = label.map { #","label":{"name":"\#($0)"}"# } ?? ""
  return #"""
    {"action":"\#(action)"\#(labelled),"pull_request":{"number":7,"state":"\#(state)",
     "head":{"sha":"\#(sha)","ref":"\#(branch)","repo":\#(repo)},
     "base":{"sha":"\#(other)","ref":"main","repo":{"full_name":"octo/project"}}},\#(repository)}
    """#
}

private func comment(
  _ body: String, action: String = "created", by login: String = "alice", type: String = "User", sender: String? = nil,
  isPull: Bool = true, state: String = "open"
) -> String {
  let text = "\"" + body.replacing("\n", with: "\\n") + "\""
  return #"""
    {"action":"\#(action)","comment":{"body":\#(text),"user":{"login":"\#(login)","type":"\#(type)"}},
     "issue":{"number":7,"state":"\#(state)"\#(isPull ? #","pull_request":{"url":"x"}"# : "")},
     "sender":{"login":"\#(sender ?? login)"},\#(repository)}
    """#
}

private func run(event: String, from fork: String?) -> String {
  let repo = fork.map { #"{"full_name":"\#($0)"}"# } ?? "null"
  return #"""
    {"action":"completed","workflow_run":{"id":99,"event":"\#(event)","head_sha":"\#(sha)","head_branch":"perf/x",
     "head_repository":\#(repo)},\#(repository)}
    """#
}

private let rows: [Row] = [
  // Pushes: whoever pushes to the repository may write to it.
  Row(
    "push to perf/x", "push", push("refs/heads/perf/x"),
    .measure(head: "perf/x", commit: sha, base: "main", pull: .ofBranch("perf/x"), isFork: false)),
  Row(
    "push with a base of its own", "push", push("refs/heads/perf/x"), wishes: .init(base: "release/2"),
    .measure(head: "perf/x", commit: sha, base: "release/2", pull: .ofBranch("perf/x"), isFork: false)),
  Row("push to the base", "push", push("refs/heads/main"), .nothing("what others are compared with")),
  Row("push of a tag", "push", push("refs/tags/v1"), .nothing("a tag was pushed")),
  Row("a branch deleted", "push", push("refs/heads/perf/x", more: #","deleted":true"#), .nothing("deleted")),
  // By hand: whoever may start a workflow may write.
  Row(
    "by hand on a branch", "workflow_dispatch", "{\(repository)}",
    .measure(head: "perf/x", commit: sha, base: "main", pull: .ofBranch("perf/x"), isFork: false)),
  Row(
    "by hand, a revision named", "workflow_dispatch", "{\(repository)}",
    wishes: .init(base: "codeflash==0.20.5", head: "codeflash==0.20.6"),
    .measure(
      head: "codeflash==0.20.6", commit: nil, base: "codeflash==0.20.5", pull: .ofBranch("codeflash==0.20.6"),
      isFork: false)),
  // Pull requests of the repository itself.
  Row(
    "label bench", "pull_request", pull("labeled", label: "bench"),
    .measure(head: "perf/x", commit: sha, base: "main", pull: .number(7), isFork: false)),
  Row("another label", "pull_request", pull("labeled", label: "bug"), .nothing("pushes are measured as such")),
  Row("opened", "pull_request", pull("opened"), .nothing("pushes are measured as such")),
  Row("synchronize", "pull_request", pull("synchronize"), .nothing("pushes are measured as such")),
  Row(
    "label on a closed one", "pull_request", pull("labeled", label: "bench", state: "closed"), .nothing("is closed")),
  // Forks: the runner itself, or nothing.
  Row("a fork's, opened", "pull_request", pull("opened", from: "mallory/project"), .nothing("/bench \(sha)")),
  Row("a fork's, pushed to", "pull_request", pull("synchronize", from: "mallory/project"), .nothing("/bench \(sha)")),
  Row(
    "a fork's, labelled", "pull_request", pull("labeled", from: "mallory/project", label: "bench"),
    .nothing("nobody has approved its commit")),
  Row(
    "a fork of the same owner", "pull_request", pull("synchronize", from: "octo/project-2"),
    .nothing("comes from a fork")),
  Row(
    "a fork that is gone", "pull_request", pull("synchronize", from: nil), .nothing("comes from a fork")),
  Row(
    "a fork's, on the runner itself", "pull_request", pull("opened", from: "mallory/project"),
    wishes: .init(isLocal: true), .measure(head: "perf/x", commit: sha, base: "main", pull: .none, isFork: true)),
  Row(
    "a fork's, edited, on the runner", "pull_request", pull("edited", from: "mallory/project"),
    wishes: .init(isLocal: true), .nothing("the same as before")),
  Row(
    "a fork's branch called like the base", "pull_request", pull("opened", from: "mallory/project", branch: "main"),
    .nothing("comes from a fork")),
  // Never.
  Row("pull_request_target", "pull_request_target", pull("labeled", label: "bench"), .misuse("pull_request_target")),
  Row(
    "pull_request_target of a fork", "pull_request_target", pull("opened", from: "mallory/project"),
    wishes: .init(isLocal: true), .misuse("pull_request_target")),
  Row("an event nobody knows", "watch", "{\(repository)}", .misuse("watch")),
  Row("a schedule", "schedule", "{\(repository)}", .nothing("reap")),
  Row("a merge queue", "merge_group", "{\(repository)}", .nothing("measured on its branch")),
  // Comments: GitHub is asked who it was.
  Row("/bench", "issue_comment", comment("/bench"), .ask(pull: 7, by: "alice", commit: nil)),
  Row("/bench and more below", "issue_comment", comment("/bench\nthanks"), .ask(pull: 7, by: "alice", commit: nil)),
  Row("/bench SHA", "issue_comment", comment("/bench \(sha)"), .ask(pull: 7, by: "alice", commit: sha)),
  Row("/bench short", "issue_comment", comment("/bench 1111111"), .ask(pull: 7, by: "alice", commit: "1111111")),
  Row("/bench a branch", "issue_comment", comment("/bench perf/x"), .nothing("is no commit")),
  Row("/bench hostile", "issue_comment", comment("/bench $(id)"), .nothing("is no commit")),
  Row("/bench option", "issue_comment", comment("/bench --help"), .nothing("is no commit")),
  Row("/bench with more words", "issue_comment", comment("/bench \(sha) please"), .nothing("says more than")),
  Row("/benchmark", "issue_comment", comment("/benchmark"), .nothing("does not begin")),
  Row("quoted", "issue_comment", comment("> /bench"), .nothing("does not begin")),
  Row("edited", "issue_comment", comment("/bench", action: "edited"), .nothing("no comment was written")),
  Row("a bot's", "issue_comment", comment("/bench", type: "Bot"), .nothing("not a person's own")),
  Row("somebody else's event", "issue_comment", comment("/bench", sender: "mallory"), .nothing("not a person's own")),
  Row("under an issue", "issue_comment", comment("/bench", isPull: false), .nothing("not under a pull request")),
  Row("under a closed one", "issue_comment", comment("/bench", state: "closed"), .nothing("is closed")),
  // The second workflow.
  Row("a fork's run ended", "workflow_run", run(event: "pull_request", from: "mallory/project"), .carry(run: 99)),
  Row("our own run ended", "workflow_run", run(event: "pull_request", from: "octo/project"), .nothing("not a fork's")),
  Row("a push's run ended", "workflow_run", run(event: "push", from: "mallory/project"), .nothing("not made for")),
  Row("a run of a fork that is gone", "workflow_run", run(event: "pull_request", from: nil), .nothing("not a fork's")),
]

func fail(_ words: String) { Issue.record("\(words)") }

@Suite("What is measured on which event")
struct DecisionTests {
  private static func decide(_ row: Row) throws -> Decision {
    let payload = try JSONDecoder().decode(GitHubEvent.Payload.self, from: Data(row.payload.utf8))
    return try Decision.decide(
      GitHubEvent(name: row.event, payload: payload), wishes: row.wishes, commit: sha, ref: "refs/heads/perf/x")
  }

  @Test("each row of the table", arguments: rows)
  fileprivate func row(_ row: Row) throws {
    switch row.expected {
    case .misuse(let part):
      let problem = try #require(throws: Problem.self) { _ = try Self.decide(row) }
      #expect(problem.what.contains(part) && problem.exitStatus == .usage)
    case .nothing(let part):
      guard case .nothing(let reason) = try Self.decide(row) else { return fail("it acts") }
      #expect(reason.contains(part))
    case .carry(let number):
      guard case .carry(let run) = try Self.decide(row) else { return fail("it carries nothing") }
      #expect(run.id == number && run.commit.text == sha && run.repository == "mallory/project")
    case .ask(let pull, let by, let commit):
      #expect(try Self.decide(row) == .ask(Approval(by: by, pull: pull, commit: commit, base: nil)))
    case .measure(let head, let commit, let base, let pull, let isFork):
      let subject = Subject(
        head: .init(label: head, commit: commit.flatMap(CommitID.init)), base: base, pull: pull, isFork: isFork)
      #expect(try Self.decide(row) == .measure(subject))
    }
  }

  @Test("no payload at all makes a fork's commit reach another machine than the runner")
  func forks() throws {
    for row in rows where row.payload.contains("mallory/project") || row.payload.contains(#""repo":null"#) {
      guard case .measure(let subject) = try? Self.decide(row) else { continue }
      #expect(row.wishes.isLocal && subject.pull == .none && subject.approvedBy == nil, "\(row.testDescription)")
    }
  }

  @Test("each row stands in the table of the documentation")
  func documented() throws {
    let page = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/github.md"),
      encoding: .utf8)
    for event in Set(rows.map(\.event)) where event != "watch" { #expect(page.contains("`\(event)`"), "\(event)") }
  }
}

@Suite("Who may have a commit measured by a comment")
struct ApprovalTests {
  private func pull(fork: Bool, state: String = "open") throws -> PullRequest {
    let text = #"""
      {"number":7,"state":"\#(state)","head":{"sha":"\#(sha)","ref":"perf/x",
       "repo":{"full_name":"\#(fork ? "mallory" : "octo")/project"}},
       "base":{"sha":"\#(other)","ref":"main","repo":{"full_name":"octo/project"}}}
      """#
    return try JSONDecoder().decode(PullRequest.self, from: Data(text.utf8))
  }

  private func approval(_ commit: String?) -> Approval { Approval(by: "alice", pull: 7, commit: commit, base: nil) }

  @Test("reading is not enough", arguments: [Approval.Permission.read, .none])
  func readers(permission: Approval.Permission) throws {
    for fork in [true, false] {
      guard case .refused(let reason) = approval(sha).look(at: try pull(fork: fork), permission: permission) else {
        return fail("it is measured")
      }
      #expect(reason.contains("may not write"))
    }
  }

  @Test("of the repository's own branch the head is measured, whatever it is", arguments: [nil, "1111111", sha])
  func own(commit: String?) throws {
    let look = approval(commit).look(at: try pull(fork: false), permission: .write)
    guard case .measure(let subject) = look else { return fail("\(look)") }
    #expect(subject.head.commit?.text == sha && !subject.isFork && subject.approvedBy == nil)
  }

  @Test("of a fork the commit has to be named in full", arguments: [nil, "1111111", String(sha.dropLast())])
  func unnamed(commit: String?) throws {
    let look = approval(commit).look(at: try pull(fork: true), permission: .admin)
    guard case .refused(let reason) = look else { return fail("\(look)") }
    #expect(reason.contains("/bench \(sha)"))
  }

  @Test("a fork's head that was named is measured, and says who approved it")
  func fork() throws {
    let look = approval(sha).look(at: try pull(fork: true), permission: .write)
    guard case .measure(let subject) = look else { return fail("\(look)") }
    #expect(subject.head.commit?.text == sha && subject.isFork && subject.approvedBy == "alice")
  }

  @Test("after a push what was approved is measured, not what came since; what is gone from the pull request is not")
  func pushedSince() throws {
    let approved = try #require(CommitID("3333333333333333333333333333333333333333"))
    let request = try pull(fork: true)
    guard case .relate(let named, let head) = approval(approved.text).look(at: request, permission: .write) else {
      return fail("another look is needed")
    }
    #expect(named == approved.text && head.text == sha)
    let older = approval(approved.text).look(at: request, approved: approved, relation: .ancestor(newer: 2))
    guard case .measure(let subject) = older else { return fail("\(older)") }
    #expect(subject.head.commit == approved)
    let dropped = approval(approved.text).look(at: request, approved: approved, relation: .unrelated)
    guard case .refused = dropped else { return fail("\(dropped)") }
  }

  @Test("a closed pull request is left alone")
  func closed() throws {
    let look = approval(sha).look(at: try pull(fork: true, state: "closed"), permission: .admin)
    guard case .refused = look else { return fail("\(look)") }
  }
}
