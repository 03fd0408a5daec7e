import Foundation
import Shared
import Tools

/// A git repository of this machine, which is only read: what has to be written goes into a clone that shares its objects.
struct LocalRepository {
  var path: String
  /// An existing folder for that clone; the caller removes it.
  var scratch: String

  /// The commit that a name stands for, the same everywhere: a branch, a tag, whatever else git takes for a revision, or a branch
  /// of the origin that was fetched and never checked out.
  /// - Throws: ``RevisionError``: also for a name that stands for two commits.
  func commit(of ref: String) async throws -> String {
    let branch = try await lookUp("refs/heads/\(ref)")
    let tag = try await lookUp("refs/tags/\(ref)")
    if let branch, let tag, branch != tag {
      throw RevisionError.ambiguous(ref: ref, branch: branch, tag: tag, place: path)
    }
    if let known = branch ?? tag { return known }
    if let found = try await lookUp(ref) { return found }
    if let found = try await lookUp("refs/remotes/origin/\(ref)") { return found }
    throw RevisionError.noSuchRef(ref: ref, repository: path)
  }

  /// The last commit that both have.
  func mergeBase(_ ref: String, _ head: String) async throws -> FoundCommit {
    let (tip, other) = (try await commit(of: ref), try await commit(of: head))
    var place = path
    var found = try await git(["merge-base", tip, other])
    if !found.succeeded || found.output.isEmpty, try await isShallow {
      place = try await clone(with: [tip, other])
      found = try await git(["merge-base", tip, other], in: place)
    }
    let commit = found.output.trimmingCharacters(in: .whitespacesAndNewlines)
    guard found.succeeded, !commit.isEmpty else {
      throw RevisionError.noMergeBase(base: ref, head: head, repository: path, words: found.error)
    }
    let behind = try await git(["rev-list", "--count", "\(commit)..\(tip)"], in: place)
    return MergeBase.found(
      commit, of: ref, behind: Int(behind.output.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  /// The first line of a commit's message.
  func subject(of commit: String) async throws -> String? {
    let shown = try await git(["log", "-1", "--format=%s", commit, "--"])
    let subject = shown.output.trimmingCharacters(in: .whitespacesAndNewlines)
    return shown.succeeded && !subject.isEmpty ? TerminalText.clean(subject, limit: 200) : nil
  }

  /// A commit as a git bundle with the tags, which version numbers are made from.
  /// - Returns: the bundle's path.
  func bundle(_ commit: String, label: String) async throws -> String {
    let clone = try await clone(with: [commit])
    try await refuseSubmodules(of: commit, label: label, in: clone)
    let file = scratch + "/bundle-" + UUID().uuidString
    // The bundle needs a ref that points to the commit.
    try await must(["update-ref", "refs/cf-bench/commit", commit], in: clone)
    try await must(["bundle", "create", "--quiet", file, "refs/cf-bench/commit", "--tags"], in: clone)
    return file
  }

  /// Their content lies in other repositories, and a bundle has one.
  private func refuseSubmodules(of commit: String, label: String, in folder: String) async throws {
    let tree = try await git(["ls-tree", "-r", "-z", commit], in: folder)
    let modules = Self.submodules(tree.output)
    guard modules.isEmpty else { throw RevisionError.submodules(label: label, names: modules) }
  }

  /// Paths of submodules in what git lists with its modes, separated by zeros (`ls-tree -z`, `ls-files -z --stage`).
  static func submodules(_ listing: String) -> [String] {
    listing.split(separator: "\0").filter { $0.hasPrefix("160000 ") }.compactMap {
      $0.split(separator: "\t", maxSplits: 1).last.map(String.init)
    }
  }

  private var isShallow: Bool {
    get async throws {
      try await git(["rev-parse", "--is-shallow-repository"]).output.hasPrefix("true")
    }
  }

  /// A bare clone that shares the repository's objects and has its own for what is missing there: the history of a shallow
  /// clone, the files of one without blobs. These come from where the repository itself was cloned from.
  private func clone(with commits: [String]) async throws -> String {
    let clone = scratch + "/clone-" + UUID().uuidString
    try await must(["clone", "--quiet", "--bare", "--shared", "--", path, clone])
    guard let origin = try await setting("remote.origin.url"), !origin.isEmpty else { return clone }
    if try await setting("remote.origin.promisor") == "true" {
      for (key, value) in [
        ("core.repositoryformatversion", "1"), ("remote.origin.url", origin), ("remote.origin.promisor", "true"),
        ("extensions.partialClone", "origin"),
      ] {
        try await must(["config", key, value], in: clone)
      }
    }
    guard try await isShallow else { return clone }
    // What the checkout was fetched with may stand in its own configuration: an extra header, a proxy.
    let configuration = try await git(["rev-parse", "--path-format=absolute", "--git-path", "config"])
    let file = configuration.output.trimmingCharacters(in: .newlines)
    var words = ""
    // Of a commit that was never pushed the origin knows what it was made from, if that is in a branch.
    for refs in [commits.map { "+\($0):refs/cf-bench/\($0)" }, ["+refs/heads/*:refs/cf-bench/heads/*"]] {
      let fetched = try await git(
        ["-c", "include.path=\(file)", "fetch", "--quiet", "--unshallow", "--no-write-fetch-head", "--", origin] + refs,
        in: clone)
      if fetched.succeeded { return clone }
      words = fetched.error
    }
    // Without its history a commit can be measured all the same; only a merge base can't be found.
    StandardError.write("note: the history of \(path) is cut off: \(words)\n")
    return clone
  }

  private func setting(_ key: String) async throws -> String? {
    let found = try await git(["config", "--get", key])
    return found.succeeded ? found.output.trimmingCharacters(in: .whitespacesAndNewlines) : nil
  }

  private func lookUp(_ name: String) async throws -> String? {
    let found = try await git(["rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}"])
    let commit = found.output.trimmingCharacters(in: .whitespacesAndNewlines)
    return found.succeeded && [40, 64].contains(commit.count) ? commit : nil
  }

  private func git(_ arguments: [String], in folder: String? = nil) async throws -> ChildTool.Output {
    try await LocalTool.run("git", ["-C", folder ?? path] + arguments, limit: .seconds(600))
  }

  private func must(_ arguments: [String], in folder: String? = nil) async throws {
    let result = try await git(arguments, in: folder)
    guard result.succeeded else { throw RevisionError.tool(name: "git", words: result.error) }
  }
}
