import Foundation
import Shared
import Tools

/// Makes a file to be uploaded from a folder of this machine.
struct FolderArchive {
  /// For git: files that are not committed and count. What cf-bench itself writes is none of them, where nobody lists it in `.gitignore`.
  static let others = ["--others", "--exclude-standard", "--exclude=/results/"]

  /// An existing folder for archives; the caller removes it.
  var scratch: String

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// A folder as a compressed tar archive whose bytes depend on names and contents only, so that the same folder is
  /// uploaded and installed once. What git ignores stays here.
  func make(of folder: String) async throws -> Upload {
    guard Self.isFolder(folder) else { throw RevisionError.noSuchFolder(path: folder) }
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
    return try Upload(of: tar)
  }

  private func fileNames(of folder: String) async throws -> [String] {
    let inRepository = try await LocalTool.run("git", ["-C", folder, "rev-parse", "--is-inside-work-tree"])
    if inRepository.succeeded { return try await repositoryNames(of: folder).sorted() }
    let walked = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    let left = [".git", ".venv", "venv", "__pycache__", ".build", "node_modules", ".tox", ".mypy_cache"]
    return walked.filter { name in !name.split(separator: "/").contains { left.contains(String($0)) } }.sorted()
  }

  /// What git knows or would know, in submodules too.
  /// - Throws: ``RevisionError`` for a submodule that is not there.
  private func repositoryNames(of folder: String) async throws -> Set<String> {
    let listed = try await LocalTool.run(
      "git", ["-C", folder, "ls-files", "-z", "--cached"] + Self.others)
    let staged = try await LocalTool.run("git", ["-C", folder, "ls-files", "-z", "--stage"])
    guard listed.succeeded, staged.succeeded else {
      throw RevisionError.tool(name: "git", words: listed.error + staged.error)
    }
    let modules = LocalRepository.submodules(staged.output)
    var names = Set(listed.output.split(separator: "\0").map(String.init)).subtracting(modules)
      .filter { FileManager.default.fileExists(atPath: folder + "/" + $0) }
    for module in modules {
      let place = folder + "/" + module
      guard FileManager.default.fileExists(atPath: place + "/.git") else {
        throw RevisionError.missingSubmodule(path: folder, name: module)
      }
      names.formUnion(try await repositoryNames(of: place).map { "\(module)/\($0)" })
    }
    return names
  }
}
