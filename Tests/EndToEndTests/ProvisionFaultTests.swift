import Foundation
import TestSupport
import Testing

@Suite("Provisioning that is cancelled, killed or refused leaves no VM on, and goes on from there when repeated")
struct ProvisionFaultTests {
  private func withEmptySubscription(
    startSeconds: Double = 1, _ body: (AzureRig) async throws -> Void
  ) async throws {
    var options = StandInAzure.Options()
    options.startSeconds = startSeconds
    try await AzureRig.with(options, isProvisioned: false) { rig in
      try rig.azure.setGuest(
        seconds: 0, verdict: "done", files: ["/var/lib/cf-bench/provisioned.json": #"{"schema":1}"#])
      try await body(rig)
    }
  }

  @Test("the lines of a dry run, pasted into a shell, make what a real run makes")
  func pasted() async throws {
    try await withEmptySubscription { rig in
      let dry = try await rig.bench(["provision", "--dry-run"])
      #expect(dry.status == 0, "\(dry.error)")
      #expect(dry.output.contains("# monthly price: "))
      try rig.rig.write("paste.sh", "set -eu\n" + dry.output)
      let pasted = try await rig.rig.tool("bash", ["paste.sh"])
      #expect(pasted.status == 0, "\(pasted.error)")
      let made = try rig.madeThings
      #expect(try rig.vm.power == "running" && rig.leases.count == 1)
      // What is there is told, and not made again.
      let second = try await rig.bench(["provision", "--dry-run"])
      let calls = second.output.split(separator: "\n").filter { !$0.hasPrefix("#") }
      #expect(calls.isEmpty, "\(second.output)")
      // The run that takes over learns the key, brings the programs, and makes nothing more.
      let result = try await rig.bench(["provision"])
      #expect(result.status == 0, "\(result.error)")
      #expect(result.output.contains("everything was there already"), "\(result.output)")
      #expect(try rig.madeThings == made)
      #expect(try rig.azure.state().rules.isEmpty)
      // The one who pasted holds a lease until its end: the VM is theirs.
      #expect(result.output.contains("left on for"), "\(result.output)\(result.error)")
      let stopped = try await rig.bench(["stop", "--force"])
      #expect(stopped.status == 0, "\(stopped.error)")
      try rig.expectClean()
    }
  }

  @Test("a cancel while Azure makes the VM waits for it and stops it, though Azure does not show it yet")
  func cancelled() async throws {
    try await withEmptySubscription(startSeconds: 6) { rig in
      let result = try await rig.whileRunning(["provision"]) { [rig] pid in
        try await rig.wait("the VM") { try rig.azure.power() == "starting" }
        var hidden = StandInAzure.Fault(.status, path: "/virtualMachines/cf-bench$")
        (hidden.method, hidden.status, hidden.code, hidden.times) = ("GET", 404, "ResourceNotFound", 2)
        try rig.azure.fault(hidden)
        kill(pid, SIGINT)
      }
      #expect(result.status == 130, "\(result.error)")
      #expect(result.error.contains("Azure is still making the VM"), "\(result.error)")
      try rig.expectClean("\(result.error)")
    }
  }

  @Test("a kill while Azure makes the VM: reap stops it")
  func killed() async throws {
    try await withEmptySubscription(startSeconds: 3) { rig in
      _ = try await rig.whileRunning(["provision"]) { [rig] pid in
        try await rig.wait("the VM") { try rig.azure.power() == "starting" }
        kill(pid, SIGKILL)
      }
      let reaped = try await rig.bench(["reap"])
      #expect(reaped.status == 0, "\(reaped.output)\(reaped.error)")
      #expect(reaped.output.contains("deallocated"))
      try rig.expectClean("\(reaped.error)")
    }
  }

  @Test("steps that failed inside are repeated by the next provision; an identity not known everywhere yet is waited for")
  func repeated() async throws {
    try await AzureRig.with(isProvisioned: false) { rig in
      try rig.azure.setGuest(seconds: 0, verdict: "error", errors: ["no network"])
      var late = StandInAzure.Fault(.status, path: "roleAssignments")
      (late.method, late.status, late.code, late.times) = ("PUT", 400, "PrincipalNotFound", 1)
      try rig.azure.fault(late)
      let first = try await rig.bench(["provision"])
      #expect(first.status == 3)
      #expect(first.error.contains("failed at the step 'cloud-init'") && first.error.contains("no network"))
      #expect(first.error.contains("PrincipalNotFound"), "\(first.error)")
      try rig.expectClean("\(first.error)")
      #expect(try rig.vm.tags["cf-bench-host-key"] == nil)
      #expect(try rig.azure.state().resources.values.contains { $0.type.hasSuffix("/roleAssignments") })

      // What the VM has inside to repeat them; the marker is all that the stand-in knows of them.
      let root = try rig.vm.folder
      let tools = root + "/usr/local/lib/cf-bench"
      try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
      let steps = "#!/bin/sh\necho '{\"schema\": 1}' >'\(root)/var/lib/cf-bench/provisioned.json'\n"
      #expect(
        FileManager.default.createFile(
          atPath: tools + "/provision", contents: Data(steps.utf8), attributes: [.posixPermissions: 0o755]))
      let second = try await rig.bench(["provision"])
      #expect(second.status == 0, "\(second.error)")
      #expect(second.error.contains("running the steps inside again"), "\(second.error)")
      try rig.expectClean()
    }
  }

  @Test("a sign-in that may not give rights: the line for an owner is printed, the daily stop stands, nothing is on")
  func refused() async throws {
    try await withEmptySubscription { rig in
      var fault = StandInAzure.Fault(.status, path: "roleAssignments")
      (fault.method, fault.status, fault.code) = ("PUT", 403, "AuthorizationFailed")
      fault.message = "no authorization to perform action 'Microsoft.Authorization/roleAssignments/write'"
      try rig.azure.fault(fault)
      let result = try await rig.bench(["provision"])
      #expect(result.status == 3)
      #expect(result.error.contains("lacks the action Microsoft.Authorization/roleAssignments/write"))
      let line = try #require(result.error.split(separator: "\n").first { $0.contains("az role assignment create") })
      try rig.expectClean()
      #expect(try rig.azure.state().resources.values.contains { $0.type.hasSuffix("/schedules") })
      try rig.azure.reset()
      let owner = try await rig.rig.tool("sh", ["-c", String(line)])
      #expect(owner.status == 0, "\(owner.error)")
      let again = try await rig.bench(["provision"])
      #expect(again.status == 0, "\(again.error)")
      #expect(!again.output.contains("made "), "\(again.output)")
      try rig.expectClean()
    }
  }

  @Test("deprovision refuses while somebody else has the VM, keeps a group that holds other things, and forced removes it")
  func deprovision() async throws {
    try await withEmptySubscription { rig in
      let provisioned = try await rig.bench(["provision"])
      #expect(provisioned.status == 0, "\(provisioned.error)")
      let until = TagText.hour(from: .now)
      try await rig.setTags(["cf-bench-lease-x": "until=\(until);generation=3;kind=run;owner=bob@desk"])
      let other = try await rig.rig.tool(
        "az", ["network", "nsg", "create", "--resource-group", "CF-BENCH-RG", "--name", "of-somebody-else"])
      try #require(other.status == 0, "\(other.error)")
      let refused = try await rig.bench(["deprovision", "--yes"])
      #expect(refused.status == 3)
      #expect(refused.error.contains("bob@desk has it until"), "\(refused.error)")
      #expect(try rig.azure.state().vms.count == 1)
      let before = try rig.azure.requests().filter { $0.method != "GET" }.count
      let dry = try await rig.bench(["deprovision", "--dry-run", "--force", "--json"])
      #expect(dry.status == 0 && dry.output.contains("az vm delete"), "\(dry.output)\(dry.error)")
      #expect(try rig.azure.requests().filter { $0.method != "GET" }.count <= before + 1)  // a token may be asked for
      #expect(try rig.azure.state().vms.count == 1)
      let removed = try await rig.bench(["deprovision", "--yes", "--force"])
      #expect(removed.status == 0, "\(removed.error)")
      #expect(removed.error.contains("stays: it also holds of-somebody-else"), "\(removed.error)")
      #expect(try rig.madeThings.allSatisfy { $0.contains("of-somebody-else") || $0.contains("resourceGroups CF") })
      #expect(!FileManager.default.fileExists(atPath: rig.rig.folder + "/state/azure/default_CF-BENCH-RG_cf-bench"))
    }
  }
}

private enum TagText {
  static func hour(from date: Date) -> String {
    (date + 3600).formatted(Date.ISO8601FormatStyle(timeZone: .gmt))
  }
}

extension AzureRig {
  /// Type and name of all that is there, but for what az and Azure name by chance.
  fileprivate var madeThings: Set<String> {
    get throws {
      let things = try azure.state().resources.values.filter { !$0.type.hasSuffix("/deployments") }
      return Set(things.map { "\($0.type) \($0.name)" })
    }
  }
}
