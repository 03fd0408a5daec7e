import Foundation
import TestSupport
import Testing

@Suite(
  "Provisioning that is cancelled, killed or refused leaves no VM on, and goes on from there when repeated",
  .longPrograms)
struct ProvisionFaultTests {
  private func withEmptySubscription(
    startSeconds: Double = 1, _ body: (AzureTestbed) async throws -> Void
  ) async throws {
    var options = StandInAzure.Options()
    options.startSeconds = startSeconds
    try await AzureTestbed.with(options, isProvisioned: false) { testbed in
      try testbed.azure.setGuest(
        seconds: 0, verdict: "done", files: ["/var/lib/cf-bench/provisioned.json": #"{"schema":1}"#])
      try await body(testbed)
    }
  }

  @Test("the lines of a dry run, pasted into a shell, make what a real run makes", .thorough)
  func pasted() async throws {
    try await withEmptySubscription { testbed in
      let dry = try await testbed.bench(["provision", "--dry-run"])
      #expect(dry.status == 0, "\(dry.error)")
      #expect(dry.output.contains("# monthly price: "))
      try testbed.testbed.write("paste.sh", "set -eu\n" + dry.output)
      let pasted = try await testbed.testbed.tool("bash", ["paste.sh"])
      #expect(pasted.status == 0, "\(pasted.error)")
      let made = try testbed.madeThings
      #expect(try testbed.vm.power == "running" && testbed.leases.count == 1)
      // What is there is told, and not made again.
      let second = try await testbed.bench(["provision", "--dry-run"])
      let calls = second.output.split(separator: "\n").filter { !$0.hasPrefix("#") }
      #expect(calls.isEmpty, "\(second.output)")
      // The run that takes over learns the key, brings the programs, and makes nothing more.
      let result = try await testbed.bench(["provision"])
      #expect(result.status == 0, "\(result.error)")
      #expect(result.output.contains("everything was there already"), "\(result.output)")
      #expect(try testbed.madeThings == made)
      #expect(try testbed.azure.state().rules.isEmpty)
      // The one who pasted holds a lease until its end: the VM is theirs.
      #expect(result.output.contains("left on for"), "\(result.output)\(result.error)")
    }
  }

  @Test(
    "a cancel while Azure makes the VM waits for it and stops it, though Azure does not show it yet", .thorough)
  func cancelled() async throws {
    try await withEmptySubscription(startSeconds: 15) { testbed in
      let result = try await testbed.whileRunning(["provision"]) { [testbed] pid in
        try await testbed.wait("the VM", seconds: 180) { try testbed.azure.power() == "starting" }
        var hidden = StandInAzure.Fault(.status, path: "/virtualMachines/cf-bench$")
        (hidden.method, hidden.status, hidden.code, hidden.times) = ("GET", 404, "ResourceNotFound", 2)
        try testbed.azure.fault(hidden)
        kill(pid, SIGINT)
      }
      #expect(result.status == 130, "\(result.error)")
      #expect(result.error.contains("Azure is still making the VM"), "\(result.error)")
      try testbed.expectClean("\(result.error)")
    }
  }

  @Test("a kill while Azure makes the VM: reap stops it")
  func killed() async throws {
    try await withEmptySubscription(startSeconds: 3) { testbed in
      _ = try await testbed.whileRunning(["provision"]) { [testbed] pid in
        try await testbed.wait("the VM", seconds: 180) { try testbed.azure.power() == "starting" }
        kill(pid, SIGKILL)
      }
      let reaped = try await testbed.bench(["reap"])
      #expect(reaped.status == 0, "\(reaped.output)\(reaped.error)")
      #expect(reaped.output.contains("deallocated"))
      try testbed.expectClean("\(reaped.error)")
    }
  }
}

extension AzureTestbed {
  /// Type and name of all that is there, but for what az and Azure name by chance.
  fileprivate var madeThings: Set<String> {
    get throws {
      let things = try azure.state().resources.values.filter { !$0.type.hasSuffix("/deployments") }
      return Set(things.map { "\($0.type) \($0.name)" })
    }
  }
}
