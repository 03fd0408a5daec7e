import Foundation
import TestSupport
import Testing

@Suite("The hourly look for VMs that a dead run left on", .longPrograms)
struct WorkflowAzureTests {
  @Test(
    "passes when nothing was left, fails when it had to stop a VM, and is silent before the setup")
  func reap() async throws {
    try await AzureTestbed.with { azure in
      let testbed = azure.testbed
      try await testbed.git("init", "-q", "-b", "main", testbed.folder + "/work")
      try testbed.write("work/cf-bench.yaml", try testbed.read("cf-bench.yaml"))
      try await testbed.commit(testbed.folder + "/work", "settings")
      try await testbed.git("clone", "-q", "--bare", testbed.folder + "/work", testbed.folder + "/git")

      #expect(try await run("before", azure, isSetUp: false).results == ["reap": "skipped"])

      let idle = try await run("idle", azure)
      #expect(idle.results == ["reap": "success"], "\(idle.said)")
      #expect(try idle.step("Reap").outputs["findings"] == "0")
      #expect(try summary(idle) == "Nothing was left behind.\n")

      _ = try await azure.whileRunning(AzureTestbed.shortRun) { pid in
        try await azure.wait("the VM to be on") { try azure.vm.power == "running" && !azure.leases.isEmpty }
        kill(pid, SIGKILL)
      }
      let found = try await run("found", azure)
      #expect(found.results == ["reap": "failure"], "\(found.said)")
      let step = try found.step("Reap")
      let count = try #require(step.outputs["findings"].flatMap { Int($0) })
      #expect(step.status == 1 && count > 0 && step.annotations.map(\.kind) == Array(repeating: "error", count: count))
      #expect(try summary(found).contains("found \(count) left behind"))
      try azure.expectClean()
    }
  }

  private func summary(_ outcome: WorkflowTestbed.Outcome) throws -> String {
    try String(contentsOfFile: try #require(outcome.jobs["reap"]?.summary), encoding: .utf8)
  }

  private func run(_ name: String, _ azure: AzureTestbed, isSetUp: Bool = true) async throws -> WorkflowTestbed.Outcome
  {
    let testbed = azure.testbed
    var environment = WorkflowTestbed.passedOn()
    for (name, value) in testbed.environment
    where name.hasPrefix("CF_BENCH_") || name == "QUICK_AZ_SOCKET" || name == "TMPDIR" {
      environment[name] = value
    }
    environment.merge(azure.azure.ready.environment) { $1 }
    environment["CF_BENCH_CI_BIN"] = URL(filePath: try BuiltProduct.path("cf-bench")).deletingLastPathComponent().path
    // Signed in already: a sign-in with GitHub's word has tests of its own.
    let run = WorkflowTestbed.Run(
      workflow: "\(WorkflowTestbed.workflows)/reap.yml", event: "schedule",
      payload: #"{"schedule":"23 * * * *","repository":{"full_name":"octo/project","default_branch":"main"}}"#,
      variables: isSetUp ? ["AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111"] : [:],
      set: ["azure-client-id": ""])
    let outcome = try await WorkflowTestbed.run(
      run, folder: "\(testbed.folder)/\(name)", git: testbed.folder + "/git", server: "https://github.com",
      environment: environment, testbed: testbed)
    #expect(outcome.complaints == [])
    #expect(outcome.steps.flatMap(\.unknownCommands) == [])
    return outcome
  }
}
