import Foundation
import Shared
import TestSupport
import Testing
import Tools

@testable import ControllerCore

@Suite("Revisions of this machine, as the benchmark host gets them")
struct RevisionTests {
  @Test("a text is a release, a folder or a git ref, and nothing that another program would take for an option")
  func kinds() throws {
    #expect(try RevisionArgument("codeflash==0.20.5") == .release(requirement: "codeflash==0.20.5"))
    #expect(try RevisionArgument("a[b,c]==1!2.0+x") == .release(requirement: "a[b,c]==1!2.0+x"))
    #expect(try RevisionArgument("path:../x y".replacing(" ", with: "_")) == .folder(path: "../x_y"))
    #expect(try RevisionArgument("feature/x") == .gitRef("feature/x"))
    for text in ["", "-x", "--upload-pack=x", "a b", "a\u{200b}b", "path:", "==1", "a==", "a==1;rm"] {
      #expect(throws: RevisionError.self, "\(text)") { try RevisionArgument(text) }
    }
  }

  private func git(_ folder: String, _ arguments: String...) async throws {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    let result = try await LocalTool.run("git", ["-C", folder] + identity + arguments)
    try #require(result.succeeded, "\(result.error)")
  }

  /// A repository with a Python project, a commit on main and a branch that only a remote has.
  private func withRepository(_ body: (String, String) async throws -> Void) async throws {
    try await TestSupport.withTemporaryFolder { folder in
      let repository = folder + "/repository"
      try FileManager.default.createDirectory(atPath: repository + "/src", withIntermediateDirectories: true)
      for (name, text) in [
        "pyproject.toml": "[project]\nname = \"x\"\n", ".gitignore": "secret\n", "src/a.py": "a = 1\n",
      ] {
        try Data(text.utf8).write(to: URL(filePath: repository + "/" + name))
      }
      try await git(repository, "init", "--quiet", "--initial-branch=main")
      try await git(repository, "add", ".")
      try await git(repository, "commit", "--quiet", "-m", "one")
      try await git(repository, "update-ref", "refs/remotes/origin/perf/x", "HEAD")
      try Data("not for others".utf8).write(to: URL(filePath: repository + "/secret"))
      try await body(repository, folder)
    }
  }

  @Test("a ref of a folder becomes a bundle of its commit, a remote's branch too; an unknown one is told as such")
  func bundles() async throws {
    try await withRepository { repository, scratch in
      let preparation = SidePreparation(repository: repository, scratch: scratch)
      var commits: [String] = []
      for ref in ["main", "perf/x", "HEAD"] {
        let side = try await preparation.prepare(.head, NamedRevision(ref, label: "named"))
        guard case .bundle(let upload, let commit) = side.plan.source else { throw Unexpected() }
        #expect(side.plan.label == "named" && side.upload?.id == upload && commit.count == 40)
        let heads = try await LocalTool.run("git", ["bundle", "list-heads", try #require(side.upload).path])
        #expect(heads.output == "\(commit) refs/cf-bench/commit\n")
        commits.append(commit)
      }
      #expect(Set(commits).count == 1)
      let error = await #expect(throws: RevisionError.self) {
        try await preparation.prepare(.base, NamedRevision("nowhere"))
      }
      #expect(error == .noSuchRef(ref: "nowhere", repository: repository))
    }
  }
  private struct Unexpected: Error {}

  @Test("a folder's archive depends on names and contents alone, and holds nothing that git ignores")
  func archives() async throws {
    try await withRepository { repository, scratch in
      let archive = FolderArchive(scratch: scratch)
      let first = try await archive.make(of: repository)
      try FileManager.default.setAttributes(
        [.modificationDate: Date.distantPast], ofItemAtPath: repository + "/src/a.py")
      let second = try await archive.make(of: repository)
      #expect(first.id == second.id && first.path != second.path)
      let names = try await LocalTool.run("tar", ["-tzf", first.path])
      #expect(names.output.split(separator: "\n").sorted() == [".gitignore", "pyproject.toml", "src/a.py"])
      await #expect(throws: RevisionError.noSuchFolder(path: "/nowhere")) { try await archive.make(of: "/nowhere") }
      await #expect(throws: RevisionError.notAProject(path: repository + "/src")) {
        try await archive.make(of: repository + "/src")
      }
    }
  }

  @Test("an address is for the benchmark host, and a tool that fails says its own last words")
  func others() async throws {
    let preparation = SidePreparation(repository: "https://example.org/r.git", scratch: "/nowhere")
    let side = try await preparation.prepare(.base, NamedRevision("main"))
    #expect(side.plan.source == .git(repository: "https://example.org/r.git", ref: "main") && side.upload == nil)
    let error = await #expect(throws: RevisionError.self) {
      try await LocalTool.line("git", ["-C", "/nowhere", "status"])
    }
    #expect(error?.why?.contains("/nowhere") == true)
    await #expect(throws: ToolFailure.self) { try await LocalTool.run("cf-bench-no-such-tool", []) }
  }
}
