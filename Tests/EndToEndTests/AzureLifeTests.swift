import Foundation
import TestSupport
import Testing

@Suite("A VM is on for as long as somebody needs it, and then off", .longPrograms)
struct AzureLifeTests {
  @Test(
    "start leaves it on under a lease, a run then uses it and leaves it on for as long as it was told, stop ends it")
  func kept() async throws {
    try await AzureTestbed.with { testbed in
      let started = try await testbed.bench(["start", "--for", "30", "--json"])
      #expect(started.status == 0, "\(started.error)")
      #expect(started.output.contains("\"wasOn\" : false"))
      #expect(testbed.intents == [])
      let run = try await testbed.bench(AzureTestbed.shortRun + ["--keep-running", "10"])
      #expect(run.status == 0, "\(run.error)")
      #expect(run.error.contains("kept on until"))
      #expect(try testbed.vm.power == "running")
      #expect(try testbed.leases.count == 2 && testbed.intents == [])
      let status = try await testbed.bench(["status"])
      #expect(status.output.contains("is running") && status.output.contains("kept on for"))
      let stopped = try await testbed.bench(["stop"])
      #expect(stopped.status == 0, "\(stopped.error)")
      #expect(stopped.output.contains("is deallocated"))
      try testbed.expectClean()
    }
  }

  @Test("two controllers on one VM: the first to end leaves it on for the other", .thorough)
  func two() async throws {
    try await AzureTestbed.with { testbed in
      var other = testbed
      other.testbed.environment["CF_BENCH_STATE"] = testbed.testbed.folder + "/state-of-another"
      let long = ["run", "path:slow", "--layers", "startup", "--set", "startup.blocks=40"]
      let slow = try await other.whileRunning(long) { [testbed] _ in
        try await testbed.wait("the first to have the VM") { try testbed.vm.power == "running" }
        let quick = try await testbed.bench(["start", "--for", "1"])
        #expect(quick.status == 0, "\(quick.error)")
        let stopped = try await testbed.bench(["stop"])
        #expect(stopped.output.contains("left on for"), "\(stopped.output)\(stopped.error)")
        #expect(stopped.status == 4)
        #expect(try testbed.vm.power == "running")
      }
      #expect(slow.status == 0, "\(slow.error)")
      try other.expectClean()
      // It was on without a break.
      #expect(
        try testbed.azure.powerChanges().filter { $0.power == "deallocated" && $0.why == "deallocate" }.count == 1)
    }
  }

  @Test(
    "a stale controller, which wakes up when its lease is over and taken away, does not stop another's VM", .thorough)
  func stale() async throws {
    try await AzureTestbed.with { testbed in
      var other = testbed
      other.testbed.environment["CF_BENCH_STATE"] = testbed.testbed.folder + "/state-of-another"
      _ = try await testbed.whileRunning(["run", "path:slow", "--layers", "startup", "--set", "startup.blocks=3"]) {
        [testbed, other] pid in
        try await testbed.wait("a first sample") { testbed.hasEvents }
        kill(pid, SIGSTOP)
        // Its lease ends, and a reaper of somebody else takes it away, as after a long sleep of a laptop.
        let tag = try #require(try testbed.leases.first)
        try await testbed.setTags([tag: "until=2020-01-01T00:00:00Z;generation=1;kind=run;owner=sleeper"])
        let reaped = try await other.bench(["reap"])
        #expect(reaped.status == 0, "\(reaped.error)")
        #expect(try testbed.vm.power == "deallocated")
        let started = try await other.bench(["start", "--for", "5"])
        #expect(started.status == 0, "\(started.error)")
        kill(pid, SIGCONT)
      }
      #expect(try testbed.vm.power == "running")
      #expect(try testbed.leases.count == 1)
    }
  }

  @Test(
    "a cancel at any moment has the stop asked for, and ends with 130; how soon is shown at the model of Azure",
    arguments: Thoroughness.cases([2, 0, 1], each: 3))
  func cancelled(phase: Int) async throws {
    try await AzureTestbed.with(isQuick: false) { testbed in
      let result = try await testbed.whileRunning([
        "run", "path:slow", "--layers", "startup", "--set", "startup.blocks=60",
      ]) {
        [testbed] pid in
        switch phase {
        case 0: try await testbed.wait("the lease") { try !testbed.leases.isEmpty }
        case 1: try await testbed.wait("the start") { try testbed.vm.power == "starting" }
        default: try await testbed.wait("samples") { testbed.hasEvents }
        }
        kill(pid, SIGINT)
        try await testbed.wait("the stop") {
          try testbed.azure.requests().contains { $0.path.hasSuffix("/deallocate") } || testbed.intents.isEmpty
        }
      }
      #expect(result.status == 130, "\(result.error)")
      try testbed.expectClean()
    }
  }

  @Test(
    "a VM that is not there, a key that it does not take, a host key that is not its own: no login, nothing left on")
  func refused() async throws {
    try await AzureTestbed.with { testbed in
      let missing = try await testbed.bench(["start"], extra: ["CF_BENCH_AZURE_VM": "nope"])
      #expect(missing.status == 3)
      #expect(missing.error.contains("the VM is not there") && missing.error.contains("cf-bench provision"))
      _ = try await testbed.testbed.tool(
        "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", testbed.testbed.folder + "/other"])
      let refused = try await testbed.bench(
        ["start"], extra: ["CF_BENCH_SSH_IDENTITY": testbed.testbed.folder + "/other"])
      #expect(refused.status == 3)
      #expect(refused.error.contains("refuses the key"))
      try testbed.expectClean()
      // Another host key than the one learned through Azure.
      let key = try testbed.testbed.read("key.pub").split(separator: " ").prefix(2).joined(separator: " ")
      try await testbed.setTags(["cf-bench-host-key": key])
      let result = try await testbed.bench(["start"])
      #expect(result.status == 3)
      #expect(result.error.contains("host key"), "\(result.error)")
      try testbed.expectClean()
    }
  }
}

extension AzureTestbed {
  /// Whether a run has put samples on this disk.
  var hasEvents: Bool {
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: testbed.folder + "/results")) ?? []
    return folders.contains { folder in
      (try? testbed.read("results/\(folder)/events.ndjson"))?.contains("\"type\":\"sample\"") == true
    }
  }
}
