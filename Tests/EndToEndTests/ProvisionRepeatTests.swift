import Foundation
import TestSupport
import Testing

@Suite(
  "Provisioning again finishes what is half done, believes no strange key, and mends what was taken away", .programs)
struct ProvisionRepeatTests {
  private func provision(_ testbed: AzureTestbed, _ more: [String] = []) async throws -> Testbed.Result {
    let result = try await testbed.bench(["provision"] + more)
    #expect(result.status == 0, "\(result.error)")
    return result
  }

  @Test(
    "programs that did not arrive are brought by the next one; a tag that names a strange key is not believed",
    .thorough)
  func interrupted() async throws {
    try await AzureTestbed.with { testbed in
      let key = try #require(try testbed.vm.tags["cf-bench-host-key"])
      // No page tells the address: the VM is looked into, and nobody gets in.
      let first = try await testbed.bench(
        ["provision"], extra: ["CF_BENCH_AZURE_ADDRESS_SERVICE": "http://127.0.0.1:9/nobody"])
      #expect(first.status == 3, "\(first.error)")
      try testbed.expectClean("\(first.error)")
      #expect(try testbed.vm.tags["cf-bench-ready"] == nil)

      // Meanwhile somebody writes another key into the tag. What was pinned stands until the VM itself says otherwise.
      try await testbed.setTags(["cf-bench-host-key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFromSomebodyElse"])
      let boots = try testbed.vm.boots
      let second = try await provision(testbed)
      #expect(second.error.contains("were not all brought"), "\(second.error)")
      #expect(FileManager.default.isExecutableFile(atPath: try testbed.vm.folder + "/bench/bin/cf-bench-agent"))
      #expect(try testbed.vm.boots == boots + 1)
      #expect(try testbed.vm.tags["cf-bench-host-key"] == key)
      #expect(try testbed.testbed.read("state/azure/default_CF-BENCH-RG_cf-bench/host_key") == key + "\n")
      try testbed.expectClean()

      // All is done: it is not started again. Unless, with all there, the tag alone is strange.
      let third = try await provision(testbed)
      #expect(third.output.contains("everything was there already"))
      #expect(try testbed.vm.boots == boots + 1)
      try await testbed.setTags(["cf-bench-host-key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFromSomebodyElse"])
      let dry = try await provision(testbed, ["--dry-run"])
      #expect(dry.error.contains("another host key than the one kept here"), "\(dry.error)")
      #expect(dry.output.contains("az vm start"), "\(dry.output)")
    }
  }

