import Foundation
import Shared
import Tools

/// A side as the benchmark host will get it, with the file that has to be sent first, if any.
struct PreparedSide: Sendable {
  var plan: SidePlan
  var upload: Upload?
}

/// A file on this machine that the benchmark host needs, named there by its content.
struct Upload: Sendable, Hashable {
  var id: UploadID
  var path: String
  var bytes: Int
}

extension Upload {
  init(of path: String) throws {
    let digest = try FileDigest(path: path)
    self.init(id: digest.id, path: path, bytes: digest.bytes)
  }
}

/// Turns what a person typed into what the benchmark host needs.
struct SidePreparation {
  /// The repository of git refs: a URL, or a folder of this machine.
  var repository: String
  /// An existing folder for archives and bundles; the caller removes it.
  var scratch: String

  /// - Throws: ``RevisionError`` when the revision can't be had.
  func prepare(_ side: Side, _ revision: NamedRevision) async throws -> PreparedSide {
    let label = revision.label
    switch try RevisionArgument(revision.text) {
    case .release(let requirement):
      return PreparedSide(plan: SidePlan(side: side, label: label, source: .release(requirement: requirement)))
    case .folder(let path):
      let upload = try await FolderArchive(scratch: scratch).make(of: path)
      return PreparedSide(plan: SidePlan(side: side, label: label, source: .tree(upload: upload.id)), upload: upload)
    case .gitRef(let ref):
      guard isLocal(repository) else {
        return PreparedSide(
          plan: SidePlan(side: side, label: label, source: .git(repository: repository, ref: ref)))
      }
      return try await bundle(side, ref, label: label)
    }
  }

  private func isLocal(_ repository: String) -> Bool { FolderArchive.isFolder(repository) }

  /// A commit of a repository of this machine as a git bundle with the tags, which version numbers are made from.
  private func bundle(_ side: Side, _ ref: String, label: String) async throws -> PreparedSide {
    // A branch that was fetched and never checked out stands under its remote's name alone.
    var found = try await commit(of: ref)
    if found == nil { found = try await commit(of: "refs/remotes/origin/" + ref) }
    guard let commit = found else { throw RevisionError.noSuchRef(ref: ref, repository: repository) }
    // The bundle needs a ref that points to the commit; the person's repository is not written to.
    let clone = scratch + "/clone-" + UUID().uuidString
    let file = scratch + "/bundle-" + UUID().uuidString
    for arguments in [
      ["clone", "--quiet", "--bare", "--shared", "--", repository, clone],
      ["-C", clone, "update-ref", "refs/cf-bench/commit", commit],
      ["-C", clone, "bundle", "create", "--quiet", file, "refs/cf-bench/commit", "--tags"],
    ] {
      let result = try await LocalTool.run("git", arguments, limit: .seconds(600))
      guard result.succeeded else { throw RevisionError.tool(name: "git", words: result.error) }
    }
    let upload = try Upload(of: file)
    return PreparedSide(
      plan: SidePlan(side: side, label: label, source: .bundle(upload: upload.id, commit: commit)), upload: upload)
  }

  private func commit(of ref: String) async throws -> String? {
    let found = try await LocalTool.run(
      "git", ["-C", repository, "rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}"])
    let commit = found.output.trimmingCharacters(in: .whitespacesAndNewlines)
    return found.succeeded && commit.count == 40 ? commit : nil
  }
}

/// SHA-256 and size of a file.
struct FileDigest: Sendable {
  var id: UploadID
  var bytes: Int

  init(path: String) throws {
    let file = try FileHandle(forReadingFrom: URL(filePath: path))
    defer { try? file.close() }  // only read from
    var hash = SHA256()
    var count = 0
    while let chunk = try file.read(upToCount: 1 << 20), !chunk.isEmpty {
      chunk.withUnsafeBytes { hash.update($0) }
      count += chunk.count
    }
    guard let id = UploadID(sha256: hash.finish()) else { preconditionFailure("a SHA-256 has 64 hexadecimal digits") }
    self.id = id
    bytes = count
  }
}
