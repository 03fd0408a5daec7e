import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing
import Tools

@testable import ControllerCore

@Suite("In a repository cf-bench looks around before it asks")
struct CurrentRepositoryTests {
  @Test(
    "the package, its module and its commands are those of pyproject.toml",
    arguments: [
      (
        "[project]\nname = 'Spam.Eggs'\n[project.scripts]\nserve = 'spam_eggs.cli:main'\n", "src/spam_eggs",
        "Spam.Eggs", "spam_eggs", ["serve"]
      ),
      (
        "[build-system]\nrequires = []\n[tool.poetry]\nname = \"http-tool\"\n[tool.poetry.scripts]\nb = \"http_core.b:go\"\na = \"x:go\"\n",
        "http_core", "http-tool", "http_core", ["a", "b"]
      ),
      (
        "[project]\nname = \"plain\"\ndescription = \"\"\"\n[project]\nname = 'no'\n\"\"\"\n", "plain", "plain",
        "plain", []
      ),
    ])
  func project(text: String, folder: String, package: String, module: String, scripts: [String]) async throws {
    try await TestSupport.withTemporaryFolder { root in
      try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
      try Data(text.utf8).write(to: URL(filePath: root + "/pyproject.toml"))
      #expect(
        TargetProject.find(in: FilePath(root))
          == TargetProject(package: package, module: module, scripts: scripts, isKnown: true))
    }
  }

  @Test(
    "what is no project tells nothing",
    arguments: ["", "[project", "[project]\nname = 3\n", "[project]\nname = '../x'\n"])
  func noProject(text: String) async throws {
    try await TestSupport.withTemporaryFolder { root in
      try Data(text.utf8).write(to: URL(filePath: root + "/pyproject.toml"))
      #expect(!TargetProject.find(in: FilePath(root)).isKnown)
    }
  }

  private func withRepository(_ body: (_ root: String, _ git: (String...) async throws -> Void) async throws -> Void)
    async throws
  {
    try await TestSupport.withTemporaryFolder { root in
      try Data("[project]\nname = \"spam\"\n[project.scripts]\nspam = \"spam:main\"\n".utf8)
        .write(to: URL(filePath: root + "/pyproject.toml"))
      func git(_ arguments: String...) async throws {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        let result = try await LocalTool.run("git", ["-C", root] + identity + arguments)
        try #require(result.succeeded, "\(result.error)")
      }
      try await git("init", "--quiet", "--initial-branch=main")
      try await git("add", ".")
      try await git("commit", "--quiet", "-m", "one")
      try FileManager.default.createDirectory(atPath: root + "/deep/er", withIntermediateDirectories: true)
      try await body(root, git)
    }
  }

  @Test("the branch that is checked out is compared with what it has in common with the default branch")
  func branch() async throws {
    try await withRepository { root, git in
      try await git("checkout", "--quiet", "-b", "perf/x")
      let repository = try #require(CurrentRepository(around: root + "/deep/er"))
      #expect(repository.root.string == root)
      // Results of the last run are no change of the code.
      try FileManager.default.createDirectory(atPath: root + "/results", withIntermediateDirectories: true)
      try Data("{}".utf8).write(to: URL(filePath: root + "/results/sides.json"))
      #expect(try await repository.usualSides(withChanges: true) == RevisionRange("main...perf/x", nil))
      try Data("# more\n".utf8).write(to: URL(filePath: root + "/new.py"))
      let changed = try await repository.usualSides(withChanges: true)
      #expect(
        changed.base == NamedRevision("main...HEAD", label: "main") && changed.head == NamedRevision("path:\(root)"))
      #expect(try await repository.usualSides(withChanges: false) == RevisionRange("main...perf/x", nil))
    }
  }

  @Test("on the default branch it is what is not committed, or nothing; the origin says which branch that is")
  func defaultBranch() async throws {
    try await withRepository { root, git in
      let repository = try #require(CurrentRepository(around: root))
      let nothing = await #expect(throws: Problem.self) { try await repository.usualSides(withChanges: true) }
      #expect(nothing?.why?.contains("without a change") == true && nothing?.exitStatus == .usage)
      try Data("# more\n".utf8).write(to: URL(filePath: root + "/new.py"))
      #expect(try await repository.usualSides(withChanges: true) == RevisionRange("HEAD", "path:\(root)"))
      await #expect(throws: Problem.self) { try await repository.usualSides(withChanges: false) }
      try await git("branch", "trunk")
      try await git("update-ref", "refs/remotes/origin/trunk", "HEAD")
      try await git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
      #expect(try await repository.usualSides(withChanges: false) == RevisionRange("trunk...main", nil))
    }
  }

  @Test("its project is the target where nobody named one, and refs are looked up in it")
  func target() async throws {
    try await withRepository { root, _ in
      let repository = CurrentRepository(around: root)
      var settings = try Settings.load(flags: [], environment: [:], folder: FilePath(root), configuration: nil)
      let ofReleases = settings.follow(repository, [NamedRevision("black==1.0")])
      #expect(ofReleases == nil)
      let words = settings.follow(repository, [NamedRevision("main"), NamedRevision("path:.")])
      #expect(words?.contains("the target is spam of \(root), its commands are spam") == true)
      #expect(settings.targetPackage == "spam" && settings.targetRepository == .folder(FilePath(root)))
      #expect(
        settings.startupCommands.map(\.name) == ["spam --version", "spam --help", "import spam", "python -c pass"])
      #expect(settings.startupCommands.map { $0.isGuess ?? false } == [true, true, false, false])
      var named = try Settings.load(
        flags: [("target.package", "--set", "other")], environment: [:], folder: FilePath(root), configuration: nil)
      let ofNamed = named.follow(repository, [NamedRevision("main")])
      #expect(ofNamed == nil && named.targetPackage == "other")
    }
  }

  @Test("a repository that names no package is asked about before refs are looked up for another one")
  func unknownPackage() async throws {
    try await withRepository { root, _ in
      try FileManager.default.removeItem(atPath: root + "/pyproject.toml")
      let repository = try #require(CurrentRepository(around: root))
      func settings(_ flags: [(key: String, flag: String, text: String)]) throws -> Settings {
        try Settings.load(flags: flags, environment: [:], folder: FilePath(root), configuration: nil)
      }
      let asked = #expect(throws: Problem.self) { try repository.checkProject(try settings([])) }
      #expect(asked?.fix.contains("target.package") == true && asked?.exitStatus == .usage)
      try repository.checkProject(try settings([("target.package", "--set", "spam")]))
    }
  }
}
