import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("A revision of a repository is found, checked out and pinned for the job", .programs)
struct GitSideTests {
  /// A repository with two commits on `main`, a tag on the first, a branch and a pull request's ref on the second.
  private struct GitHistory {
    var testbed: SideTestbed
    var path: String
    var first: String
    var second: String

    init() throws {
      testbed = try SideTestbed()
      path = testbed.folder + "/repository"
      try SmallPackage(version: "1.0").write(to: "repository", in: testbed)
      try testbed.run("git", "init", "--quiet", "--initial-branch=main", in: path)
      first = try Self.commit(testbed, path)
      try testbed.run("git", "tag", "v1", in: path)
      try SmallPackage(version: "2.0").write(to: "repository", in: testbed)
      second = try Self.commit(testbed, path)
      try testbed.run("git", "branch", "perf/x", in: path)
      try testbed.run("git", "update-ref", "refs/pull/7/head", second, in: path)
    }

    static func commit(_ testbed: SideTestbed, _ path: String) throws -> String {
      try testbed.run("git", "add", "-A", in: path)
      try testbed.run("git", "commit", "--quiet", "-m", "one more", in: path)
      return try testbed.run("git", "rev-parse", "HEAD", in: path)
    }

    func repository() throws -> GitRepository {
      let tools = SetupTools(environment: testbed.environment, home: testbed.home, limitSeconds: 300)
      try FileManager.default.createDirectory(atPath: testbed.home.environments, withIntermediateDirectories: true)
      try FileManager.default.createDirectory(atPath: testbed.home.repositories, withIntermediateDirectories: true)
      return try GitRepository.clone(of: path, home: testbed.home, tools: tools)
    }
  }

  @Test("two commits are installed as they are, from a tag and a branch")
  func twoCommits() throws {
    let story = try GitHistory()
    var builder = try story.testbed.builder(
      .git(repository: story.path, ref: "v1"), .git(repository: story.path, ref: "perf/x"))
    let sides = try builder.prepare(python: try story.testbed.python()).sides
    let ready = story.testbed.events.ready
    #expect(ready.map(\.commit) == [story.first, story.second])
    #expect(ready.map(\.identity) == [story.first, story.second])
    #expect(ready.map(\.distributions) == [["tidbit==1.0"], ["tidbit==2.0"]])
    #expect(try story.testbed.run(sides[0].bin + "/tidbit") == "tidbit")
  }

  @Test("a branch, a tag, full and short commits, origin/BRANCH, a pull request, HEAD and a revision's parent")
  func spellings() throws {
    let story = try GitHistory()
    let repository = try story.repository()
    let short = String(story.first.prefix(8))
    for (ref, commit) in [
      ("main", story.second), ("perf/x", story.second), ("v1", story.first), (story.first, story.first),
      (short, story.first), ("origin/main", story.second), ("pull/7/head", story.second), ("HEAD", story.second),
      ("main~1", story.first),
    ] {
      #expect(try repository.resolve(ref, in: story.path) == commit, "\(ref)")
    }
  }

  @Test("a name that is a branch and a tag is refused with both meanings; spelled out, either is found")
  func ambiguous() throws {
    let story = try GitHistory()
    try story.testbed.run("git", "tag", "perf/x", "v1", in: story.path)
    let repository = try story.repository()
    let problem = #expect(throws: SideProblem.self) { try repository.resolve("perf/x", in: story.path) }
    #expect(problem == .ambiguousRef("perf/x", branch: story.second, tag: story.first, repository: story.path))
    #expect(problem?.fix == "say which: heads/perf/x or tags/perf/x" && problem?.exitStatus == .usage)
    #expect(try repository.resolve("heads/perf/x", in: story.path) == story.second)
    #expect(try repository.resolve("tags/perf/x", in: story.path) == story.first)
  }

