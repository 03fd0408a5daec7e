import Foundation
import TestSupport
import Testing

/// The workflows of this repository and of `cf-bench init`, every word of their YAML, by a runner of our own.
@Suite("Workflows, run as GitHub's runner runs them", .longPrograms)
struct WorkflowTests {
  /// One repository for all, since each commit is installed once only.
  @Test("what is measured, and what GitHub is told of it")
  func measured() async throws {
    try await WorkflowTestbed.with { testbed in
      try await push(testbed)
      try await byHand(testbed)
      try await label(testbed)
      try await template(testbed)
      let artifact = try await fork(testbed)
      try await carrier(testbed, artifact)
      try await approved(testbed)
    }
  }

  private func push(_ testbed: WorkflowTestbed) async throws {
    let (outcome, folder) = try await testbed.run(testbed.push())
    #expect(outcome.results == ["unit": "success", "compare": "success", "fork": "skipped"], "\(outcome.said)")
    #expect(try outcome.step("Unit tests").said.contains("of SharedTests|StatisticsTests|GitHubTests"))
    #expect(outcome.jobs["compare"]?.concurrency == "bench-branch-perf/x")
    let compare = try outcome.step("Compare")
    #expect(compare.outputs["measured"] == "true" && compare.outputs["verdict"] == "improved", "\(outcome.said)")
    #expect(compare.outputs["gate"] == "passed" && compare.outputs["reason"] == "")
    #expect(FileManager.default.fileExists(atPath: compare.outputs["comment-file"] ?? ""))
    #expect(compare.annotations.map(\.kind) == ["notice"])

    let world = try testbed.github.world()
    let comments = world.comments(of: WorkflowTestbed.pull)
    #expect(comments.count == 1 && comments[0].body.contains("Faster: 1 better"))
    #expect(comments[0].body.contains(testbed.sha("perf/x")))
    #expect(world.checkRuns.map(\.conclusion) == ["success"] && world.checkRuns[0].headSha == testbed.sha("perf/x"))
    let summary = try String(contentsOfFile: try #require(outcome.jobs["compare"]?.summary), encoding: .utf8)
    #expect(summary.contains("Faster: 1 better"))

    let names = try await entries(folder + "/run/artifacts/cf-bench-results.zip", testbed)
    // The folder's content is at the root.
    #expect(names.contains { $0.wholeMatch(of: /perf-x-vs-main-[^\/]+\/events\.ndjson/) != nil }, "\(names)")
    #expect(names.contains { $0.wholeMatch(of: /perf-x-[0-9][^\/]+\/startup\.json/) != nil }, "\(names)")
    #expect(try testbed.callsOfGH().allSatisfy { $0.hasPrefix("job-token ") })
  }

  private func entries(_ zip: String, _ testbed: WorkflowTestbed) async throws -> [String] {
    let listed = try await testbed.testbed.tool("unzip", ["-Z1", zip])
    try #require(listed.status == 0, "\(listed.error)")
    return listed.output.split(separator: "\n").map(String.init)
  }

  /// Few blocks: nothing is decided, all else is as in long runs.
  private func quick(_ run: WorkflowTestbed.Run) -> WorkflowTestbed.Run {
    var run = run
    run.environment["CF_BENCH_STARTUP_BLOCKS"] = "2"
    return run
  }

  private func byHand(_ testbed: WorkflowTestbed) async throws {
    let inputs = [
      "head": "perf/x", "base": testbed.sha("main"), "layers": "startup", "budget": "1", "machine": "local",
      "fail-on": "none",
    ]
    // Of a private repository the runner sends the commits.
    let (outcome, _) = try await testbed.run(quick(testbed.byHand(inputs, isPrivate: true)))
    #expect(outcome.results == ["unit": "skipped", "compare": "success", "fork": "skipped"], "\(outcome.said)")
    #expect(outcome.jobs["compare"]?.concurrency == "bench-by-hand-perf/x")
    let outputs = try outcome.step("Compare").outputs
    #expect(outputs["measured"] == "true" && outputs["gate"] == "none", "\(outcome.said)")
    #expect(try outcome.step("Measure").said.contains("of at most 1 min"))
    #expect(try testbed.github.world().comments(of: WorkflowTestbed.pull).count == 1)
  }

  private func label(_ testbed: WorkflowTestbed) async throws {
    let (outcome, _) = try await testbed.run(quick(testbed.pull("labeled", label: "bench")))
    #expect(outcome.results == ["unit": "success", "compare": "success", "fork": "skipped"], "\(outcome.said)")
    // The commit itself, not its merge with the base.
    let checkedOut = try #require(outcome.jobs["unit"]?.steps.first)
    #expect(checkedOut.said == "checked out \(testbed.sha("perf/x"))\n")
    #expect(outcome.jobs["compare"]?.concurrency == "bench-branch-perf/x")
    let world = try testbed.github.world()
    #expect(world.comments(of: WorkflowTestbed.pull).count == 1)
    #expect(world.checkRuns.last?.headSha == testbed.sha("perf/x") && world.checkRuns.last?.conclusion == "neutral")
  }

  private func template(_ testbed: WorkflowTestbed) async throws {
    var workTestbed = testbed.testbed
    workTestbed.folder = testbed.work
    let written = try await workTestbed.bench([
      "init", "--action", "codeflash-ai/cf-bench@\(String(repeating: "01234", count: 8))",
    ])
    try #require(written.status == 0, "\(written.error)")
    var run = quick(testbed.push())
    run.workflow = testbed.work + "/.github/workflows/cf-bench.yml"
    run.flags = ["--only", "compare"]
    let (outcome, _) = try await testbed.run(run)
    #expect(outcome.results == ["unit": "success", "compare": "success", "fork": "skipped"], "\(outcome.said)")
    #expect(try outcome.step("Compare").outputs["measured"] == "true")
    #expect(try testbed.github.world().comments(of: WorkflowTestbed.pull).count == 1)
  }

  /// - Returns: the artifact of the fork's run.
  private func fork(_ testbed: WorkflowTestbed) async throws -> String {
    _ = try testbed.callsOfGH()
    var run = quick(testbed.pull("opened", isFork: true))
    run.secrets = ["CF_BENCH_SSH_KEY": "a-secret-that-no-fork-sees"]
    let checks = try testbed.github.world().checkRuns.count
    let (outcome, folder) = try await testbed.run(run)
    #expect(outcome.results == ["unit": "skipped", "compare": "skipped", "fork": "success"], "\(outcome.said)")
    #expect(outcome.jobs["fork"]?.concurrency == "bench-fork-\(WorkflowTestbed.forkPull)")
    #expect(try outcome.step("Compare").outputs["measured"] == "true")
    #expect(!outcome.said.contains("a-secret-that-no-fork-sees"))
    // Its token may only read.
    let calls = try testbed.callsOfGH()
    #expect(
      !calls.isEmpty && calls.allSatisfy { $0.hasPrefix("fork-token ") && $0.contains("--method GET") }, "\(calls)")
    let world = try testbed.github.world()
    #expect(world.comments(of: WorkflowTestbed.forkPull).isEmpty && world.checkRuns.count == checks)
    return folder + "/run/artifacts/cf-bench-results.zip"
  }

