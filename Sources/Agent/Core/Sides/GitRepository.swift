import FoundationEssentials
import Shared

/// A bare clone on the benchmark host, kept between jobs and brought up to date once a job.
struct GitRepository {
  let tools: SetupTools
  /// The bare clone's folder.
  let path: String

  /// The clone of a repository that the benchmark host can reach, named by a digest of its address.
  static func clone(of address: String, home: AgentHome, tools: SetupTools) throws -> GitRepository {
    guard isSafe(address.replacing(" ", with: "_")) else { throw SideProblem.invalidPath(address) }
    return try GitRepository(tools: tools, path: "\(home.repositories)/\(SHA256.hex(address.utf8).prefix(40)).git")
  }

  /// The one that holds what came in bundles.
  static func ofBundles(home: AgentHome, tools: SetupTools) throws -> GitRepository {
    try GitRepository(tools: tools, path: "\(home.repositories)/bundles.git")
  }

  private init(tools: SetupTools, path: String) throws {
    self.tools = tools
    self.path = path
    if !FileManager.default.fileExists(atPath: path + "/HEAD") {
      _ = try tools.mustRun("git", ["init", "--quiet", "--bare", path], doing: "creating a repository")
    }
  }

  /// The commit that `ref` names in `address`: a branch, a tag, a full or short commit, `origin/BRANCH`, a pull request's
  /// `pull/7/head`, or what two of these have in common (`main...perf/x`).
  func find(_ ref: String, in address: String) throws -> FoundCommit {
    guard let bases = MergeBase(ref) else { return FoundCommit(commit: try resolve(ref, in: address)) }
    let (tip, other) = (try resolve(bases.base, in: address), try resolve(bases.head, in: address))
    let doing = "looking for what \(bases.base) and \(bases.head) have in common"
    let outcome = try tools.run("git", ["-C", path, "merge-base", tip, other], doing: doing)
    let commit = outcome.outputText.filter { !$0.isNewline }
    guard outcome.succeeded, !commit.isEmpty else { throw SideProblem.noMergeBase(ref, repository: address) }
    let behind = try tools.mustRun("git", ["-C", path, "rev-list", "--count", "\(commit)..\(tip)"], doing: doing)
    return MergeBase.found(commit, of: bases.base, behind: Int(behind.outputText.filter { !$0.isNewline }))
  }

  /// The first line of a commit's message.
  func subject(of commit: String) throws -> String? {
    let outcome = try tools.run(
      "git", ["-C", path, "log", "-1", "--format=%s", commit, "--"], doing: "reading a commit's subject")
    let line = outcome.outputText.prefix { !$0.isNewline }
    return outcome.succeeded && !line.isEmpty ? String(line.prefix(200)) : nil
  }

