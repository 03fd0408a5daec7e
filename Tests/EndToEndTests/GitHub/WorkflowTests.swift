import Foundation
import TestSupport
import Testing

/// The workflows of this repository and of `cf-bench init`, every word of their YAML, by a runner of our own.
@Suite("Workflows, run as GitHub's runner runs them")
struct WorkflowTests {
  /// One repository for all, since each commit is installed once only.
  @Test("what is measured, and what GitHub is told of it", .timeLimit(.minutes(8)))
  func measured() async throws {
    try await WorkflowRig.with { rig in
      try await push(rig)
      try await byHand(rig)
      try await label(rig)
      try await template(rig)
      let artifact = try await fork(rig)
      try await carrier(rig, artifact)
      try await approved(rig)
    }
  }

  private func push(_ rig: WorkflowRig) async throws {
    let (outcome, folder) = try await rig.run(rig.push())
    #expect(outcome.results == ["unit": "success", "compare": "success", "fork": "skipped"], "\(outcome.said)")
    #expect(try outcome.step("Unit tests").said.contains("of SharedTests|StatisticsTests|GitHubTests"))
    #expect(outcome.jobs["compare"]?.concurrency == "bench-branch-perf/x")
    let compare = try outcome.step("Compare")
    #expect(compare.outputs["measured"] == "true" && compare.outputs["verdict"] == "improved", "\(outcome.said)")
    #expect(compare.outputs["gate"] == "passed" && compare.outputs["reason"] == "")
    #expect(FileManager.default.fileExists(atPath: compare.outputs["comment-file"] ?? ""))
    #expect(compare.annotations.map(\.kind) == ["notice"])

    let world = try rig.github.world()
    let comments = world.comments(of: WorkflowRig.pull)
    #expect(comments.count == 1 && comments[0].body.contains("Improved: 1 of 1 metric faster"))
    #expect(comments[0].body.contains(rig.sha("perf/x")))
    #expect(world.checkRuns.map(\.conclusion) == ["success"] && world.checkRuns[0].headSha == rig.sha("perf/x"))
    let summary = try String(contentsOfFile: try #require(outcome.jobs["compare"]?.summary), encoding: .utf8)
    #expect(summary.contains("Improved: 1 of 1 metric faster"))

    let names = try await entries(folder + "/run/artifacts/cf-bench-results.zip", rig)
    // The folder's content is at the root.
    #expect(names.contains { $0.wholeMatch(of: /perf-x-vs-main-[^\/]+\/events\.ndjson/) != nil }, "\(names)")
    #expect(names.contains { $0.wholeMatch(of: /perf-x-[0-9][^\/]+\/startup\.json/) != nil }, "\(names)")
    #expect(try rig.callsOfGH().allSatisfy { $0.hasPrefix("job-token ") })
  }

  private func entries(_ zip: String, _ rig: WorkflowRig) async throws -> [String] {
    let listed = try await rig.rig.tool("unzip", ["-Z1", zip])
    try #require(listed.status == 0, "\(listed.error)")
    return listed.output.split(separator: "\n").map(String.init)
  }

  /// Few blocks: nothing is decided, all else is as in long runs.
  private func quick(_ run: WorkflowRig.Run) -> WorkflowRig.Run {
    var run = run
    run.environment["CF_BENCH_STARTUP_BLOCKS"] = "2"
    return run
  }

  private func byHand(_ rig: WorkflowRig) async throws {
    let inputs = [
      "head": "perf/x", "base": rig.sha("main"), "layers": "startup", "budget": "1", "machine": "local",
      "fail-on": "none",
    ]
    // Of a private repository the runner sends the commits.
    let (outcome, _) = try await rig.run(quick(rig.byHand(inputs, isPrivate: true)))
    #expect(outcome.results == ["unit": "skipped", "compare": "success", "fork": "skipped"], "\(outcome.said)")
    #expect(outcome.jobs["compare"]?.concurrency == "bench-by-hand-perf/x")
    let outputs = try outcome.step("Compare").outputs
    #expect(outputs["measured"] == "true" && outputs["gate"] == "none", "\(outcome.said)")
    #expect(try outcome.step("Measure").said.contains("of at most 1 min 0 s"))
    #expect(try rig.github.world().comments(of: WorkflowRig.pull).count == 1)
  }

  private func label(_ rig: WorkflowRig) async throws {
    let (outcome, _) = try await rig.run(quick(rig.pull("labeled", label: "bench")))
    #expect(outcome.results == ["unit": "success", "compare": "success", "fork": "skipped"], "\(outcome.said)")
    // The commit itself, not its merge with the base.
    let checkedOut = try #require(outcome.jobs["unit"]?.steps.first)
    #expect(checkedOut.said == "checked out \(rig.sha("perf/x"))\n")
    #expect(outcome.jobs["compare"]?.concurrency == "bench-branch-perf/x")
    let world = try rig.github.world()
    #expect(world.comments(of: WorkflowRig.pull).count == 1)
    #expect(world.checkRuns.last?.headSha == rig.sha("perf/x") && world.checkRuns.last?.conclusion == "neutral")
  }

  private func template(_ rig: WorkflowRig) async throws {
    var workRig = rig.rig
    workRig.folder = rig.work
    let written = try await workRig.bench([
      "init", "--action", "codeflash-ai/cf-bench@\(String(repeating: "01234", count: 8))",
    ])
    try #require(written.status == 0, "\(written.error)")
    var run = quick(rig.push())
    run.workflow = rig.work + "/.github/workflows/cf-bench.yml"
    run.flags = ["--only", "compare"]
    let (outcome, _) = try await rig.run(run)
    #expect(outcome.results == ["unit": "success", "compare": "success", "fork": "skipped"], "\(outcome.said)")
    #expect(try outcome.step("Compare").outputs["measured"] == "true")
    #expect(try rig.github.world().comments(of: WorkflowRig.pull).count == 1)
  }

  /// - Returns: the artifact of the fork's run.
  private func fork(_ rig: WorkflowRig) async throws -> String {
    _ = try rig.callsOfGH()
    var run = quick(rig.pull("opened", isFork: true))
    run.secrets = ["CF_BENCH_SSH_KEY": "a-secret-that-no-fork-sees"]
    let checks = try rig.github.world().checkRuns.count
    let (outcome, folder) = try await rig.run(run)
    #expect(outcome.results == ["unit": "skipped", "compare": "skipped", "fork": "success"], "\(outcome.said)")
    #expect(outcome.jobs["fork"]?.concurrency == "bench-fork-\(WorkflowRig.forkPull)")
    #expect(try outcome.step("Compare").outputs["measured"] == "true")
    #expect(!outcome.said.contains("a-secret-that-no-fork-sees"))
    // Its token may only read.
    let calls = try rig.callsOfGH()
    #expect(
      !calls.isEmpty && calls.allSatisfy { $0.hasPrefix("fork-token ") && $0.contains("--method GET") }, "\(calls)")
    let world = try rig.github.world()
    #expect(world.comments(of: WorkflowRig.forkPull).isEmpty && world.checkRuns.count == checks)
    return folder + "/run/artifacts/cf-bench-results.zip"
  }

