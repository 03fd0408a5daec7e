import Foundation
import TestSupport
import Testing

@Suite(
  "Provisioning that is cancelled, killed or refused leaves no VM on, and goes on from there when repeated", .programs)
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

  @Test("a cancel while Azure makes the VM waits for it and stops it, though Azure does not show it yet")
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

  @Test("what fails on the way is told, with the line for an owner or the step inside, and the next provision goes on")
  func goesOn() async throws {
    try await AzureTestbed.with(isProvisioned: false) { testbed in
      try testbed.azure.setGuest(seconds: 0, verdict: "error", errors: ["no network"])
      // A new identity is not known everywhere at once; then this sign-in may not give rights.
      for (code, status, times) in [("PrincipalNotFound", 400, 1), ("AuthorizationFailed", 403, nil)] as [(_, _, Int?)]
      {
        var fault = StandInAzure.Fault(.status, path: "roleAssignments")
        (fault.method, fault.status, fault.code, fault.times) = ("PUT", status, code, times)
        fault.message = "no authorization to perform action 'Microsoft.Authorization/roleAssignments/write'"
        try testbed.azure.fault(fault)
      }
      let refused = try await testbed.bench(["provision"])
      #expect(refused.status == 3)
      #expect(refused.error.contains("(PrincipalNotFound): trying again"), "\(refused.error)")
      #expect(refused.error.contains("lacks the action Microsoft.Authorization/roleAssignments/write"))
      try testbed.expectClean("\(refused.error)")
      #expect(try testbed.azure.state().resources.values.contains { $0.type.hasSuffix("/schedules") })
      try testbed.azure.reset()
      let line = try #require(refused.error.split(separator: "\n").first { $0.contains("az role assignment create") })
      let owner = try await testbed.testbed.tool("sh", ["-c", String(line)])
      #expect(owner.status == 0, "\(owner.error)")

      let failed = try await testbed.bench(["provision"])
      #expect(failed.status == 3)
      #expect(failed.error.contains("failed at the step 'cloud-init'") && failed.error.contains("no network"))
      try testbed.expectClean("\(failed.error)")
      #expect(try testbed.vm.tags["cf-bench-host-key"] == nil)

      try testbed.mendSteps()
      let last = try await testbed.bench(["provision"])
      #expect(last.status == 0, "\(last.error)")
      #expect(last.error.contains("running the steps inside again"), "\(last.error)")
      #expect(!last.output.contains("made "), "\(last.output)")
      try testbed.expectClean()
    }
  }

  @Test(
    "deprovision refuses while somebody else has the VM, keeps a group that holds other things, and forced removes it")
  func deprovision() async throws {
    try await AzureTestbed.with { testbed in
      let group = try #require(
        try testbed.azure.state().resources.values.first { $0.type.hasSuffix("/resourceGroups") })
      let tagged = try await testbed.testbed.tool(
        "az", ["tag", "update", "--operation", "merge", "--resource-id", group.id, "--tags", "cf-bench=0.1.0"])
      try #require(tagged.status == 0, "\(tagged.error)")
      try testbed.testbed.makeKeysFolder()
      let until = TagText.hour(from: .now)
      try await testbed.setTags(["cf-bench-lease-x": "until=\(until);generation=3;kind=run;owner=bob@desk"])
      let other = try await testbed.testbed.tool(
        "az", ["network", "nsg", "create", "--resource-group", "CF-BENCH-RG", "--name", "of-somebody-else"])
      try #require(other.status == 0, "\(other.error)")
      let refused = try await testbed.bench(["deprovision", "--yes"])
      #expect(refused.status == 3)
      #expect(refused.error.contains("bob@desk has it until"), "\(refused.error)")
      #expect(try testbed.azure.state().vms.count == 1)
      let before = try testbed.azure.requests().filter { $0.method != "GET" }.count
      let dry = try await testbed.bench(["deprovision", "--dry-run", "--force", "--json"])
      #expect(dry.status == 0 && dry.output.contains("az vm delete"), "\(dry.output)\(dry.error)")
      // A token may be asked for.
      #expect(try testbed.azure.requests().filter { $0.method != "GET" }.count <= before + 1)
      #expect(try testbed.azure.state().vms.count == 1)
      let removed = try await testbed.bench(["deprovision", "--yes", "--force"])
      #expect(removed.status == 0, "\(removed.error)")
      #expect(removed.error.contains("stays: it also holds of-somebody-else"), "\(removed.error)")
      #expect(try testbed.madeThings.allSatisfy { $0.contains("of-somebody-else") || $0.contains("resourceGroups CF") })
      #expect(
        !FileManager.default.fileExists(atPath: testbed.testbed.folder + "/state/azure/default_CF-BENCH-RG_cf-bench"))
    }
  }
}

private enum TagText {
  static func hour(from date: Date) -> String {
    (date + 3600).formatted(Date.ISO8601FormatStyle(timeZone: .gmt))
  }
}

extension Testbed {
  /// As if a key had been made for the VM here.
  fileprivate func makeKeysFolder() throws {
    try FileManager.default.createDirectory(
      atPath: folder + "/state/azure/default_CF-BENCH-RG_cf-bench", withIntermediateDirectories: true)
  }
}

extension AzureTestbed {
  /// Gives the VM the steps that it would have inside; their marker is all that the stand-in knows of them.
  fileprivate func mendSteps() throws {
    let root = try vm.folder
    let tools = root + "/usr/local/lib/cf-bench"
    try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
    let steps = "#!/bin/sh\necho '{\"schema\": 1}' >'\(root)/var/lib/cf-bench/provisioned.json'\n"
    let isWritten = FileManager.default.createFile(
      atPath: tools + "/provision", contents: Data(steps.utf8), attributes: [.posixPermissions: 0o755])
    try #require(isWritten)
  }

  /// Type and name of all that is there, but for what az and Azure name by chance.
  fileprivate var madeThings: Set<String> {
    get throws {
      let things = try azure.state().resources.values.filter { !$0.type.hasSuffix("/deployments") }
      return Set(things.map { "\($0.type) \($0.name)" })
    }
  }
}
