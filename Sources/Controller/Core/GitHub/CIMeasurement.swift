import Foundation
import GitHub
import Shared
import SystemPackage
import Tools

/// Measures what was decided on: resolves both revisions once, opens the check, runs the comparison.
struct CIMeasurement {
  let step: CIStep
  let event: GitHubEvent
  let subject: Subject

  private var api: GitHubAPI { step.api }
  private var environment: [String: String] { step.environment }

  /// Errors are part of how it ended: the check and the comment tell of them.
  func run() async -> CIEnd {
    var end = CIEnd(status: .infrastructure)
    do { try await measure(&end) } catch { end.fail(error) }
    return end
  }

  private func measure(_ end: inout CIEnd) async throws {
    end.pull = try await pull()
    let head = try await resolve(subject.head.label, subject.head.commit)
    let base = try await mergeBase(
      try await resolve(subject.base ?? event.payload.repository?.defaultBranch ?? "main", nil), with: head)
    StandardError.write(words(base: base, head: head) + "\n")
    end.footer = footer(head: head)
    if let commit = head.commit { end.check = try await check(commit) }
    let results = ResultsPlace()
    defer {
      end.folder = results.folder
      // A folder without an event has no report.
      end.report = results.folder.flatMap { try? StoredReport.read($0) }
      end.isMeasured = end.comparison?.document.metrics.isEmpty == false
    }
    let repository = try await repository(for: [base, head])
    // A step has a gate unless somebody says otherwise; a command line has none.
    let request = MeasurementRequest(
      base: base.revision, head: head.revision, settings: step.inputs.settings(repository: repository),
      usualGate: [GateRule("regression")].compactMap { $0 })
    end.status = try await request.carryOut(into: results)
  }

  // MARK: Revisions

  private struct Resolved {
    var revision: NamedRevision
    /// `nil` for a release or a folder.
    var commit: CommitID?
  }

  /// A ref is looked up once; what is measured from here on is the commit.
  private func resolve(_ text: String, _ known: CommitID?) async throws -> Resolved {
    let label = TerminalText.clean(text, limit: 200)
    if let known { return Resolved(revision: NamedRevision(known.text, label: label), commit: known) }
    let ref: String
    switch try RevisionArgument(text) {
    case .gitRef(let name): ref = name
    case .mergeBase(let bases): ref = bases.base  // what it has in common with the head is looked for anyway
    case .release, .folder: return Resolved(revision: NamedRevision(text), commit: nil)
    }
    guard let commit = try await api.commit(ref) else {
      throw RevisionError.noSuchRef(ref: ref, repository: api.repository)
    }
    return Resolved(revision: NamedRevision(commit.text, label: label), commit: commit)
  }

  /// The last commit that the head has in common with the base: it is not blamed for what the base did since. A release and a
  /// folder stand for themselves.
  private func mergeBase(_ base: Resolved, with head: Resolved) async throws -> Resolved {
    guard let tip = base.commit, let commit = head.commit else { return base }
    guard let compared = try await api.compare(tip.text, commit.text),
      let found = compared.mergeBase.flatMap({ CommitID($0.sha) })
    else {
      throw RevisionError.noMergeBase(
        base: base.revision.label, head: head.revision.label, repository: api.repository,
        words: "GitHub knows no commit that both have")
    }
    let label = base.revision.label
    return Resolved(
      revision: NamedRevision(
        found.text, label: label, note: MergeBase.found(found.text, of: label, behind: compared.behindBy).note),
      commit: found)
  }

  /// Where the machine finds the commits. A public repository it fetches itself; of a private one the runner sends what is
  /// needed, so that no token leaves the runner.
  private func repository(for revisions: [Resolved]) async throws -> String? {
    if let given = step.inputs.repository { return given }
    let commits = revisions.compactMap(\.commit)
    guard !commits.isEmpty else { return nil }
    let address = "\(environment["GITHUB_SERVER_URL"] ?? "https://github.com")/\(api.repository)"
    guard event.payload.repository?.isPrivate == true else { return address }
    return try await PrivateClone(environment: environment).fetch(commits, from: address)
  }