  private func carrier(_ testbed: WorkflowTestbed, _ artifact: String) async throws {
    let (outcome, _) = try await testbed.run(try testbed.ended(run: 99, artifact: artifact))
    #expect(outcome.results == ["comment": "success"], "\(outcome.said)")
    let comments = try testbed.github.world().comments(of: WorkflowTestbed.forkPull)
    #expect(comments.count == 1 && comments[0].body.contains("/bench \(testbed.sha("fork"))"), "\(outcome.said)")
    let outputs = try outcome.step("Carry the results to the pull request").outputs
    #expect(outputs["measured"] == "false" && outputs["results"] == "" && outputs["comment-file"] == "")
    #expect(comments[0].body.contains("cf-bench:comment run=99 "))
  }

  private func approved(_ testbed: WorkflowTestbed) async throws {
    // A newer commit came since the member read this one.
    try await testbed.testbed.git(
      "-C", testbed.work, "push", "-q", testbed.git,
      "\(testbed.sha("fork newer")):refs/pull/\(WorkflowTestbed.forkPull)/head")
    try testbed.github.set(
      json: #"""
        {"pulls":[{"number":\#(WorkflowTestbed.forkPull),"head":{"ref":"perf/x","sha":"\#(testbed.sha("fork newer"))",
         "repo":{"full_name":"\#(WorkflowTestbed.fork)"}}}]}
        """#)
    let comment = testbed.comment("/bench \(testbed.sha("fork"))", by: "alice", association: "MEMBER")
    let (outcome, _) = try await testbed.run(quick(comment))
    #expect(outcome.results == ["unit": "skipped", "compare": "success", "fork": "skipped"], "\(outcome.said)")
    #expect(outcome.jobs["compare"]?.concurrency == "bench-comment-31")
    #expect(try outcome.step("Compare").outputs["measured"] == "true", "\(outcome.said)")
    let world = try testbed.github.world()
    let comments = world.comments(of: WorkflowTestbed.forkPull)
    #expect(
      comments.count == 1 && comments[0].body.contains("\(testbed.sha("fork")), approved by alice"), "\(comments)")
    #expect(world.checkRuns.last?.headSha == testbed.sha("fork"))
  }

  @Test("what starts no job, and what starts one that measures nothing")
  func nothing() async throws {
    try await WorkflowTestbed.with { testbed in
      let idle = ["unit": "skipped", "compare": "skipped", "fork": "skipped"]
      let sha = testbed.sha("fork")
      for (run, results) in [
        (testbed.push("main"), [:]), (testbed.pull("closed"), [:]), (testbed.pull("opened"), idle),
        (testbed.pull("labeled", label: "bug"), idle), (testbed.pull("labeled", label: "bug", isFork: true), idle),
        (testbed.comment("thanks", by: "alice", association: "MEMBER"), idle),
        (testbed.comment("/bench \(sha)", by: "eve", association: "CONTRIBUTOR"), idle),
      ] {
        let (outcome, _) = try await testbed.run(run)
        #expect(outcome.results == results, "\(run.event) \(run.payload)")
      }
      // Whom GitHub calls a member and who may not write, a fork's head that nobody named, and a VM that no fork gets.
      var vm = testbed.pull("opened", isFork: true)
      vm.set = ["machine": "azure"]
      for (run, words) in [
        (testbed.comment("/bench \(sha)", by: "eve", association: "MEMBER"), "eve may not write"),
        (testbed.comment("/bench", by: "alice", association: "MEMBER"), "name the commit that you have read in full"),
        (vm, "nobody has approved its commit"),
      ] {
        let (outcome, _) = try await testbed.run(run)
        let measure = try outcome.step("Measure")
        #expect(measure.outcome == "success" && measure.outputs["measured"] == "false", "\(outcome.said)")
        #expect(measure.outputs["reason"]?.contains(words) == true, "\(outcome.said)")
        #expect(measure.annotations.map(\.kind) == ["notice"])
        #expect(outcome.steps.contains { $0.name == "Keep the results" && $0.outcome == "skipped" })
      }
      let world = try testbed.github.world()
      #expect(world.comments(of: WorkflowTestbed.forkPull).isEmpty && world.checkRuns.isEmpty)
      // What cf-bench must not run on at all.
      var target = testbed.pull("opened", isFork: true)
      target.event = "pull_request_target"
      target.flags = ["--only", "fork"]
      target.workflow = try onTarget(testbed)
      let (outcome, _) = try await testbed.run(target)
      #expect(try outcome.step("Measure").status == 2, "\(outcome.said)")
    }
  }

  /// bench.yml as somebody might change it.
  private func onTarget(_ testbed: WorkflowTestbed) throws -> String {
    let text = try String(contentsOfFile: "\(WorkflowTestbed.workflows)/bench.yml", encoding: .utf8)
    try testbed.testbed.write(
      "target.yml",
      text.replacing("pull_request:\n", with: "pull_request_target:\n")
        .replacing("github.event_name == 'pull_request'", with: "github.event_name == 'pull_request_target'"))
    return testbed.testbed.folder + "/target.yml"
  }

  @Test("a run that is cancelled or killed in any phase leaves no open check and no process")
  func cancelled() async throws {
    try await WorkflowTestbed.with { testbed in
      // A cancel that came late leaves a side ready for the next run: it is then taken as it is.
      let making = "^(installing main for|main is ready)"
      for (phase, line) in [
        ("before the decision", "^::stop-commands"), ("while a side is made", making),
        ("while it measures", "^preparing startup"), ("while it reports", "^Metric"),
      ] {
        var run = quick(testbed.push())
        run.flags = ["--only", "compare", "--cancel-when", line]
        let (outcome, _) = try await testbed.run(run)
        let measure = try outcome.step("Measure")
        try #require(measure.cancelledAfter != nil, "\(phase): \(outcome.said)")
        #expect(outcome.jobs["compare"]?.result == "cancelled", "\(phase)")
        #expect(measure.status == 130 || phase == "while it reports", "\(phase): \(outcome.said)")
        #expect(try outcome.step("Settle").outcome == "success", "\(phase): \(outcome.said)")
        #expect(outcome.orphans == [], "\(phase)")
        #expect(try testbed.github.world().checkRuns.allSatisfy { $0.status == "completed" }, "\(phase)")
      }
      let conclusions = try testbed.github.world().checkRuns.map(\.conclusion)
      // Where gh is slow, the one that was to tell the result is ended by Settle.
      #expect(
        conclusions.prefix(2) == ["cancelled", "cancelled"] && ["neutral", "cancelled"].contains(conclusions.last))
      try await killed(testbed)
      try await cancelledWhileCheckIsMade(testbed)
    }
  }

  private func killed(_ testbed: WorkflowTestbed) async throws {
    var run = quick(testbed.push())
    run.flags = ["--only", "compare", "--kill-when", "^preparing startup"]
    let (outcome, _) = try await testbed.run(run)
    #expect(try outcome.step("Measure").status == 137 && outcome.results["compare"] == "failure")
    #expect(try outcome.step("Settle").outcome == "success", "\(outcome.said)")
    #expect(try outcome.step("Keep the results").outcome == "success")
    #expect(try testbed.github.world().checkRuns.last?.conclusion == "cancelled", "\(outcome.said)")
    #expect(outcome.orphans == [])
  }

  /// GitHub has made the check, and its answer is not here yet.
  private func cancelledWhileCheckIsMade(_ testbed: WorkflowTestbed) async throws {
    let checks = try testbed.github.world().checkRuns.count
    try testbed.github.faults(#"{"method":"POST","path":"check-runs$","after":true,"delay":3,"times":1}"#)
    var run = quick(testbed.push())
    run.flags = ["--only", "compare"]
    let (outcome, _) = try await testbed.run(run) { process in
      try await waitFor("the check", 60) { try testbed.github.world().checkRuns.count > checks }
      process.interrupt()
    }
    try testbed.github.endFaults()
    #expect(outcome.results["compare"] == "cancelled", "\(outcome.said)")
    let check = try testbed.github.world().checkRuns.last
    #expect(check?.status == "completed")
  }
}