  @Test(
    "a firewall and a right that were taken away are there again, with the VM off; another machine makes no key",
    .thorough)
  func mended() async throws {
    try await AzureTestbed.with { testbed in
      let version = try await testbed.bench(["--version"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
      try await testbed.setTags(["cf-bench-ready": version, "cf-bench-cloud-init": "0123456789abcdef"])
      let group = ["--resource-group", "CF-BENCH-RG"]
      let right = try #require(
        try testbed.azure.state().resources.values.first { $0.type.hasSuffix("/roleAssignments") }?.id)
      for words in [
        ["network", "nic", "update", "--name", "cf-bench-nic", "--network-security-group", "null"] + group,
        ["network", "nsg", "delete", "--name", "cf-bench-nsg"] + group,
        ["role", "assignment", "delete", "--ids", right],
      ] {
        let result = try await testbed.testbed.tool("az", words)
        try #require(result.status == 0, "\(result.error)")
      }

      // Another machine of the same person: it has no key made for the VM, and a new one would open nothing.
      var other = testbed
      let elsewhere = testbed.testbed.folder + "/elsewhere"
      other.testbed.environment["CF_BENCH_STATE"] = elsewhere
      other.testbed.environment["CF_BENCH_SSH_IDENTITY"] = nil
      let again = try await provision(other)
      let made = again.output.split(separator: "\n").filter { $0.hasPrefix("made ") }
      #expect(made.count == 3, "\(again.output)")
      #expect(again.error.contains("has no key made for the VM"), "\(again.error)")
      #expect(again.error.contains("made with another cloud-init file"), "\(again.error)")
      let kept = try FileManager.default.contentsOfDirectory(
        atPath: elsewhere + "/azure/default_CF-BENCH-RG_cf-bench")
      #expect(kept.sorted() == ["cloud-init.yaml", "host_key"])
      #expect(try testbed.vm.boots == 0)
      let firewall = try await testbed.testbed.tool(
        "az", ["network", "nic", "show", "--name", "cf-bench-nic", "--query", "networkSecurityGroup.id"] + group)
      #expect(firewall.output.contains("/cf-bench-nsg\""), "\(firewall.output)")
      #expect(try testbed.azure.state().rules.isEmpty)
    }
  }

  @Test(
    "the VM's watchdog learns its limits; every request that changes something stands in the dry run", .thorough)
  func limits() async throws {
    try await AzureTestbed.with(isProvisioned: false) { testbed in
      try testbed.azure.setGuest(
        seconds: 0, verdict: "done", files: ["/var/lib/cf-bench/provisioned.json": #"{"schema":1}"#])
      let limits = ["--set", "azure.idle-limit=30m", "--set", "azure.hard-limit=2h"]
      let dry = try await provision(testbed, ["--dry-run"] + limits)
      #expect(dry.output.contains("for each hour that it is on"), "\(dry.output)")
      _ = try await provision(testbed, limits)
      try testbed.expectClean()
      let sent = try String(contentsOfFile: try testbed.vm.folder + "/var/lib/cloud/user-data", encoding: .utf8)
      #expect(sent.contains("CF_BENCH_IDLE_SECONDS=1800\n      CF_BENCH_HARD_SECONDS=7200"))
      let changes = try testbed.changes
      #expect(changes.count > 15)
      for request in changes {
        let words = Self.words(of: request)
        #expect(words != nil && dry.output.contains(words ?? ""), "\(request): \(words ?? "no words")")
      }
    }
  }

  /// How a person asks for that request.
  private static func words(of request: String) -> String? {
    let table = [
      ("PUT .*/deployments/", "az vm create"), ("PUT .*/securityRules/", "az network nsg rule create"),
      ("DELETE .*/securityRules/", "az network nsg rule delete"), ("PUT .*/networkSecurityGroups/[^/]*$", "nsg create"),
      ("PUT .*/virtualNetworks/", "vnet create"), ("PUT .*/publicIPAddresses/", "public-ip create"),
      ("PUT .*/networkInterfaces/", "nic create"), ("PUT .*/roleDefinitions/", "role definition create"),
      ("PUT .*/roleAssignments/", "role assignment create"), ("PUT .*/schedules/", "vm auto-shutdown"),
      ("POST .*/runCommand$", "vm run-command invoke"), ("POST .*/deallocate$", "vm deallocate"),
      ("PATCH .*/tags/default$", "tag update"), ("PUT /subscriptions/[^/]*/resource[Gg]roups/[^/]*$", "group create"),
    ]
    return table.first { request.range(of: $0.0, options: [.regularExpression, .caseInsensitive]) != nil }?.1
  }

  @Test("a machine that dies while Azure makes the VM, its az too: reap waits for the VM and stops it", .thorough)
  func lost() async throws {
    var options = StandInAzure.Options()
    options.startSeconds = 4
    try await AzureTestbed.with(options, isProvisioned: false) { testbed in
      _ = try await testbed.whileRunning(["provision"]) { [testbed] pid in
        try await testbed.wait("the VM", seconds: 180) { try testbed.azure.power() == "starting" }
        for process in ProcessFamily.of(pid) { kill(process, SIGKILL) }
      }
      // Azure shows it a moment later only.
      var hidden = StandInAzure.Fault(.status, path: "/virtualMachines/cf-bench$")
      (hidden.method, hidden.status, hidden.code, hidden.times) = ("GET", 404, "ResourceNotFound", 1)
      try testbed.azure.fault(hidden)
      let reaped = try await testbed.bench(["reap"])
      #expect(reaped.status == 0, "\(reaped.output)\(reaped.error)")
      #expect(reaped.output.contains("deallocated"), "\(reaped.output)\(reaped.error)")
      try testbed.expectClean("\(reaped.error)")
    }
  }
}

extension AzureTestbed {
  /// Requests that changed something, but for those of the stand-in's own clients.
  fileprivate var changes: [String] {
    get throws {
      try azure.requests().filter { $0.method != "GET" && $0.path.hasPrefix("/subscriptions/") }
        .map { "\($0.method) \($0.path)" }
    }
  }
}
