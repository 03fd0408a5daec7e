import Foundation
import TestSupport
import Testing

@Suite("A step tells no secret, and what it is to mask it tells the runner alone", .programs)
struct StepTests {
  @Test("a secret in an error stands in no file, comment, check or line but the mask's own")
  func secrets() async throws {
    // With a letter that Markdown marks, and one that commands escape.
    let secret = "cf_very_secret_%value_0123456789"
    try await WorkflowTestbed.with { testbed in
      let files = ["event.json": "{}", "output": "", "summary": ""]
      for (name, text) in files { try testbed.testbed.write(name, text) }
      var environment = testbed.github.ready.environment.merging(
        [
          "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "workflow_dispatch",
          "GITHUB_REPOSITORY": WorkflowTestbed.repository,
          "GITHUB_SHA": testbed.sha("main"), "GITHUB_REF": "refs/heads/main", "GITHUB_RUN_ID": "7",
          "CODEFLASH_API_KEY": secret,
          "CF_BENCH_CI_BASE": "main", "CF_BENCH_CI_HEAD": "perf/\(secret)", "CF_BENCH_CI_MACHINE": "local",
          "CF_BENCH_GITHUB_PACE": "0.01",
        ]
      ) { $1 }
      for (variable, name) in [
        "GITHUB_EVENT_PATH": "event.json", "GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary",
      ] { environment[variable] = "\(testbed.testbed.folder)/\(name)" }
      let result = try await testbed.testbed.bench(["ci"], extra: environment)
      #expect(result.status == 2, "\(result.output)")
      let lines = result.output.split(separator: "\n").map(String.init)
      #expect(lines.contains("::add-mask::" + secret.replacing("%", with: "%25")))
      let others = lines.filter { !$0.hasPrefix("::add-mask::") }.joined(separator: "\n")
      let told = others + (try testbed.testbed.read("output")) + (try testbed.testbed.read("summary"))
      #expect(told.contains("there is no revision 'perf/") && told.contains("Could not measure"))
      for form in [secret, secret.replacing("_", with: "\\_"), secret.replacing("%", with: "%25"), "very"] {
        #expect(!told.contains(form), "\(form) in: \(told)")
      }
    }
  }

  @Test("the gate of the settings counts where the step has none of its own")
  func settingsGate() async throws {
    try await WorkflowTestbed.with { testbed in
      try testbed.testbed.write(
        "cf-bench.yaml", WorkflowTestbed.settings + "\ngate:\n  fail-on: [\"regression:Nowhere\"]\n")
      let payload =
        #"{"ref":"refs/heads/perf/x","after":"\#(testbed.sha("perf/x"))","repository":{"full_name":"octo/project","default_branch":"main"}}"#
      for (name, text) in ["event.json": payload, "output": ""] { try testbed.testbed.write(name, text) }
      let environment = [
        "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": testbed.testbed.folder + "/event.json",
        "GITHUB_OUTPUT": testbed.testbed.folder + "/output", "GITHUB_REPOSITORY": WorkflowTestbed.repository,
        "GITHUB_RUN_ID": "7",
        "GITHUB_SERVER_URL": "file://\(testbed.testbed.folder)/git", "CF_BENCH_CI_MACHINE": "local",
        "GH_TOKEN": "job-token",
        "CF_BENCH_CI_FAIL_ON": "", "CF_BENCH_GH": testbed.testbed.folder + "/gh", "CF_BENCH_GITHUB_PACE": "0.01",
      ]
      let result = try await testbed.testbed.bench(["ci"], extra: environment)
      #expect(result.status == 4, "\(result.output)")
      #expect(try testbed.testbed.read("output").contains("unmeasured"))
      let comments = try testbed.github.world().comments(of: WorkflowTestbed.pull)
      #expect(comments.count == 1 && comments[0].body.contains("there is no result for Nowhere"))
    }
  }
}
