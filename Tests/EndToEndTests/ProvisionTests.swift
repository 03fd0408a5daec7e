import Foundation
import TestSupport
import Testing

@Suite("Provisioning makes a VM that is off, closed and known, and can be repeated and undone", .longPrograms)
struct ProvisionTests {
  private func withEmptySubscription(_ body: (AzureTestbed) async throws -> Void) async throws {
    try await AzureTestbed.with(isProvisioned: false) { testbed in
      try testbed.azure.setGuest(
        seconds: 1, verdict: "done", files: ["/var/lib/cf-bench/provisioned.json": #"{"schema":1}"#])
      try await body(testbed)
    }
  }

  private func changes(_ testbed: AzureTestbed) throws -> [String] {
    try testbed.azure.requests().filter { $0.method != "GET" && $0.path.hasPrefix("/subscriptions/") }.map {
      "\($0.method) \($0.path)"
    }
  }

  @Test(
    "from nothing to a VM that is off: key learned through Azure, no port open, its right on itself alone, tools there")
  func provision() async throws {
    try await withEmptySubscription { testbed in
      let dry = try await testbed.bench(["provision", "--dry-run"])
      #expect(dry.status == 0, "\(dry.error)")
      #expect(try changes(testbed).isEmpty)
      let result = try await testbed.bench(["provision"])
      #expect(result.status == 0, "\(result.error)")
      try testbed.expectClean("\(result.error)")
      let (vm, state) = (try testbed.vm, try testbed.azure.state())
      // The pinned key is the VM's own.
      let key = try String(contentsOfFile: vm.folder + "/etc/ssh/ssh_host_ed25519_key.pub", encoding: .utf8)
        .split(separator: " ").prefix(2).joined(separator: " ")
      #expect(vm.tags["cf-bench-host-key"] == key)
      let pins = try #require(FileManager.default.enumerator(atPath: testbed.testbed.folder + "/state/azure"))
        .compactMap { $0 as? String }.filter { $0.hasSuffix("host_key") }
      #expect(try testbed.testbed.read("state/azure/\(try #require(pins.first))") == key + "\n")
      // Custom data is the file that lies in the checkout.
      let custom = try Data(contentsOf: URL(filePath: vm.folder + "/var/lib/cloud/user-data"))
      #expect(custom == (try Data(contentsOf: URL(filePath: Testbed.packageRoot + "/cloud-init.yaml"))))
      let assignments = state.resources.values.filter { $0.type.hasSuffix("/roleAssignments") }
      #expect(assignments.count == 1)
      #expect(assignments.allSatisfy { $0.id.contains("/virtualMachines/cf-bench/providers/") })
      #expect(FileManager.default.isExecutableFile(atPath: vm.folder + "/bench/bin/cf-bench-agent"))
      #expect(FileManager.default.isExecutableFile(atPath: vm.folder + "/bench/bin/cf-bench"))
      #expect(FileManager.default.fileExists(atPath: vm.folder + "/bench/fixtures/depot/opportunities.json"))
      // What was made is what the dry run said.
      let unnamed = ["/roleAssignments", "/deployments"]  // named by Azure and by az
      for made in state.resources.values where !unnamed.contains(where: { made.type.hasSuffix($0) }) {
        let name = made.name.hasPrefix("shutdown-computevm") ? "auto-shutdown" : made.name
        #expect(dry.output.contains(name) || made.type.hasSuffix("roleDefinitions"), "\(made.type) \(made.name)")
      }

      let before = try changes(testbed).count
      let again = try await testbed.bench(["provision"])
      #expect(again.status == 0, "\(again.error)")
      #expect(again.output.contains("everything was there already"))
      #expect(try changes(testbed).count == before)

      let run = try await testbed.bench(AzureTestbed.shortRun)
      #expect(run.status == 0, "\(run.error)")
      try testbed.expectClean()

      try await runByHand(testbed)

      let refused = try await testbed.bench(["deprovision"])
      #expect(refused.status == 2)
      #expect(refused.error.contains("This removes for good:") && refused.error.contains("--yes"))
      #expect(try testbed.azure.state().vms.count == 1)
      let removed = try await testbed.bench(["deprovision", "--yes"])
      #expect(removed.status == 0, "\(removed.error)")
      #expect(try testbed.azure.state().resources.values.map(\.name) == [])
      let nothing = try await testbed.bench(["deprovision", "--yes"])
      #expect(nothing.status == 0, "\(nothing.error)")
      #expect(nothing.output.contains("nothing to remove"), "\(nothing.output)")
    }
  }

  /// As a person does on the VM: a script of ~/bench, over plain ssh.
  private func runByHand(_ testbed: AzureTestbed) async throws {
    let started = try await testbed.bench(["start", "--for", "5"])
    #expect(started.status == 0, "\(started.error)")
    let folder = testbed.testbed.folder
    let command =
      "bash $CF_BENCH_BENCH/bench_all.sh path:\(folder)/fast --layers startup --config \(folder)/cf-bench.yaml"
      + " --results \(folder)/by-hand"
    let byHand = try await testbed.testbed.tool(
      "ssh",
      [
        "-p", "\(testbed.azure.ready.sshPort)", "-i", folder + "/key", "-o", "BatchMode=yes", "-o",
        "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "127.0.0.1", command,
      ])
    #expect(byHand.status == 0, "\(byHand.error)")
    func files(_ parent: String) throws -> [String] {
      let run = try #require(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(parent)").sorted().last)
      // What a VM cost stands only where cf-bench had one.
      return try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(parent)/\(run)")
        .filter { $0 != "cost.json" }.sorted()
    }
    #expect(try files("by-hand") == (try files("results")))
    let stopped = try await testbed.bench(["stop"])
    #expect(stopped.status == 0, "\(stopped.error)")
    try testbed.expectClean()
  }
}
