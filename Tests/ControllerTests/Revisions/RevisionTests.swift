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

  private func commit(_ repository: String, of ref: String) async throws -> String {
    try await LocalTool.line("git", ["-C", repository, "rev-parse", ref])
  }

  @Test("a name that is a branch and a tag is refused with both meanings; spelled out, either is measured")
  func ambiguous() async throws {
    try await withRepository { repository, scratch in
      try await git(repository, "commit", "--quiet", "--allow-empty", "-m", "two")
      try await git(repository, "tag", "slow")
      try await git(repository, "branch", "slow", "HEAD~1")
      let preparation = SidePreparation(repository: repository, scratch: scratch)
      let (branch, tag) = (
        try await commit(repository, of: "heads/slow"), try await commit(repository, of: "tags/slow")
      )
      let error = await #expect(throws: RevisionError.self) {
        try await preparation.prepare(.head, NamedRevision("slow"))
      }
      #expect(error == .ambiguous(ref: "slow", branch: branch, tag: tag, place: repository) && branch != tag)
      for (ref, commit) in [("heads/slow", branch), ("tags/slow", tag)] {
        let side = try await preparation.prepare(.head, NamedRevision(ref))
        guard case .bundle(_, commit) = side.plan.source else { throw Unexpected() }
      }
      // One commit under two names leaves no doubt.
      try await git(repository, "branch", "--force", "slow", "tags/slow")
      _ = try await preparation.prepare(.head, NamedRevision("slow"))
    }
  }

  @Test("three dots are the last commit that both have, with its distance from the base's tip; also of a shallow clone")
  func mergeBase() async throws {
    try await withRepository { repository, scratch in
      let shared = try await commit(repository, of: "main")
      try await git(repository, "switch", "--quiet", "-c", "perf/y")
      try await git(repository, "commit", "--quiet", "--allow-empty", "-m", "faster")
      try await git(repository, "switch", "--quiet", "main")
      for name in ["two", "three"] { try await git(repository, "commit", "--quiet", "--allow-empty", "-m", name) }
      let shallow = scratch + "/shallow"
      for arguments in [
        ["clone", "--quiet", "--depth", "1", "--no-single-branch", "--", "file://" + repository, shallow],
        ["-C", shallow, "branch", "perf/y", "origin/perf/y"],
      ] { try #require(try await LocalTool.run("git", arguments).succeeded) }
      for place in [repository, shallow] {
        let side = try await SidePreparation(repository: place, scratch: scratch)
          .prepare(.base, NamedRevision("main...perf/y", label: "main"))
        guard case .bundle(_, shared) = side.plan.source else { throw Unexpected() }
        #expect(side.plan.note == "main at \(shared.prefix(12)), 2 commits behind its tip", "\(place)")
      }
      let whole = try await SidePreparation(repository: repository, scratch: scratch).prepare(
        .head, NamedRevision("perf/y"))
      #expect(whole.plan.subject == "faster" && whole.plan.note == nil)
      try await git(repository, "switch", "--quiet", "--orphan", "apart")
      try await git(repository, "commit", "--quiet", "--allow-empty", "-m", "apart")
      let error = await #expect(throws: RevisionError.self) {
        try await SidePreparation(repository: repository, scratch: scratch).prepare(
          .base, NamedRevision("main...apart"))
      }
      #expect(error?.exitStatus == .usage && error?.why == "their histories are apart, or cut off by a shallow clone")
    }
    let remote = try await SidePreparation(repository: "https://example.org/r.git", scratch: "/nowhere")
      .prepare(.base, NamedRevision("main...x"))
    #expect(remote.plan.source == .git(repository: "https://example.org/r.git", ref: "main...x"))
  }

  @Test("what a repository names elsewhere is brought along or refused by name: submodules, blobs of a partial clone")
  func incomplete() async throws {
    try await withRepository { repository, scratch in
      let partial = scratch + "/partial"
      try await git(repository, "config", "uploadpack.allowFilter", "true")
      let cloned = try await LocalTool.run(
        "git", ["clone", "--quiet", "--no-checkout", "--filter=blob:none", "--", "file://" + repository, partial])
      try #require(cloned.succeeded, "\(cloned.error)")
      let side = try await SidePreparation(repository: partial, scratch: scratch).prepare(.head, NamedRevision("main"))
      let (taken, whole) = (scratch + "/taken", scratch + "/whole")
      for arguments in [
        ["init", "--quiet", taken],
        ["-C", taken, "fetch", "--quiet", try #require(side.upload).path, "refs/cf-bench/commit"],
        ["-C", taken, "cat-file", "-e", "FETCH_HEAD:src/a.py"], ["clone", "--quiet", "--", repository, whole],
        [
          "-C", repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--", "file://" + whole,
          "vendor",
        ],
      ] {
        let result = try await LocalTool.run("git", arguments)
        #expect(result.succeeded, "\(result.error)")
      }
      try await git(repository, "commit", "--quiet", "-m", "with a submodule")
      let error = await #expect(throws: RevisionError.self) {
        try await SidePreparation(repository: repository, scratch: scratch).prepare(.head, NamedRevision("main"))
      }
      #expect(error == .submodules(label: "main", names: ["vendor"]))
      let archive = try await FolderArchive(scratch: scratch).make(of: repository)
      let names = try await LocalTool.run("tar", ["-tzf", archive.path])
      #expect(names.output.contains("vendor/src/a.py\n") && names.output.contains("vendor/pyproject.toml"))
      try await git(repository, "submodule", "--quiet", "deinit", "--force", "vendor")
      await #expect(throws: RevisionError.missingSubmodule(path: repository, name: "vendor")) {
        try await FolderArchive(scratch: scratch).make(of: repository)
      }
    }
  }

  @Test("two revisions are one text with dots too; one alone is not enough")
  func ranges() throws {
    let three = try RevisionRange("main...perf/x", nil)
    #expect(three.base == NamedRevision("main...perf/x", label: "main") && three.head == NamedRevision("perf/x"))
    #expect(try RevisionRange("main..perf/x", nil) == RevisionRange("main", "perf/x"))
    #expect(try RevisionRange("a==1..a==2", nil).head == NamedRevision("a==2"))
    for text in ["main", "main..", "..x", "main....x", "path:../x", ""] {
      #expect(throws: Problem.self, "\(text)") { try RevisionRange(text, nil) }
    }
    for text in ["a..b", "a....b"] { #expect(throws: RevisionError.self) { try RevisionArgument(text) } }
  }

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