  // MARK: What GitHub is told first

  private func pull() async throws -> Int? {
    guard step.inputs.writesComment else { return nil }
    switch subject.pull {
    case .none: return nil
    case .number(let number): return number
    case .ofBranch(let branch):
      do { return try await api.openPulls(ofBranch: branch).first?.number } catch let error as GitHubError {
        StandardError.write(error.problem.rendered + "\n")
        return nil  // measured all the same: the summary has it
      }
    }
  }

  private func check(_ commit: CommitID) async throws -> CheckRun? {
    // A fork's run has a token that may only read.
    guard step.inputs.makesCheck, !(subject.isFork && subject.approvedBy == nil) else { return nil }
    let open = OpenCheck(repository: api.repository, commit: commit.text)
    open.write(environment)
    do {
      return try await CheckRun.begin(
        OpenCheck.name, of: commit, key: open.key, title: "Measuring", page: runPage, api: api)
    } catch let error as GitHubError {
      StandardError.write(error.problem.rendered + "\n")
      return nil  // measured all the same
    }
  }

  private var runPage: String? {
    guard let run = environment["GITHUB_RUN_ID"], Int(run) != nil else { return nil }
    return "\(environment["GITHUB_SERVER_URL"] ?? "https://github.com")/\(api.repository)/actions/runs/\(run)"
  }

  private func words(base: Resolved, head: Resolved) -> String {
    func name(_ side: Resolved) -> String {
      side.revision.label + (side.commit.map { " (\($0.text.prefix(12)))" } ?? "")
    }
    let approval = subject.approvedBy.map { ", approved by \(TerminalText.clean($0, limit: 60))" } ?? ""
    return "comparing \(name(head)) with \(name(base))\(approval)"
  }

  private func footer(head: Resolved) -> String {
    var words = head.commit.map { "Commit \($0)" } ?? ""
    if let approvedBy = subject.approvedBy { words += ", approved by \(Markdown.text(approvedBy))" }
    if let runPage { words += (words.isEmpty ? "" : ", ") + "[run \(environment["GITHUB_RUN_ID"] ?? "")](\(runPage))" }
    return words.isEmpty ? "" : "<sub>\(words)</sub>\n"
  }
}

/// The commits of a private repository in a bare clone on the runner.
struct PrivateClone {
  var environment: [String: String]

  private static let limit = Duration.seconds(600)

  /// - Returns: the clone's folder.
  func fetch(_ commits: [CommitID], from address: String) async throws -> String {
    let folder = "\(environment["RUNNER_TEMP"] ?? "/tmp")/cf-bench-\(UUID().uuidString).git"
    var environment = GitEnvironment.cleaned(environment)
    environment["GIT_TERMINAL_PROMPT"] = "0"
    if let token = environment["GH_TOKEN"], !token.isEmpty {
      // By the environment: arguments can be read by every user. Source: git-config(1), GIT_CONFIG_COUNT.
      environment["GIT_CONFIG_COUNT"] = "1"
      environment["GIT_CONFIG_KEY_0"] =
        "http.\(address.prefix { $0 != "/" })//\(address.split(separator: "/")[1])/.extraheader"
      environment["GIT_CONFIG_VALUE_0"] =
        "AUTHORIZATION: basic \(Data("x-access-token:\(token)".utf8).base64EncodedString())"
    }
    let git = ChildTool(program: "git", environment: environment)
    for arguments in [
      ["init", "--quiet", "--bare", folder],
      ["-C", folder, "fetch", "--quiet", "--tags", "--no-write-fetch-head", "--", address]
        + commits.map { "+\($0.text):refs/cf-bench/\($0.text)" },
    ] {
      let result = try await git.run(GitEnvironment.options + arguments, limit: Self.limit)
      guard result.succeeded else { throw RevisionError.tool(name: "git", words: String(result.reason.suffix(600))) }
    }
    return folder
  }
}
