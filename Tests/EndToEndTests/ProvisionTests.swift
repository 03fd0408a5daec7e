import Foundation
import TestSupport
import Testing

@Suite("Provisioning makes a VM that is off, closed and known, and can be repeated and undone")
struct ProvisionTests {
  private func withEmptySubscription(_ body: (AzureRig) async throws -> Void) async throws {
    try await AzureRig.with(isProvisioned: false) { rig in
      try rig.azure.setGuest(
        seconds: 1, verdict: "done", files: ["/var/lib/cf-bench/provisioned.json": #"{"schema":1}"#])
      try await body(rig)
    }
  }

  private func changes(_ rig: AzureRig) throws -> [String] {
    try rig.azure.requests().filter { $0.method != "GET" && $0.path.hasPrefix("/subscriptions/") }.map {
      "\($0.method) \($0.path)"
    }
  }

  @Test(
    "from nothing to a VM that is off: key learned through Azure, no port open, its right on itself alone, tools there")
  func provision() async throws {
    try await withEmptySubscription { rig in
      let dry = try await rig.bench(["provision", "--dry-run"])
      #expect(dry.status == 0, "\(dry.error)")
      #expect(try changes(rig).isEmpty)
      let result = try await rig.bench(["provision"])
      #expect(result.status == 0, "\(result.error)")
      try rig.expectClean("\(result.error)")
      let (vm, state) = (try rig.vm, try rig.azure.state())
      // The pinned key is the VM's own.
      let key = try String(contentsOfFile: vm.folder + "/etc/ssh/ssh_host_ed25519_key.pub", encoding: .utf8)
        .split(separator: " ").prefix(2).joined(separator: " ")
      #expect(vm.tags["cf-bench-host-key"] == key)
      let pins = try #require(FileManager.default.enumerator(atPath: rig.rig.folder + "/state/azure"))
        .compactMap { $0 as? String }.filter { $0.hasSuffix("host_key") }
      #expect(try rig.rig.read("state/azure/\(try #require(pins.first))") == key + "\n")
      // Custom data is the file that lies in the checkout.
      let custom = try Data(contentsOf: URL(filePath: vm.folder + "/var/lib/cloud/user-data"))
      #expect(custom == (try Data(contentsOf: URL(filePath: Rig.packageRoot + "/cloud-init.yaml"))))
      let assignments = state.resources.values.filter { $0.type.hasSuffix("/roleAssignments") }
      #expect(assignments.count == 1)
      #expect(assignments.allSatisfy { $0.id.contains("/virtualMachines/cf-bench/providers/") })
      #expect(FileManager.default.isExecutableFile(atPath: vm.folder + "/bench/bin/cf-bench-agent"))
      #expect(FileManager.default.isExecutableFile(atPath: vm.folder + "/bench/bin/cf-bench"))
      // What was made is what the dry run said.
      let unnamed = ["/roleAssignments", "/deployments"]  // named by Azure and by az
      for made in state.resources.values where !unnamed.contains(where: { made.type.hasSuffix($0) }) {
        let name = made.name.hasPrefix("shutdown-computevm") ? "auto-shutdown" : made.name
        #expect(dry.output.contains(name) || made.type.hasSuffix("roleDefinitions"), "\(made.type) \(made.name)")
      }

      let before = try changes(rig).count
      let again = try await rig.bench(["provision"])
      #expect(again.status == 0, "\(again.error)")
      #expect(again.output.contains("everything was there already"))
      #expect(try changes(rig).count == before)

      let run = try await rig.bench(AzureRig.shortRun)
      #expect(run.status == 0, "\(run.error)")
      try rig.expectClean()

      try await runByHand(rig)

      let refused = try await rig.bench(["deprovision"])
      #expect(refused.status == 2)
      #expect(refused.error.contains("This removes for good:") && refused.error.contains("--yes"))
      #expect(try rig.azure.state().vms.count == 1)
      let removed = try await rig.bench(["deprovision", "--yes"])
      #expect(removed.status == 0, "\(removed.error)")
      #expect(try rig.azure.state().resources.values.map(\.name) == [])
      let nothing = try await rig.bench(["deprovision", "--yes"])
      #expect(nothing.status == 0, "\(nothing.error)")
      #expect(nothing.output.contains("nothing to remove"), "\(nothing.output)")
    }
  }

  /// As a person does on the VM: a script of ~/bench, over plain ssh.
  private func runByHand(_ rig: AzureRig) async throws {
    let started = try await rig.bench(["start", "--for", "5"])
    #expect(started.status == 0, "\(started.error)")
    let folder = rig.rig.folder
    let command =
      "bash $CF_BENCH_BENCH/bench_all.sh path:\(folder)/fast --layers startup --config \(folder)/cf-bench.yaml"
      + " --results \(folder)/by-hand"
    let byHand = try await rig.rig.tool(
      "ssh",
      [
        "-p", "\(rig.azure.ready.sshPort)", "-i", folder + "/key", "-o", "BatchMode=yes", "-o",
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
    let stopped = try await rig.bench(["stop"])
    #expect(stopped.status == 0, "\(stopped.error)")
    try rig.expectClean()
  }

  @Test("a first boot that fails says which step and why, and the VM is stopped")
  func bootFails() async throws {
    try await AzureRig.with(isProvisioned: false) { rig in
      try rig.azure.setGuest(
        seconds: 1, verdict: "error", errors: ["runcmd failed"],
        files: ["/var/lib/cf-bench/failed.json": #"{"schema":1,"step":"hyperfine","words":"no pinned SHA-256"}"#])
      let result = try await rig.bench(["provision"])
      #expect(result.status == 3)
      #expect(
        result.error.contains("failed at the step 'hyperfine'") && result.error.contains("no pinned SHA-256"),
        "\(result.error)")
      try rig.expectClean("\(result.error)")
    }
  }

  @Test(
    "a step that Azure refuses ends with its words, and nothing is left on or claimed",
    arguments: [
      ("SkuNotAvailable", "virtualMachines/cf-bench|deployments", "can't be had in the region"),
      ("QuotaExceeded", "virtualMachines/cf-bench|deployments", "quota"),
      ("AuthorizationFailed", "roleAssignments", "may not do that"),
    ])
  func refused(code: String, path: String, words: String) async throws {
    try await withEmptySubscription { rig in
      var fault = StandInAzure.Fault(.status, path: path)
      (fault.method, fault.status, fault.code) = ("PUT", code == "AuthorizationFailed" ? 403 : 409, code)
      fault.message = "The client does not have authorization to perform action 'x/write' over scope '/y'"
      try rig.azure.fault(fault)
      let result = try await rig.bench(["provision"])
      #expect(result.status == 3, "\(result.error)")
      #expect(result.error.contains(words), "\(result.error)")
      #expect(rig.intents == [])
      if let vm = try rig.azure.state().vms.first { #expect(vm.power == "deallocated") }
    }
  }
}