  /// Looks at the far repository first, so that a branch is what it is now and not what it was.
  func resolve(_ ref: String, in address: String) throws -> String {
    guard Self.isSafe(ref) else { throw SideProblem.invalidRef(ref) }
    if let known = try fullCommit(ref) { return known }
    try fetch(
      from: address,
      ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+refs/remotes/origin/*:refs/remotes/origin/*"])
    if let commit = try lookUp(ref, address) { return commit }
    // Not among branches and tags: a pull request's ref, HEAD, or a commit that only the far repository knows.
    let wanted = ref.hasPrefix("refs/") ? String(ref.dropFirst(5)) : ref
    for source in ["refs/\(wanted)", wanted] {
      let kept = "refs/cf-bench/\(SHA256.hex(ref.utf8).prefix(40))"
      let fetched = try runFetch(from: address, ["+\(source):\(kept)"], prune: false)
      if fetched.succeeded, let commit = try commit(of: kept) { return commit }
    }
    throw SideProblem.refNotFound(ref: ref, repository: address)
  }

  /// Takes the objects of a bundle in and gives `commit` back when it is there.
  func take(bundle file: String, upload: UploadID, commit wanted: String) throws -> String {
    guard wanted.utf8.count >= 4, wanted.utf8.allSatisfy(Self.isHex) else { throw SideProblem.invalidRef(wanted) }
    if let known = try fullCommit(wanted) { return known }
    let outcome = try tools.run("git", ["-C", path, "bundle", "unbundle", file], doing: "unpacking a git bundle")
    guard outcome.succeeded else { throw SideProblem.uploadDamaged(upload, outputTail: outcome.outputTail()) }
    guard let commit = try commit(of: wanted) else { throw SideProblem.commitNotInBundle(wanted) }
    // Without a ref of its own git would be free to collect it.
    _ = try tools.mustRun(
      "git", ["-C", path, "update-ref", "refs/cf-bench/\(commit)", commit], doing: "keeping a commit")
    return commit
  }

  /// A working copy of `commit` in `folder`, which must not be there yet.
  func checkOut(_ commit: String, to folder: String) throws {
    let doing = "checking out \(commit.prefix(12))"
    _ = try tools.mustRun(
      "git", ["clone", "--quiet", "--shared", "--no-checkout", "--", path, folder], doing: doing)
    _ = try tools.mustRun(
      "git",
      ["-C", folder, "-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false", "checkout", "--quiet"]
        + ["--detach", commit], doing: doing)
    guard FileManager.default.fileExists(atPath: folder + "/.gitmodules") else { return }
    let outcome = try tools.run(
      "git",
      [
        "-C", folder, "-c", "core.hooksPath=/dev/null", "submodule", "--quiet", "update", "--init", "--recursive",
      ],
      doing: "fetching the submodules of \(commit.prefix(12))")
    guard outcome.succeeded else { throw SideProblem.submodules(commit: commit, outputTail: outcome.outputTail()) }
  }

  private func fetch(from address: String, _ refs: [String]) throws {
    let outcome = try runFetch(from: address, refs, prune: true)
    guard outcome.succeeded else {
      let words = outcome.outputTail()
      throw SetupTools.speakOfNetwork(words)
        ? SideProblem.noNetwork(doing: "fetching \(address)", outputTail: words)
        : SideProblem.repositoryNotReached(repository: address, outputTail: words)
    }
  }

  private func runFetch(from address: String, _ refs: [String], prune: Bool) throws -> ChildProcess.Outcome {
    try tools.run(
      "git",
      ["-C", path, "-c", "gc.auto=0", "fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head"]
        + (prune ? ["--prune"] : []) + ["--", address] + refs, doing: "fetching \(address)")
  }

  /// A full commit name that is here already needs no network: it can't change its meaning.
  private func fullCommit(_ ref: String) throws -> String? {
    guard ref.utf8.count >= 40, ref.utf8.allSatisfy(Self.isHex) else { return nil }
    return try commit(of: ref)
  }

  /// The same rule as for a repository on the controller: a name that is a branch and a tag is refused.
  private func lookUp(_ ref: String, _ address: String) throws -> String? {
    if let branch = try commit(of: "refs/heads/\(ref)"), let tag = try commit(of: "refs/tags/\(ref)"), branch != tag {
      throw SideProblem.ambiguousRef(ref, branch: branch, tag: tag, repository: address)
    }
    var names = ["refs/heads/\(ref)", "refs/tags/\(ref)", "refs/remotes/origin/\(ref)"]
    if ref.hasPrefix("heads/") || ref.hasPrefix("tags/") { names.append("refs/\(ref)") }
    if ref.hasPrefix("origin/") { names.append("refs/heads/\(ref.dropFirst(7))") }
    if ref.hasPrefix("refs/") { names.append(ref) }
    if ref.utf8.count >= 4, ref.utf8.prefix(while: Self.isHex).count >= 4 { names.append(ref) }
    for name in names {
      if let commit = try commit(of: name) { return commit }
    }
    return nil
  }

  private func commit(of name: String) throws -> String? {
    let outcome = try tools.run(
      "git", ["-C", path, "rev-parse", "--verify", "--quiet", "--end-of-options", "\(name)^{commit}"],
      doing: "looking for \(name)")
    let text = outcome.outputText.filter { !$0.isNewline }
    return outcome.succeeded && !text.isEmpty ? text : nil
  }

  private static func isHex(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }

  /// Nothing that git could read as an option, a second argument or a control character.
  private static func isSafe(_ text: String) -> Bool {
    !text.isEmpty && !text.hasPrefix("-") && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f }
  }
}
