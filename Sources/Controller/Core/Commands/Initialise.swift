import ArgumentParser
import Foundation
import GitHub
import Shared
import SystemPackage
import Yams
import Tools

struct Initialise: BenchCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Writes the GitHub workflows and the settings of cf-bench into a repository.",
    discussion: """
      Writes cf-bench.yaml and three workflows: the comparison, the one that carries a fork's results to its \
      pull request, and the hourly check for VMs that were left on. Files that exist stay as they are. Then \
      prints what is left to do.

      EXAMPLES
        cf-bench init
        cf-bench init --dry-run
        cf-bench init --action codeflash-ai/cf-bench@0123456789012345678901234567890123456789
      """)

  @Option(
    help: ArgumentHelp(
      "The action, by its full commit (default: that of this release, looked up with gh).",
      valueName: "owner/repository@commit"))
  var action: String?
  @Flag(help: "Print what would be written, and write nothing.") var dryRun = false
  @OptionGroup(title: "Output") var output: JSONOptions

  mutating func perform() async throws -> ExitStatus {
    let repository = try await Self.top()
    let pin = try await pin()
    let project = TargetProject.find(in: repository)
    let files = RepositoryFiles(pin: pin, project: project).all
    for file in files { try file.check(in: repository) }
    var document = InitialisedDocument(repository: repository.string, action: pin.text, files: [])
    for file in files {
      let path = repository.appending(file.path)
      let isThere = FileManager.default.fileExists(atPath: path.string)
      if !isThere, !dryRun {
        try StoredFile.makeFolders(path.removingLastComponent())
        try StoredFile.write(file.text.utf8, to: path)
      }
      document.files.append(.init(path: file.path, outcome: isThere ? .kept : dryRun ? .missing : .written))
    }
    try output.tell(document, document.words(project: project))
    return .done
  }

  private static func top() async throws -> FilePath {
    let found = try await LocalTool.run("git", ["rev-parse", "--show-toplevel"])
    let path = found.output.trimmingCharacters(in: .newlines)
    guard found.succeeded, !path.isEmpty else {
      throw Problem(
        what: "this folder is not in a git repository", why: "the workflows go to the top folder of a repository",
        fix: "change to the repository of the package that is measured, then run: cf-bench init", exitStatus: .usage)
    }
    return FilePath(path)
  }

  private func pin() async throws -> ActionPin {
    if let action { return try ActionPin(action, version: nil) }
    let version = "v\(Version.current)"
    let api = try GitHubAPI(
      repository: ActionPin.home, environment: ProcessInfo.processInfo.environment, patience: .seconds(5))
    let found: CommitID?
    do { found = try await api.commit(version) } catch {
      let words = (error as? any UserFacingError)?.problem
      throw Problem(
        what: "the commit of the action's release \(version) can't be looked up", why: words?.what,
        fix: "name it yourself: cf-bench init --action \(ActionPin.home)@COMMIT", exitStatus: .usage)
    }
    guard let found else {
      throw Problem(
        what: "\(ActionPin.home) has no release \(version)",
        fix: "name a commit of it: cf-bench init --action \(ActionPin.home)@COMMIT",
        exitStatus: .usage)
    }
    return try ActionPin("\(ActionPin.home)@\(found)", version: version)
  }
}

/// The action as a workflow names it: a commit, because tags can be moved.
struct ActionPin: Equatable {
  static let home = "codeflash-ai/cf-bench"

  var repository: String
  var commit: CommitID
  var text: String { "\(repository)@\(commit)" }
  /// The release's name, for people.
  var version: String

  init(_ text: String, version: String?) throws(Problem) {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let commit = CommitID(parts[1]),
      parts[0].wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9-]*\/[A-Za-z0-9._-]+/) != nil
    else {
      throw Problem(
        what: "'\(TerminalText.clean(text, limit: 120))' does not name a commit of an action",
        why: "branches and tags can be moved to other code",
        fix: "write OWNER/REPOSITORY@ and the 40 digits of a commit",
        exitStatus: .usage)
    }
    repository = parts[0]
    self.commit = commit
    self.version = version ?? String(commit.text.prefix(12))
  }
}

/// What `init` writes.
struct RepositoryFiles {
  struct File {
    /// Below the repository.
    var path: String
    var text: String

    /// Both kinds of files are read as their readers will, before one is written.
    func check(in repository: FilePath) throws {
      guard path == SettingsFile.name else {
        _ = try Yams.compose(yaml: text)
        return
      }
      let folder = try ScratchFolder("init")
      defer { folder.remove() }
      let scratch = FilePath(folder.path + "/" + path)
      try StoredFile.write(text.utf8, to: scratch)
      _ = try Settings.load(flags: [], environment: [:], folder: repository, configuration: scratch)
    }
  }

  var pin: ActionPin
  var project: TargetProject

  var all: [File] {
    [
      File(path: SettingsFile.name, text: settings),
      File(path: ".github/workflows/cf-bench.yml", text: workflow(PackageResources.cf_bench_workflow_yml)),
      File(
        path: ".github/workflows/cf-bench-comment.yml", text: workflow(PackageResources.cf_bench_comment_workflow_yml)),
      File(path: ".github/workflows/cf-bench-reap.yml", text: workflow(PackageResources.cf_bench_reap_workflow_yml)),
    ]
  }

  /// A template names the action, and those in folders of it, by a commit of zeros.
  private func workflow(_ template: [UInt8]) -> String {
    String(decoding: template, as: UTF8.self).replacing(/codeflash-ai\/cf-bench((?:\/[a-z]+)?)@0{40} # v0\.0\.0/) {
      match in
      "\(pin.repository)\(match.output.1)@\(pin.commit) # \(pin.version)"
    }
  }

  private var settings: String {
    """
    # Settings of cf-bench; 'cf-bench settings --example' shows all of them with their defaults.
    target:
      package: \(project.package)
      import: \(project.module)

    # A regression that is proven ends the workflow with 1.
    gate:
      fail-on: [regression]
      undecided: pass

    """
  }
}

/// What `init --json` prints.
struct InitialisedDocument: Encodable {
  enum Outcome: String, Encodable { case written, kept, missing }
  struct File: Encodable {
    var path: String
    var outcome: Outcome
  }
  var schema = 1
  var repository: String
  var action: String
  var files: [File]

  func words(project: TargetProject) -> String {
    var lines = files.map { file in
      let outcome =
        switch file.outcome {
        case .written: "written"
        case .kept: "was there, left as it is"
        case .missing: "would be written"
        }
      return "\(file.path): \(outcome)"
    }
    lines.append("")
    lines.append("still to do:")
    if !project.isKnown { lines.append("  put right target.package and target.import in \(SettingsFile.name)") }
    lines += [
      "  let the workflow sign in to Azure, once: docs/azure-oidc.md",
      "  make the VM, once: cf-bench provision",
      "  commit the files, push a branch perf/NAME, and open its pull request",
    ]
    return lines.joined(separator: "\n")
  }
}
