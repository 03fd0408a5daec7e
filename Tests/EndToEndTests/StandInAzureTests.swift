import Foundation
import TestSupport
import Testing

/// The real `az` of this checkout against the stand-in: what all tests of the Azure machine rest on.
@Suite("The stand-in for Azure", .programs)
struct StandInAzureTests {
  private static let vm = ["--resource-group", "CF-BENCH-RG", "--name", "cf-bench"]

  @Test(
    "az starts the VM, its sshd lets the key in, and deallocating ends every process of it")
  func powerCycle() async throws {
    try await withMachine { azure, testbed, machine in
      let start = try await testbed.tool("az", ["vm", "start", "--no-wait"] + Self.vm)
      #expect(start.status == 0 && start.output.isEmpty, "\(start.error)")
      try await azure.wait(until: "running")
      #expect(try await power(testbed) == "PowerState/running")

      // The session leaves a process behind that has a session of its own and none of our variables.
      let script = "env -i setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! $CF_BENCH_HOME"
      let login = try await logIn(testbed, azure, machine, script)
      let words = login.output.split(whereSeparator: \.isWhitespace).map(String.init)
      try #require(words.count == 2, "\(login.error)")
      #expect(words[1] == machine.folder + "/home")
      let pid = try #require(Int32(words[0]))
      #expect(kill(pid, 0) == 0)

      let stop = try await testbed.tool("az", ["vm", "deallocate"] + Self.vm)
      #expect(stop.status == 0, "\(stop.error)")
      // Killed at once; who was its parent may take a moment to see it.
      let goneBy = ContinuousClock.now + .seconds(300)
      while kill(pid, 0) == 0, ContinuousClock.now < goneBy { try await Task.sleep(for: .milliseconds(20)) }
      #expect(kill(pid, 0) == -1 && errno == ESRCH)
      #expect(try await power(testbed) == "PowerState/deallocated")
      #expect(try await logIn(testbed, azure, machine, "true", limit: .zero).status == 255)
      let changes = try azure.powerChanges()
      #expect(changes.map(\.power) == ["starting", "running", "deallocating", "deallocated"])
      #expect(changes.allSatisfy { $0.by == "user" })
    }
  }

  @Test(
    "faults reach az as Azure's errors, a saved state comes back, and a missing role is named")
  func faults() async throws {
    try await withMachine { azure, testbed, _ in
      var full = StandInAzure.Fault(.asyncError, path: "/start$")
      full.code = "AllocationFailed"
      full.message = "Allocation failed."
      try azure.fault(full)
      let start = try await testbed.tool("az", ["vm", "start"] + Self.vm)
      #expect(start.status == 1 && start.error.contains("Code: AllocationFailed"), "\(start.error)")
      #expect(try azure.power() == "deallocated")

      try azure.reset()
      try azure.save("off")
      try azure.setPower("running")
      try azure.restore("off")
      #expect(try azure.power() == "deallocated")

      try azure.allow(["*/read"])
      let refused = try await testbed.tool("az", ["vm", "start"] + Self.vm)
      #expect(refused.status == 1)
      #expect(refused.error.contains("'Microsoft.Compute/virtualMachines/start/action'"), "\(refused.error)")
    }
  }

  @Test("nothing of a VM outlives a stand-in that is killed")
  func killed() async throws {
    try await withMachine { azure, testbed, machine in
      try azure.setPower("running")
      let login = try await logIn(testbed, azure, machine, "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!")
      let pid = try #require(Int32(login.output.trimmingCharacters(in: .whitespacesAndNewlines)), "\(login.error)")
      #expect(kill(pid, 0) == 0)
      kill(azure.ready.pid, SIGKILL)
      let deadline = ContinuousClock.now + .seconds(300)
      while kill(pid, 0) == 0, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(20)) }
      #expect(kill(pid, 0) == -1 && errno == ESRCH)
    }
  }

  /// A provisioned VM that is off, and a testbed whose `az` talks to it.
  private func withMachine(_ body: (StandInAzure, Testbed, StandInAzure.Provisioned) async throws -> Void) async throws
  {
    try await Testbed.with { testbed in
      let made = try await testbed.tool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", testbed.folder + "/key"])
      try #require(made.status == 0, "\(made.error)")
      try await StandInAzure.with { azure in
        var testbed = testbed
        testbed.environment.merge(azure.ready.environment) { $1 }
        testbed.environment["PYTHONDONTWRITEBYTECODE"] = nil
        try await body(azure, testbed, try azure.provisioned(publicKey: try testbed.read("key.pub")))
      }
    }
  }

  private func power(_ testbed: Testbed) async throws -> String? {
    let query = "instanceView.statuses[?starts_with(code, 'PowerState/')].code"
    let view = try await testbed.tool("az", ["vm", "get-instance-view", "--query", query, "--output", "tsv"] + Self.vm)
    return view.status == 0 ? view.output.trimmingCharacters(in: .whitespacesAndNewlines) : view.error
  }

  /// Runs `script` on the VM, its host key being the one that was given; tries for `limit` while nothing listens.
  private func logIn(
    _ testbed: Testbed, _ azure: StandInAzure, _ machine: StandInAzure.Provisioned, _ script: String,
    limit: Duration = .seconds(300)
  ) async throws -> Testbed.Result {
    try testbed.write("known", "[\(machine.address)]:\(azure.ready.sshPort) \(machine.hostKey)\n")
    let options = [
      "-F", "none", "-i", testbed.folder + "/key", "-o", "BatchMode=yes", "-o",
      "UserKnownHostsFile=\(testbed.folder)/known",
    ]
    let deadline = ContinuousClock.now + limit
    while true {
      let result = try await testbed.tool("ssh", options + ["-p", "\(azure.ready.sshPort)", machine.address, script])
      if !result.error.contains("refused") || ContinuousClock.now >= deadline { return result }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
