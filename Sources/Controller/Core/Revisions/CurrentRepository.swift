import Foundation
import Shared
import SystemPackage
import Tools

/// The git repository that a command is given in, and the Python project at its top.
struct CurrentRepository {
  var root: FilePath
  var project: TargetProject

  /// `nil` outside of a repository.
  init?(around folder: String) {
    var root = FilePath(folder)
    while !FileManager.default.fileExists(atPath: root.appending(".git").string) {
      guard root.removeLastComponent() else { return nil }
    }
    self.root = root
    project = TargetProject.find(in: root)
  }

  /// - Throws: ``Problem`` where nothing tells which package it holds: refs would be looked up for another one.
  func checkProject(_ settings: Settings) throws(Problem) {
    guard !project.isKnown, settings.origin(of: "target.package") == .standard,
      settings.origin(of: "target.repository") == .standard
    else { return }
    throw Problem(
      what: "it is not known which package \(root) holds", why: "no pyproject.toml at its top says a name",
      fix:
        "say it with --set target.package=NAME --repository \(root), or in cf-bench.yaml, which 'cf-bench init' writes",
      exitStatus: .usage)
  }

  /// What is compared where nobody says what: the branch that is checked out, with what is not committed yet, against what it has in common
  /// with the default branch. On the default branch itself: what is not committed yet against its last commit.
  /// - Parameter withChanges: whether what is not committed counts.
  func usualSides(withChanges: Bool) async throws -> RevisionRange {
    func line(_ arguments: [String]) async throws -> String? {
      let found = try await LocalTool.run("git", ["-C", root.string] + arguments)
      let line = String(found.output.prefix { !$0.isNewline })
      return found.succeeded && !line.isEmpty ? line : nil
    }
    let origin = try await line(["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])
    var main = origin.map { String($0.trimmingPrefix("origin/")) }
    for name in ["main", "master"] where main == nil {
      if try await line(["rev-parse", "--verify", "--quiet", "refs/heads/\(name)"]) != nil { main = name }
    }
    let branch = try await line(["symbolic-ref", "--quiet", "--short", "HEAD"]) ?? "HEAD"
    var isChanged = try await line(["diff", "--name-only", "HEAD"]) != nil
    if !isChanged { isChanged = try await line(["ls-files"] + FolderArchive.others) != nil }
    guard let main else {
      throw Problem(
        what: "there is nothing to compare with",
        why: "\(root) has no branch main or master, and its origin names none",
        fix: "name both: cf-bench compare BASE HEAD", exitStatus: .usage)
    }
    guard branch != main else {
      guard isChanged, withChanges else {
        throw Problem(
          what: "there is nothing to compare",
          why: "\(root) has \(main) checked out\(isChanged ? "" : ", without a change")",
          fix: "check out the branch that is to be measured, or name both: cf-bench compare BASE HEAD",
          exitStatus: .usage)
      }
      return try RevisionRange("HEAD", "path:\(root)")
    }
    guard isChanged, withChanges else { return try RevisionRange("\(main)...\(branch)", nil) }
    var sides = try RevisionRange("\(main)...HEAD", nil)
    sides.head = NamedRevision("path:\(root)")
    return sides
  }
}

extension Settings {
  /// Takes the repository that a command is given in for the target's, where nobody set either, and some revision is to be found there.
  /// - Returns: what was taken, in words; `nil` where nothing was.
  mutating func follow(_ repository: CurrentRepository?, _ revisions: [NamedRevision]) -> String? {
    let isAsked = revisions.contains { revision in
      switch try? RevisionArgument(revision.text) {  // what is no revision is said when it is looked up
      case .gitRef, .mergeBase, .folder: true
      case .release, nil: false
      }
    }
    guard isAsked, let repository, repository.project.isKnown, origin(of: "target.package") == .standard,
      origin(of: "target.repository") == .standard
    else { return nil }
    let project = repository.project
    let isCodeflash = project.package == targetPackage
    if !isCodeflash {
      targetPackage = project.package
      followTarget()
      if origin(of: "target.import") == .standard { targetImport = project.module }
      if origin(of: "startup.commands") == .standard {
        startupCommands = Self.commands(scripts: project.scripts, importName: targetImport)
      }
    }
    targetRepository = .folder(repository.root)
    let commands = isCodeflash ? [] : project.scripts.prefix(Self.mostScripts)
    return "the target is \(TerminalText.clean(project.package, limit: 100)) of \(repository.root)"
      + (commands.isEmpty ? "" : ", its commands are \(commands.joined(separator: ", "))")
      + " (target.package and target.repository set it)"
  }
}