  @Test("three dots are the last commit that both have, and the commit's subject and place are told")
  func mergeBase() throws {
    let story = try GitHistory()
    try story.testbed.run("git", "switch", "--quiet", "-c", "late", "v1", in: story.path)
    try SmallPackage(version: "4.0").write(to: "repository", in: story.testbed)
    let late = try GitHistory.commit(story.testbed, story.path)
    var builder = try story.testbed.builder(
      .git(repository: story.path, ref: "main...late"), .git(repository: story.path, ref: "late"))
    _ = try builder.prepare(python: try story.testbed.python())
    let ready = story.testbed.events.ready
    #expect(ready.map(\.commit) == [story.first, late] && ready.map(\.subject) == ["one more", "one more"])
    #expect(ready.map(\.note) == ["main at \(story.first.prefix(12)), 1 commit behind its tip", nil])
    try story.testbed.run("git", "switch", "--quiet", "--orphan", "apart", in: story.path)
    try SmallPackage(version: "5.0").write(to: "repository", in: story.testbed)
    _ = try GitHistory.commit(story.testbed, story.path)
    #expect(throws: SideProblem.noMergeBase("main...apart", repository: story.path)) {
      try story.repository().find("main...apart", in: story.path)
    }
  }

  @Test("git's own variables lead to no other repository, and a login that trusts no bare one loses nothing")
  func foreign() throws {
    let story = try GitHistory()
    let other = try GitHistory()
    try story.testbed.write("config", "[safe]\n\tbareRepository = explicit\n")
    for (name, value) in [
      "GIT_DIR": other.path + "/.git", "GIT_WORK_TREE": other.path, "GIT_INDEX_FILE": other.path + "/.git/index",
      "GIT_OBJECT_DIRECTORY": other.path + "/.git/objects", "GIT_CONFIG_GLOBAL": story.testbed.folder + "/config",
    ] { story.testbed.environment[name] = value }
    let before = try other.testbed.run("git", "for-each-ref", in: other.path)
    #expect(try story.repository().resolve("main", in: story.path) == story.second)
    var builder = try story.testbed.builder(.git(repository: story.path, ref: "main"))
    _ = try builder.prepare(python: try other.testbed.python())
    #expect(story.testbed.events.ready.map(\.commit) == [story.second])
    #expect(try other.testbed.run("git", "for-each-ref", in: other.path) == before)
  }

  @Test("submodules come along, or are named where they can't be had")
  func submodules() throws {
    let story = try GitHistory()
    let other = try GitHistory()
    let add = [
      "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--", "file://" + other.path, "vendor",
    ]
    let outcome = try ChildProcess(
      words: ["/usr/bin/env", "git"] + add, environment: story.testbed.environment, directory: story.path,
      limitSeconds: 300
    ).run()
    try #require(outcome.succeeded, "\(outcome.outputTail())")
    _ = try GitHistory.commit(story.testbed, story.path)
    let python = try story.testbed.python()
    // Newer releases of git fetch no submodule from a folder unless they are told to.
    var refused = try story.testbed.builder(.git(repository: story.path, ref: "main"))
    let problem = #expect(throws: SideProblem.self) { try refused.prepare(python: python) }
    #expect(problem?.what.hasPrefix("the submodules of ") == true && problem?.why?.contains("vendor") == true)
    try story.testbed.write("config", "[protocol \"file\"]\n\tallow = always\n")
    story.testbed.environment["GIT_CONFIG_GLOBAL"] = story.testbed.folder + "/config"
    var builder = try story.testbed.builder(.git(repository: story.path, ref: "main"))
    _ = try builder.prepare(python: python)
    let commit = try #require(story.testbed.events.ready.first?.commit)
    #expect(
      FileManager.default.fileExists(atPath: "\(story.testbed.home.checkouts)/\(commit)/vendor/pyproject.toml"))
  }

  @Test("a branch that a clone knows only as its origin's is found")
  func originOfAClone() throws {
    let story = try GitHistory()
    let clone = story.testbed.folder + "/clone"
    try story.testbed.run("git", "clone", "--quiet", story.path, clone)
    let tools = SetupTools(environment: story.testbed.environment, home: story.testbed.home, limitSeconds: 300)
    _ = try story.repository()
    let repository = try GitRepository.clone(of: clone, home: story.testbed.home, tools: tools)
    #expect(try repository.resolve("perf/x", in: clone) == story.second)
  }

  @Test("a branch that moves in the middle of a job stays where it was found; the next job sees it moved")
  func pinned() throws {
    let story = try GitHistory()
    let python = try story.testbed.python()
    var builder = try story.testbed.builder(.git(repository: story.path, ref: "main"))
    _ = try builder.prepare(python: python)
    try SmallPackage(version: "3.0").write(to: "repository", in: story.testbed)
    let third = try GitHistory.commit(story.testbed, story.path)
    _ = try builder.prepare(python: python)
    var next = try story.testbed.builder(.git(repository: story.path, ref: "main"))
    _ = try next.prepare(python: python)
    #expect(story.testbed.events.ready.map(\.commit) == [story.second, story.second, third])
  }

  @Test("a revision that does not exist is named with the places that were searched")
  func unknown() throws {
    let story = try GitHistory()
    let repository = try story.repository()
    let problem = #expect(throws: SideProblem.self) { try repository.resolve("perf/y", in: story.path) }
    #expect(problem == .refNotFound(ref: "perf/y", repository: story.path))
    #expect(problem?.why?.contains("branches") == true && problem?.exitStatus == .usage)
  }

  @Test("a repository that is not there, and words that git could take for options")
  func refused() throws {
    let story = try GitHistory()
    let nowhere = story.testbed.folder + "/nowhere"
    let repository = try story.repository()
    let problem = #expect(throws: SideProblem.self) { try repository.resolve("main", in: nowhere) }
    guard case .repositoryNotReached(nowhere, _)? = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
    #expect(throws: SideProblem.invalidRef("--upload-pack=touch x")) {
      try repository.resolve("--upload-pack=touch x", in: story.path)
    }
    var builder = try story.testbed.builder(.git(repository: "--upload-pack=touch x", ref: "main"))
    let python = try story.testbed.python()
    #expect(throws: SideProblem.invalidPath("--upload-pack=touch x")) { try builder.prepare(python: python) }
  }

  @Test("a commit comes in a bundle; one that is not in it is missed")
  func bundle() throws {
    let story = try GitHistory()
    let file = story.testbed.folder + "/one.bundle"
    try story.testbed.run("git", "bundle", "create", "--quiet", file, "main", in: story.path)
    let upload = try story.testbed.upload(file)
    var builder = try story.testbed.builder(
      .bundle(upload: upload, commit: story.first), .bundle(upload: upload, commit: story.second))
    let python = try story.testbed.python()
    _ = try builder.prepare(python: python)
    #expect(story.testbed.events.ready.map(\.commit) == [story.first, story.second])
    let other = String(repeating: "a", count: 40)
    var wrong = try story.testbed.builder(.bundle(upload: upload, commit: other))
    #expect(throws: SideProblem.commitNotInBundle(other)) { try wrong.prepare(python: python) }
  }
}
