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
    var prepared = try await find(side, revision)
    prepared.plan.note = prepared.plan.note ?? revision.note
    return prepared
  }

  private func find(_ side: Side, _ revision: NamedRevision) async throws -> PreparedSide {
    let label = revision.label
    switch try RevisionArgument(revision.text) {
    case .release(let requirement):
      return PreparedSide(plan: SidePlan(side: side, label: label, source: .release(requirement: requirement)))
    case .folder(let path):
      let upload = try await FolderArchive(scratch: scratch).make(of: path)
      return PreparedSide(plan: SidePlan(side: side, label: label, source: .tree(upload: upload.id)), upload: upload)
    case .gitRef(let ref):
      guard FolderArchive.isFolder(repository) else { return remote(side, ref, label: label) }
      return try await bundle(side, label: label) { FoundCommit(commit: try await $0.commit(of: ref)) }
    case .mergeBase(let bases):
      guard FolderArchive.isFolder(repository) else {
        return remote(side, "\(bases.base)...\(bases.head)", label: label)
      }
      return try await bundle(side, label: label) { try await $0.mergeBase(bases.base, bases.head) }
    }
  }

  private func remote(_ side: Side, _ ref: String, label: String) -> PreparedSide {
    PreparedSide(plan: SidePlan(side: side, label: label, source: .git(repository: repository, ref: ref)))
  }

  private func bundle(
    _ side: Side, label: String, _ find: (LocalRepository) async throws -> FoundCommit
  ) async throws -> PreparedSide {
    let local = LocalRepository(path: repository, scratch: scratch)
    let found = try await find(local)
    let upload = try Upload(of: try await local.bundle(found.commit, label: label))
    return PreparedSide(
      plan: SidePlan(
        side: side, label: label, source: .bundle(upload: upload.id, commit: found.commit),
        subject: try await local.subject(of: found.commit), note: found.note), upload: upload)
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
