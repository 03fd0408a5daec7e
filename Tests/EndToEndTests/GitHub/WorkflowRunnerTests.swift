import Foundation
import TestSupport
import Testing

/// A runner that let mistakes pass would prove nothing.
@Suite("Our runner of workflows refuses what GitHub refuses, and what it does not know", .programs)
struct WorkflowRunnerTests {
  private struct Told {
    var status: Int32?
    var error: String
    var outcome: WorkflowTestbed.Outcome?
  }

  @Test("what it does not know is an error, with its name in it")
  func unknown() async throws {
    try await Testbed.with { testbed in
      for (step, words) in [
        ("run: echo ${{ github.actor }}", "has an expression in it"),
        ("if: github.evnt.action == 'x'\n        run: echo", "github.evnt is not known"),
        ("if: hashFiles('x') == ''\n        run: echo", "the function hashFiles is not known"),
        ("if: secrets.KEY != ''\n        run: echo", "there is no context secrets"),
        ("if: steps.other.outcome == 'success'\n        run: echo", "steps.other is not known"),
        ("if: a ${{ true }}\n        run: echo", "always true"),
        ("uses: actions/cache@v4", "actions/cache@v4 is not known"),
        ("uses: $/reap\n        with:\n          machine: local", "has no inputs ['machine']"),
        ("run: echo\n        timeout-minutes: 3", "a step has ['timeout-minutes']"),
      ] {
        let told = try await run("      - \(step)\n", testbed)
        #expect(told.status == 2 && told.error.contains(words), "\(step): \(told.error)")
      }
    }
  }

  @Test("limits, files and commands are GitHub's")
  func limits() async throws {
    try await Testbed.with { testbed in
      for (script, complaint) in [
        ("for i in 1 2 3 4 5 6 7 8 9 10 11; do echo ::error::x; done", "11 annotations of the kind error"),
        ("printf 'a<<END\\nb\\n' >>\"$GITHUB_OUTPUT\"", "matching delimiter not found"),
        ("echo nonsense >>\"$GITHUB_OUTPUT\"", "invalid format"),
        ("printf '\\377' >>\"$GITHUB_STEP_SUMMARY\"", "the summary is no UTF-8"),
        ("head -c 1048577 /dev/zero >>\"$GITHUB_STEP_SUMMARY\"", "the summary has 1048577 bytes"),
        ("echo ::stop-commands::token", "commands were still stopped"), ("echo ::group::x", "1 groups were still open"),
      ] {
        let told = try await run("      - name: it\n        run: |\n          \(script)\n", testbed)
        let complaints = try #require(told.outcome, "\(told.error)").complaints
        #expect(complaints.count == 1 && complaints[0].contains(complaint), "\(script): \(complaints)")
      }
    }
  }

  @Test("commands count on both streams, not while they are stopped, and masks cover what follows")
  func commands() async throws {
    try await Testbed.with { testbed in
      let told = try await run(
        """
              - name: it
                id: it
                run: |
                  echo '::add-mask::a%25b'
                  echo 'a%b'
                  sleep 0.1
                  echo '::stop-commands::tok'
                  echo '::error::quoted'
                  echo 'x ##[error]quoted'
                  echo '::tok::'
                  sleep 0.1
                  echo '::warning file=a%2Cb,line=3,title=t%3A::m%0An%25' >&2
                  echo '::nonsense::'
                  printf 'one=1\\ntwo<<E\\na=b\\n\\nE\\n' >>"$GITHUB_OUTPUT"
              - name: then
                if: steps.it.outputs.ONE == 1 && steps.it.outcome == 'SUCCESS'
                run: exit 3
              - name: not
                run: echo
              - name: at last
                if: failure() || cancelled()
                run: echo

        """, testbed)
      let outcome = try #require(told.outcome, "\(told.error)")
      let first = try outcome.step("it")
      #expect(first.annotations.map(\.message) == ["m\nn%"] && first.annotations[0].title == "t:")
      #expect(first.unknownCommands == ["::nonsense::"])
      #expect(first.outputs == ["one": "1", "two": "a=b\n"])
      #expect(first.said.contains("\n***\n") && !first.said.contains("a%b"))
      #expect(outcome.jobs["job"]?.steps.map(\.outcome) == ["success", "failure", "skipped", "success"])
      #expect(outcome.results == ["job": "failure"])
    }
  }

  /// One job with these steps.
  private func run(_ steps: String, _ testbed: Testbed) async throws -> Told {
    try testbed.write(
      "workflow.yml",
      "name: it\non: push\ndefaults:\n  run:\n    shell: bash\njobs:\n  job:\n    runs-on: x\n    steps:\n" + steps)
    try testbed.write("payload.json", #"{"ref":"refs/heads/main","repository":{"default_branch":"main"}}"#)
    let told = try await testbed.tool(
      "env",
      [
        "\(Testbed.packageRoot)/.tools/venv/bin/python",
        "\(Testbed.packageRoot)/Tests/WorkflowRunner/run.py", "--workflow", testbed.folder + "/workflow.yml", "--event",
        "push",
        "--payload", testbed.folder + "/payload.json", "--repository", "octo/project", "--git", "/nowhere", "--sha",
        String(repeating: "1", count: 40), "--folder", "\(testbed.folder)/\(UUID().uuidString)",
      ])
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let outcome =
      told.status == 0 ? try decoder.decode(WorkflowTestbed.Outcome.self, from: Data(told.output.utf8)) : nil
    return Told(status: told.status, error: told.error, outcome: outcome)
  }
}
