import Foundation
import Shared

/// A side as the far end will get it, with the file that has to be sent first, if any.
struct PreparedSide: Sendable {
  var plan: SidePlan
  var upload: Upload?
}

/// A file on this machine that the far end needs, named there by its content.
struct Upload: Sendable, Equatable {
  var id: UploadID
  var path: String
  var bytes: Int
}

/// Turns what a person typed into what the far end needs.
struct SidePreparation {
  /// The repository of git refs: a URL, or a folder of this machine.
  var repository: String
  /// An existing folder for archives and bundles; the caller removes it.
  var scratch: String

  /// - Throws: ``RevisionError`` when the revision can't be had.
  func prepare(_ side: Side, _ text: String) async throws -> PreparedSide {
    switch try RevisionArgument(text) {
    case .release(let requirement):
      return PreparedSide(plan: SidePlan(side: side, label: text, source: .release(requirement: requirement)))
    case .folder(let path):
      let upload = try await archive(folder: path)
      return PreparedSide(plan: SidePlan(side: side, label: text, source: .tree(upload: upload.id)), upload: upload)
    case .gitRef(let ref):
      guard isLocal(repository) else {
        return PreparedSide(
          plan: SidePlan(side: side, label: text, source: .git(repository: repository, ref: ref)))
      }
      return try await bundle(side, ref)
    }
  }

  private func isLocal(_ repository: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: repository, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// A folder as a compressed tar archive whose bytes depend on names and contents only, so that the same folder is
  /// uploaded and installed once. What git ignores stays here.
  private func archive(folder: String) async throws -> Upload {
    guard isLocal(folder) else { throw RevisionError.noSuchFolder(path: folder) }
    let isProject = ["pyproject.toml", "setup.py"].contains {
      FileManager.default.fileExists(atPath: folder + "/" + $0)
    }
    guard isProject else { throw RevisionError.notAProject(path: folder) }
    let names = scratch + "/names-" + UUID().uuidString
    try await fileNames(of: folder).joined(separator: "\0").write(toFile: names, atomically: false, encoding: .utf8)
    let tar = scratch + "/tree-" + UUID().uuidString + ".tar.gz"
    let result = try await LocalTool.run(
      "tar",
      [
        "--create", "--file", tar, "--directory", folder, "--sort=name", "--mtime=@0", "--owner=0", "--group=0",
        "--numeric-owner", "--mode=u+rwX,go=rX", "--no-recursion", "--use-compress-program=gzip -n", "--null",
        "--verbatim-files-from", "--files-from", names,
      ])
    guard result.succeeded else { throw RevisionError.tool(name: "tar", words: result.error) }
    return try upload(tar)
  }

  private func fileNames(of folder: String) async throws -> [String] {
    let inRepository = try await LocalTool.run("git", ["-C", folder, "rev-parse", "--is-inside-work-tree"])
    if inRepository.succeeded {
      let listed = try await LocalTool.run(
        "git", ["-C", folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
      guard listed.succeeded else { throw RevisionError.tool(name: "git", words: listed.error) }
      let names = Set(listed.output.split(separator: "\0").map(String.init))
      return names.filter { FileManager.default.fileExists(atPath: folder + "/" + $0) }.sorted()
    }
    let walked = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    let left = [".git", ".venv", "venv", "__pycache__", ".build", "node_modules", ".tox", ".mypy_cache"]
    return walked.filter { name in !name.split(separator: "/").contains { left.contains(String($0)) } }.sorted()
  }

  /// A commit of a repository of this machine as a git bundle with the tags, which version numbers are made from.
  private func bundle(_ side: Side, _ ref: String) async throws -> PreparedSide {
    let found = try await LocalTool.run(
      "git", ["-C", repository, "rev-parse", "--verify", "--quiet", "--end-of-options", ref + "^{commit}"])
    let commit = found.output.trimmingCharacters(in: .whitespacesAndNewlines)
    guard found.succeeded, commit.count == 40 else {
      throw RevisionError.noSuchRef(ref: ref, repository: repository)
    }
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
    let upload = try upload(file)
    return PreparedSide(
      plan: SidePlan(side: side, label: ref, source: .bundle(upload: upload.id, commit: commit)), upload: upload)
  }

  private func upload(_ path: String) throws -> Upload {
    let digest = try FileDigest(path: path)
    return Upload(id: digest.id, path: path, bytes: digest.bytes)
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
