import Foundation
import Shared
import TestSupport
import Testing

@testable import GitHub

/// The real `gh` against a stand-in for GitHub.
private struct Hub {
  var stand: StandInGitHub
  var notes = Notes()

  static func with(_ body: (Hub) async throws -> Void) async throws {
    try await StandInGitHub.with { stand in
      try stand.set(json: #"{"issues":[7]}"#)
      try await body(Hub(stand: stand))
    }
  }

  func api(_ more: [String: String] = [:], patience: Duration = .seconds(300)) throws -> GitHubAPI {
    var environment = ProcessInfo.processInfo.environment.merging(stand.ready.environment) { $1 }
    environment["CF_BENCH_GITHUB_PACE"] = "0.01"
    environment.merge(more) { $1 }
    return try GitHubAPI(
      repository: "octo/project", environment: environment, patience: patience, note: { [notes] in notes.add($0) })
  }

  func put(_ text: String, run: Int, attempt: Int = 1) async throws -> StickyComment.Outcome {
    try await StickyComment(api: try api(), pull: 7).put(text, stamp: .init(run: run, attempt: attempt))
  }

  func comments() throws -> [StandInGitHub.Comment] { try stand.world().comments(of: 7) }
}

private final class Notes: @unchecked Sendable {
  // Guarded by the lock.
  private var lines: [String] = []
  private let lock = NSLock()
  func add(_ line: String) { lock.withLock { lines.append(line) } }
  var all: [String] { lock.withLock { lines } }
}

@Suite("One comment a pull request, through the real gh", .programs)
struct StickyCommentTests {
  @Test("written, then written anew: three pushes leave one comment with the last one's words")
  func pushes() async throws {
    try await Hub.with { hub in
      guard case .created(let id) = try await hub.put("first", run: 1) else { return fail("not created") }
      for run in 2...3 { #expect(try await hub.put("run \(run)", run: run) == .updated(id: id)) }
      let comments = try hub.comments()
      #expect(comments.map(\.id) == [id])
      #expect(comments[0].body.hasPrefix("<!-- cf-bench:comment run=3 attempt=1 -->\nrun 3"))
    }
  }

  @Test("found among 300 others over the pages; the mark of somebody else is not ours")
  func many() async throws {
    try await Hub.with { hub in
      let mark = "<!-- cf-bench:comment run=1 attempt=1 -->"
      var others = (1...300).map { #"{"body":"comment \#($0)","user":"person\#($0 % 7)"}"# }
      others.insert(#"{"body":"\#(mark)\nnot ours","user":"mallory"}"#, at: 10)
      others.insert(#"{"body":"quoted: \#(mark)","user":"github-actions[bot]"}"#, at: 20)
      others.insert(#"{"body":"\#(mark)\nours","user":"github-actions[bot]"}"#, at: 250)
      try hub.stand.set(json: #"{"comments":{"7":[\#(others.joined(separator: ","))]}}"#)
      let before = try hub.comments()
      #expect(before.count == 303)
      guard case .updated(let id) = try await hub.put("new words", run: 2) else { return fail("not updated") }
      let after = try hub.comments()
      #expect(after.count == 303)
      #expect(before.first { $0.id == id }?.body.hasSuffix("ours") == true)
      let changed = zip(before, after).filter { $0.body != $1.body }.map(\.1)
      #expect(changed.map(\.id) == [id] && changed[0].body.hasSuffix("new words"))
    }
  }

  @Test("two runs that both find none leave one, with the newer one's words", arguments: [0, 1])
  func race(round: Int) async throws {
    try await Hub.with { hub in
      try hub.stand.gate("issues/7/comments$", count: 2)
      async let older = hub.put("older", run: 10)
      async let newer = hub.put("newer", run: 11)
      _ = try await (older, newer)
      let comments = try hub.comments()
      #expect(comments.count == 1 && comments.first?.body.hasSuffix("newer") == true, "\(comments)")
      #expect(try hub.stand.world().gates.first?.opened == "full")
    }
  }

  @Test("an older run that comes late changes nothing; another attempt of the same run does")
  func late() async throws {
    try await Hub.with { hub in
      guard case .created(let id) = try await hub.put("newer", run: 11) else { return fail("not created") }
      #expect(try await hub.put("older", run: 10) == .outdated(id: id))
      #expect(try hub.comments().map(\.body).allSatisfy { $0.hasSuffix("newer") })
      #expect(try await hub.put("again", run: 11, attempt: 2) == .updated(id: id))
      #expect(try hub.comments().map(\.body).allSatisfy { $0.hasSuffix("again") })
    }
  }

  @Test("comments that earlier races left are removed, the oldest stays")
  func leftovers() async throws {
    try await Hub.with { hub in
      let ours = (1...3).map {
        #"{"body":"<!-- cf-bench:comment run=\#($0) attempt=1 -->\nx","user":"github-actions[bot]"}"#
      }
      try hub.stand.set(json: #"{"comments":{"7":[\#(ours.joined(separator: ","))]}}"#)
      let oldest = try #require(try hub.comments().first?.id)
      #expect(try await hub.put("words", run: 9) == .updated(id: oldest))
      #expect(try hub.comments().map(\.id) == [oldest])
    }
  }

  @Test(
    "what may pass is tried again, and leaves one comment",
    arguments: Thoroughness.cases(
      [
        #"{"method":"POST","path":"comments$","times":2,"status":500}"#,
        #"{"method":"POST","path":"comments$","times":1,"status":502}"#,
        #"{"method":"POST","path":"comments$","times":2,"status":429,"headers":{"Retry-After":"1"}}"#,
        #"{"method":"POST","path":"comments$","times":1,"status":403,"headers":{"Retry-After":"1"},"body":{"message":"You have exceeded a secondary rate limit"}}"#,
        #"{"method":"POST","path":"comments$","times":1,"cut":"before"}"#,
        #"{"method":"POST","path":"comments$","times":1,"cut":"after"}"#,
        #"{"method":"GET","path":"comments$","times":1,"cut":"middle"}"#,
        #"{"method":"GET","path":"comments$","times":3,"status":500}"#,
        #"{"method":"POST","path":"graphql","times":1,"status":502}"#,
      ], each: 2))
  func passing(fault: String) async throws {
    try await Hub.with { hub in
      try hub.stand.faults("[\(fault)]")
      _ = try await hub.put("words", run: 1)
      #expect(try hub.comments().map { $0.body.hasSuffix("words") } == [true])
      #expect(hub.notes.all.contains { $0.contains("trying again in") && $0.contains("at most") })
    }
  }

  @Test(
    "what does not pass is said at once, with the way to mend it",
    arguments: [
      (401, #"{"message":"Bad credentials"}"#, "does not know this token", "GH_TOKEN"),
      (403, #"{"message":"Resource not accessible by integration"}"#, "may not do that", "pull-requests: write"),
      (404, #"{"message":"Not Found"}"#, "does not have this", "permissions"),
      (422, #"{"message":"Validation Failed"}"#, "rejects this request", "report it"),
    ])
  func lasting(status: Int, body: String, what: String, fix: String) async throws {
    try await Hub.with { hub in
      try hub.stand.faults(#"[{"method":"POST","path":"comments$","status":\#(status),"body":\#(body)}]"#)
      let error = try await #require(throws: GitHubError.self) { _ = try await hub.put("words", run: 1) }
      #expect(error.what.contains(what) && error.fix.contains(fix) && error.exitStatus == .infrastructure)
      let posts = try hub.stand.requests().filter { $0.method == "POST" && $0.path.hasSuffix("comments") }
      #expect(hub.notes.all.isEmpty && posts.count == 1)
    }
  }

  @Test("what never passes ends with its words when patience does")
  func impatient() async throws {
    try await Hub.with { hub in
      try hub.stand.faults(#"[{"method":"GET","path":"comments$","status":500}]"#)
      let sticky = StickyComment(api: try hub.api(patience: .milliseconds(200)), pull: 7)
      let error = try await #require(throws: GitHubError.self) {
        _ = try await sticky.put("words", stamp: .init(run: 1, attempt: 1))
      }
      #expect(error.status == 500 && error.what.contains("answered 500"))
    }
  }

  @Test("an answer that is no JSON, no gh, and nobody signed in: each in its words")
  func nonsense() async throws {
    try await Hub.with { hub in
      try hub.stand.faults(#"[{"method":"GET","path":"comments$","garbage":true}]"#)
      let garbage = try await #require(throws: GitHubError.self) { _ = try await hub.put("words", run: 1) }
      #expect(garbage.what.contains("is not what cf-bench expects"))
      let missing = try hub.api(["CF_BENCH_GH": "/nowhere/gh"])
      await #expect(throws: (any Error).self) { _ = try await missing.login() }
      do { _ = try await missing.login() } catch let error as any UserFacingError {
        #expect(error.what.contains("can't be started") && error.fix.contains("cli.github.com"))
      }
      let nobody = try hub.api(["GH_HOST": "", "GH_TOKEN": "", "GH_ENTERPRISE_TOKEN": "", "GITHUB_TOKEN": ""])
      let unknown = try await #require(throws: GitHubError.self) { _ = try await nobody.login() }
      #expect(unknown.what.contains("nobody is signed in") && unknown.fix.contains("gh auth login"))
    }
  }
}

@Suite("A comment's approval is GitHub's to confirm, through the real gh", .programs)
struct ApprovalCheckTests {
  /// A pull request of a fork whose second commit came after the first was read.
  private func withPull(_ body: (Hub, _ commits: [String]) async throws -> Void) async throws {
    try await Hub.with { hub in
      let repository = hub.stand.folder + "/repository"
      let script = """
        set -e
        git init -q -b main '\(repository)'; cd '\(repository)'
        git config user.name t; git config user.email t@example.org
        commit() { echo "$1" >"$1"; git add "$1"; git commit -q -m "$1"; git rev-parse HEAD; }
        commit base
        git switch -q -c fork; commit one; commit two
        git switch -q -c elsewhere main; commit other
        git switch -q main
        git update-ref refs/pull/7/head fork
        """
      let output = try Self.run(script)
      let commits = output.split(separator: "\n").map(String.init)
      try #require(commits.count == 4)
      try hub.stand.set(
        json: #"""
          {"git":"\#(repository)","permissions":{"alice":"write","bob":"read","carol":"maintain"},
           "pulls":[{"number":7,"state":"open","head":{"sha":"\#(commits[2])","ref":"fork",
           "repo":{"full_name":"mallory/project","fork":true}},
           "base":{"sha":"\#(commits[0])","ref":"main","repo":{"full_name":"octo/project"}}}]}
          """#)
      try await body(hub, commits)
    }
  }

  private static func run(_ script: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", script]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  @Test("writers only; the commit that was named only; nothing that is not part of the pull request")
  func table() async throws {
    try await withPull { hub, commits in
      let check = ApprovalCheck(api: try hub.api())
      func look(_ person: String, _ commit: String?) async throws -> Approval.Look {
        try await check.look(Approval(by: person, pull: 7, commit: commit, base: nil))
      }
      func measured(_ look: Approval.Look) -> String? {
        if case .measure(let subject) = look { subject.head.commit?.text } else { nil }
      }
      for writer in ["alice", "carol"] { #expect(measured(try await look(writer, commits[2])) == commits[2]) }
      for stranger in ["bob", "mallory"] { #expect(measured(try await look(stranger, commits[2])) == nil) }
      // Read before the second commit came: that one is measured.
      #expect(measured(try await look("alice", commits[1])) == commits[1])
      #expect(measured(try await look("alice", nil)) == nil)
      #expect(measured(try await look("alice", String(commits[2].prefix(12)))) == nil)
      // The base's own commit, one of another branch, and one that is nowhere.
      for other in [commits[0], commits[3], String(repeating: "d", count: 40)] {
        #expect(measured(try await look("alice", other)) == nil)
      }
    }
  }

  @Test("where GitHub gives no answer nothing is measured")
  func silence() async throws {
    try await withPull { hub, commits in
      for path in ["permission$", "pulls/7$"] {
        try hub.stand.faults(#"[{"method":"GET","path":"\#(path)","status":500}]"#)
        let check = ApprovalCheck(api: try hub.api(patience: .milliseconds(100)))
        await #expect(throws: GitHubError.self) {
          _ = try await check.look(Approval(by: "alice", pull: 7, commit: commits[2], base: nil))
        }
        try hub.stand.endFaults()
      }
    }
  }
}

@Suite("A check says what was found, through the real gh", .programs)
struct CheckRunTests {
  @Test("in progress while it is measured, then ended once with its words")
  func life() async throws {
    try await Hub.with { hub in
      let commit = try #require(CommitID("1111111111111111111111111111111111111111"))
      let check = try await CheckRun.begin(
        "cf-bench", of: commit, key: "k", title: "Measuring", page: nil, api: try hub.api())
      let running = try #require(try hub.stand.world().checkRuns.first)
      #expect(running.status == "in_progress" && running.headSha == commit.text && running.title == "Measuring")
      func found(_ key: String) async throws -> Int? {
        try await CheckRun.find("cf-bench", of: commit, key: key, api: try hub.api())?.id
      }
      #expect(try await found("k") == check.id)
      #expect(try await found("another") == nil)
      for conclusion in [CheckRun.Conclusion.success, .failure, .neutral, .cancelled, .actionRequired] {
        let wide = String(repeating: "ä", count: CheckRun.summaryLimit / 2)
        try await check.end(conclusion, title: "Fine", summary: wide)
        let ended = try #require(try hub.stand.world().checkRuns.first)
        #expect(ended.status == "completed" && ended.conclusion == conclusion.rawValue && ended.title == "Fine")
      }
      #expect(try await found("k") == nil)
    }
  }
}