  private func carrier(_ rig: WorkflowRig, _ artifact: String) async throws {
    let (outcome, _) = try await rig.run(try rig.ended(run: 99, artifact: artifact))
    #expect(outcome.results == ["comment": "success"], "\(outcome.said)")
    let comments = try rig.github.world().comments(of: WorkflowRig.forkPull)
    #expect(comments.count == 1 && comments[0].body.contains("/bench \(rig.sha("fork"))"), "\(outcome.said)")
    let outputs = try outcome.step("Carry the results to the pull request").outputs
    #expect(outputs["measured"] == "false" && outputs["results"] == "" && outputs["comment-file"] == "")
    #expect(comments[0].body.contains("cf-bench:comment run=99 "))
  }

  private func approved(_ rig: WorkflowRig) async throws {
    // A newer commit came since the member read this one.
    try await rig.rig.git(
      "-C", rig.work, "push", "-q", rig.git, "\(rig.sha("fork newer")):refs/pull/\(WorkflowRig.forkPull)/head")
    try rig.github.set(
      json: #"""
        {"pulls":[{"number":\#(WorkflowRig.forkPull),"head":{"ref":"perf/x","sha":"\#(rig.sha("fork newer"))",
         "repo":{"full_name":"\#(WorkflowRig.fork)"}}}]}
        """#)
    let comment = rig.comment("/bench \(rig.sha("fork"))", by: "alice", association: "MEMBER")
    let (outcome, _) = try await rig.run(quick(comment))
    #expect(outcome.results == ["unit": "skipped", "compare": "success", "fork": "skipped"], "\(outcome.said)")
    #expect(outcome.jobs["compare"]?.concurrency == "bench-comment-31")
    #expect(try outcome.step("Compare").outputs["measured"] == "true", "\(outcome.said)")
    let world = try rig.github.world()
    let comments = world.comments(of: WorkflowRig.forkPull)
    #expect(comments.count == 1 && comments[0].body.contains("\(rig.sha("fork")), approved by alice"), "\(comments)")
    #expect(world.checkRuns.last?.headSha == rig.sha("fork"))
  }

  @Test("what starts no job, and what starts one that measures nothing", .timeLimit(.minutes(2)))
  func nothing() async throws {
    try await WorkflowRig.with { rig in
      let idle = ["unit": "skipped", "compare": "skipped", "fork": "skipped"]
      let sha = rig.sha("fork")
      for (run, results) in [
        (rig.push("main"), [:]), (rig.pull("closed"), [:]), (rig.pull("opened"), idle),
        (rig.pull("labeled", label: "bug"), idle), (rig.pull("labeled", label: "bug", isFork: true), idle),
        (rig.comment("thanks", by: "alice", association: "MEMBER"), idle),
        (rig.comment("/bench \(sha)", by: "eve", association: "CONTRIBUTOR"), idle),
      ] {
        let (outcome, _) = try await rig.run(run)
        #expect(outcome.results == results, "\(run.event) \(run.payload)")
      }
      // Whom GitHub calls a member and who may not write, a fork's head that nobody named, and a VM that no fork gets.
      var vm = rig.pull("opened", isFork: true)
      vm.set = ["machine": "azure"]
      for (run, words) in [
        (rig.comment("/bench \(sha)", by: "eve", association: "MEMBER"), "eve may not write"),
        (rig.comment("/bench", by: "alice", association: "MEMBER"), "name the commit that you have read in full"),
        (vm, "nobody has approved its commit"),
      ] {
        let (outcome, _) = try await rig.run(run)
        let measure = try outcome.step("Measure")
        #expect(measure.outcome == "success" && measure.outputs["measured"] == "false", "\(outcome.said)")
        #expect(measure.outputs["reason"]?.contains(words) == true, "\(outcome.said)")
        #expect(measure.annotations.map(\.kind) == ["notice"])
        #expect(outcome.steps.contains { $0.name == "Keep the results" && $0.outcome == "skipped" })
      }
      let world = try rig.github.world()
      #expect(world.comments(of: WorkflowRig.forkPull).isEmpty && world.checkRuns.isEmpty)
      // What cf-bench must not run on at all.
      var target = rig.pull("opened", isFork: true)
      target.event = "pull_request_target"
      target.flags = ["--only", "fork"]
      target.workflow = try onTarget(rig)
      let (outcome, _) = try await rig.run(target)
      #expect(try outcome.step("Measure").status == 2, "\(outcome.said)")
    }
  }

  /// bench.yml as somebody might change it.
  private func onTarget(_ rig: WorkflowRig) throws -> String {
    let text = try String(contentsOfFile: "\(WorkflowRig.workflows)/bench.yml", encoding: .utf8)
    try rig.rig.write(
      "target.yml",
      text.replacing("pull_request:\n", with: "pull_request_target:\n")
        .replacing("github.event_name == 'pull_request'", with: "github.event_name == 'pull_request_target'"))
    return rig.rig.folder + "/target.yml"
  }

  @Test("a run that is cancelled or killed in any phase leaves no open check and no process", .timeLimit(.minutes(6)))
  func cancelled() async throws {
    try await WorkflowRig.with { rig in
      for (phase, line) in [
        ("before the decision", "^::stop-commands"), ("while a side is made", "^installing main for"),
        ("while it measures", "^preparing startup"), ("while it reports", "^Metric"),
      ] {
        var run = quick(rig.push())
        run.flags = ["--only", "compare", "--cancel-when", line]
        let (outcome, _) = try await rig.run(run)
        let measure = try outcome.step("Measure")
        let seconds = try #require(measure.cancelledAfter, "\(phase): \(outcome.said)")
        #expect(seconds < 7.5 && outcome.jobs["compare"]?.result == "cancelled", "\(phase): \(seconds) s")
        #expect(measure.status == 130 || phase == "while it reports", "\(phase): \(outcome.said)")
        #expect(try outcome.step("Settle").outcome == "success", "\(phase): \(outcome.said)")
        #expect(outcome.orphans == [], "\(phase)")
        #expect(try rig.github.world().checkRuns.allSatisfy { $0.status == "completed" }, "\(phase)")
      }
      let conclusions = try rig.github.world().checkRuns.map(\.conclusion)
      // Where gh is slow, the one that was to tell the result is ended by Settle.
      #expect(
        conclusions.prefix(2) == ["cancelled", "cancelled"] && ["neutral", "cancelled"].contains(conclusions.last))
      try await killed(rig)
      try await cancelledWhileCheckIsMade(rig)
    }
  }

  private func killed(_ rig: WorkflowRig) async throws {
    var run = quick(rig.push())
    run.flags = ["--only", "compare", "--kill-when", "^preparing startup"]
    let (outcome, _) = try await rig.run(run)
    #expect(try outcome.step("Measure").status == 137 && outcome.results["compare"] == "failure")
    #expect(try outcome.step("Settle").outcome == "success", "\(outcome.said)")
    #expect(try outcome.step("Keep the results").outcome == "success")
    #expect(try rig.github.world().checkRuns.last?.conclusion == "cancelled", "\(outcome.said)")
    #expect(outcome.orphans == [])
  }

  /// GitHub has made the check, and its answer is not here yet.
  private func cancelledWhileCheckIsMade(_ rig: WorkflowRig) async throws {
    let checks = try rig.github.world().checkRuns.count
    try rig.github.faults(#"{"method":"POST","path":"check-runs$","after":true,"delay":3,"times":1}"#)
    var run = quick(rig.push())
    run.flags = ["--only", "compare"]
    let (outcome, _) = try await rig.run(run) { process in
      try await waitFor("the check", 60) { try rig.github.world().checkRuns.count > checks }
      process.interrupt()
    }
    try rig.github.endFaults()
    #expect(outcome.results["compare"] == "cancelled", "\(outcome.said)")
    let check = try rig.github.world().checkRuns.last
    #expect(check?.status == "completed")
  }
}
