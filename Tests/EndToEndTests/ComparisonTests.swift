import Foundation
import LocalSSHD
import Shared
import TestSupport
import Testing

@Suite("The main job: compare, from the command line to the results folders", .longPrograms)
struct ComparisonTests {
  @Test(
    "a slower and a faster project are told apart, the control stays, and every document is there")
  func compareFolders() async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 60))
      try testbed.writeProjects()
      let run = try await testbed.bench(["compare", "path:slow", "path:fast", "--json", "--budget", "2"])
      #expect(run.status == 0, "\(run.error)")
      let document = try JSONDecoder().decode(ComparisonDocument.self, from: Data(run.output.utf8))
      let version = try #require(document.metrics.first { $0.name == "slowpoke --version" })
      #expect(version.verdict == .improved)
      #expect(version.ratio < 0.8)
      // Measured until it was plain, and no longer; the rest of the time went to what was still open, or was not spent.
      #expect((4..<40).contains(version.blocks) && version.secondsNeeded == nil)
      #expect(document.spending.budgetSeconds == 120 && document.spending.layers.map(\.layer) == [.startup, .micro])
      #expect(document.spending.layers.reduce(0) { $0 + $1.blockSeconds } < 130)
      #expect(document.controls.contains { $0.control == .copy })
      #expect(document.metrics.contains { $0.name == "micro: spin" })
      #expect(!document.metrics.contains { $0.verdict == .regressed })
      #expect(document.hostAfter?.bootID == document.host?.bootID && document.host != nil)
      #expect(document.controls.allSatisfy { $0.verdict != .improved && $0.verdict != .regressed })

      let folder = try testbed.comparisonFolder()
      for name in ["comparison.json", "comment.md", "events.ndjson"] {
        #expect(FileManager.default.fileExists(atPath: testbed.folder + "/\(folder)/\(name)"), "\(name)")
      }
      for side in try testbed.results() where !side.contains("-vs-") {
        for name in ["startup.json", "importtime.tsv", "micro.json", "summary.md"] {
          #expect(
            FileManager.default.fileExists(atPath: testbed.folder + "/results/\(side)/\(name)"), "\(side)/\(name)")
        }
      }
      #expect(try testbed.results().count == 3)
      let stored = try JSONDecoder().decode(
        ComparisonDocument.self, from: Data(try testbed.read(folder + "/comparison.json").utf8))
      #expect(stored == document)
      #expect(!run.error.contains("\u{1b}"), "progress that is not on a terminal holds no escape")

      try await validateDocuments(of: testbed, in: folder)
      try await reportRewrites(testbed, folder, stored)
    }
  }

  /// `report` makes the same words again from the stored events.
  private func reportRewrites(_ testbed: Testbed, _ folder: String, _ stored: ComparisonDocument) async throws {
    let comment = try testbed.read(folder + "/comment.md")
    try FileManager.default.removeItem(atPath: testbed.folder + "/\(folder)/comment.md")
    try FileManager.default.removeItem(atPath: testbed.folder + "/\(folder)/comparison.json")
    let report = try await testbed.bench(["report", folder, "--json"])
    #expect(report.status == 0, "\(report.error)")
    #expect(try JSONDecoder().decode(ComparisonDocument.self, from: Data(report.output.utf8)) == stored)
    #expect(try testbed.read(folder + "/comment.md") == comment)
  }

  private func validateDocuments(of testbed: Testbed, in folder: String) async throws {
    var pairs = [("comparison", "\(folder)/comparison.json")]
    for side in try testbed.results() where !side.contains("-vs-") {
      pairs += [("startup", "results/\(side)/startup.json"), ("micro", "results/\(side)/micro.json")]
    }
    for (index, line) in try testbed.read(folder + "/events.ndjson").split(separator: "\n").enumerated() {
      try testbed.write("event-\(index).json", String(line))
      pairs.append(("event", "event-\(index).json"))
    }
    let manifest = try #require(
      FileManager.default.enumerator(atPath: testbed.folder + "/far/jobs")?.compactMap { $0 as? String }
        .first { $0.hasSuffix("manifest.json") })
    pairs.append(("manifest", "far/jobs/" + manifest))
    for (schema, files) in Dictionary(grouping: pairs, by: \.0) {
      let path = "\(Testbed.packageRoot)/docs/schemas/\(schema).schema.json"
      let result = try await testbed.tool(
        "check-jsonschema", ["--schemafile", path] + files.map { "\(testbed.folder)/\($0.1)" })
      #expect(result.status == 0, "\(schema): \(result.output) \(result.error)")
    }
  }

  @Test(
    "the same code on both sides is said to be identical and called neither faster nor slower")
  func identicalSides() async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 8))
      try testbed.writeProjects()
      let run = try await testbed.bench(["compare", "path:fast", "path:fast"])
      #expect(run.status == 0, "\(run.error)")
      #expect(run.output.contains("same code"))
      #expect(try testbed.results().count == 3)
      let document = try JSONDecoder().decode(
        ComparisonDocument.self, from: Data(try testbed.read(try testbed.comparisonFolder() + "/comparison.json").utf8))
      #expect(document.identical)
      #expect(document.metrics.allSatisfy { $0.verdict != .improved && $0.verdict != .regressed })
    }
  }

  @Test(
    "from a hook of another repository the one that is named is measured, by ref and merge base, and its commands' memory"
  )
  func foreignRepository() async throws {
    try await Testbed.with { testbed in
      let (repository, other) = (testbed.folder + "/repository", testbed.folder + "/other")
      for place in [repository, other] {
        _ = try FixtureProject(in: place, spin: 1000)
        try await testbed.git("init", "-q", "-b", "main", place)
        try await testbed.commit(place, "first of \(place == other ? "other" : "this")")
        try await testbed.git("-C", place, "branch", "perf/x")
      }
      try testbed.write("repository/more.txt", "more")
      try await testbed.commit(repository, "main moved")
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1, repository: repository))
      let before = try await testbed.tool("git", ["-C", other, "for-each-ref"])
      let run = try await testbed.bench(
        ["compare", "main...perf/x", "--layers", "startup,memory", "--budget", "1", "--json"],
        extra: [
          "GIT_DIR": other + "/.git", "GIT_WORK_TREE": other, "GIT_INDEX_FILE": other + "/.git/index", "GIT_PREFIX": "",
        ])
      #expect(run.status == 0, "\(run.error)")
      let document = try JSONDecoder().decode(ComparisonDocument.self, from: Data(run.output.utf8))
      let first = try await testbed.tool("git", ["-C", repository, "rev-parse", "perf/x"]).output.prefix(40)
      #expect(document.base.commit == String(first) && document.head.commit == String(first) && document.identical)
      #expect(document.base.label == "main" && document.base.subject == "first of this")
      #expect(document.base.note == "main at \(first.prefix(12)), 1 commit behind its tip")
      #expect(document.metrics.contains { $0.name == "Peak memory: slowpoke --version" && $0.unit == "B" })
      let after = try await testbed.tool("git", ["-C", other, "for-each-ref"])
      #expect(after.output == before.output)
    }
  }

  @Test("two commits of a repository are measured on a host that is not ours to start")
  func commitsOverSSH() async throws {
    try await Testbed.with { testbed in
      let repository = testbed.folder + "/repository"
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 16, repository: repository))
      _ = try FixtureProject(in: repository, spin: 2_000_000)
      try await testbed.git("init", "-q", "-b", "main", repository)
      try await testbed.commit(repository, "slow")
      try await testbed.git("-C", repository, "checkout", "-q", "-b", "perf/quick")
      _ = try FixtureProject(in: repository, spin: 100_000)
      try await testbed.commit(repository, "fast")
      let passed = testbed.environment.filter {
        ["PATH", "CF_BENCH_HOME", "CF_BENCH_LOCK", "SSL_CERT_FILE", "SSL_CERT_DIR"].contains($0.key)
      }
      try await withPrivateSSHD(PrivateSSHDOptions(environment: passed)) { server in
        let run = try await testbed.bench([
          "compare", "main", "perf/quick", "--layers", "startup", "--identity", server.clientKey, "--known-hosts",
          server.knownHosts, "--machine", "ssh://\(server.user)@127.0.0.1:\(server.port)",
        ])
        #expect(run.status == 0, "\(run.error)")
        #expect(run.output.contains("slowpoke --version"))
      }
      #expect(try testbed.results().contains { $0.hasPrefix("perf-quick-vs-main-") })
      let document = try JSONDecoder().decode(
        ComparisonDocument.self, from: Data(try testbed.read(try testbed.comparisonFolder() + "/comparison.json").utf8))
      #expect(document.metrics.first { $0.name == "slowpoke --version" }?.verdict == .improved)
      #expect(document.base.commit?.count == 40)
      #expect(document.base.commit != document.head.commit)
    }
  }

  @Test("run measures one revision into one folder, and report makes its words again")
  func runOne() async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 2))
      try testbed.writeProjects()
      let run = try await testbed.bench(["run", "path:fast", "--layers", "startup"])
      #expect(run.status == 0, "\(run.error)")
      let folder = try #require(try testbed.results().first)
      #expect(try testbed.results().count == 1)
      let summary = try testbed.read("results/\(folder)/summary.md")
      #expect(summary.contains("slowpoke --version"))
      #expect(!FileManager.default.fileExists(atPath: testbed.folder + "/results/\(folder)/micro.json"))
      try FileManager.default.removeItem(atPath: testbed.folder + "/results/\(folder)/summary.md")
      #expect(try await testbed.bench(["report", "results/" + folder]).status == 0)
      #expect(try testbed.read("results/\(folder)/summary.md") == summary)
    }
  }

  @Test(
    "an installed Python that is asked for is used, and one that can't be had is said, not skipped")
  func interpreters() async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1))
      try testbed.writeProjects()
      let said = try await testbed.tool(
        "python3", ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
      let own = said.output.trimmingCharacters(in: .whitespacesAndNewlines)
      let run = try await testbed.bench(["run", "path:fast", "--layers", "startup", "--python", "\(own),3.99"])
      #expect(run.status == Shared.ExitStatus.partial.rawValue, "\(run.error)")
      #expect(run.output.contains("Python 3.99"), "\(run.output)")
      let folder = try #require(try testbed.results().first)
      let lines = try testbed.read("results/\(folder)/events.ndjson").split(separator: "\n")
      let ready = try lines.compactMap { line -> SideReady? in
        if case .sideReady(let ready) = try NumberedEvent(line: Array(line.utf8)).event { ready } else { nil }
      }
      #expect(ready.map(\.python) == [own])
      #expect(ready.first?.interpreterVersion.hasPrefix(own + ".") == true)
      #expect(ready.first?.interpreterNote == nil)
    }
  }

  @Test(
    "a repository that the benchmark host clones: branch, tag and commit, the environment reused the second time")
  func clonedRepository() async throws {
    try await Testbed.with { testbed in
      let repository = testbed.folder + "/repository"
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1, repository: "file://" + repository))
      _ = try FixtureProject(in: repository, spin: 100_000)
      try await testbed.git("init", "-q", "-b", "main", repository)
      try await testbed.commit(repository, "first")
      try await testbed.git("-C", repository, "tag", "v1")
      let commit = try await testbed.tool("git", ["-C", repository, "rev-parse", "HEAD"]).output
        .trimmingCharacters(in: .whitespacesAndNewlines)
      var seen: [SideReady] = []
      for revision in ["main", "v1", commit] {
        let run = try await testbed.bench(["run", revision, "--layers", "startup", "--results", "results-\(revision)"])
        #expect(run.status == 0, "\(run.error)")
        let folder = try #require(
          try FileManager.default.contentsOfDirectory(atPath: testbed.folder + "/results-\(revision)").first)
        for line in try testbed.read("results-\(revision)/\(folder)/events.ndjson").split(separator: "\n") {
          if case .sideReady(let ready) = try NumberedEvent(line: Array(line.utf8)).event { seen.append(ready) }
        }
      }
      #expect(seen.map(\.commit) == [commit, commit, commit])
      #expect(seen.map(\.reused) == [false, true, true])
      let missing = try await testbed.bench(["run", "perf/none", "--layers", "startup"])
      #expect(missing.status == Shared.ExitStatus.usage.rawValue, "\(missing.error)")
      #expect(missing.error.contains("perf/none"))
    }
  }
}
