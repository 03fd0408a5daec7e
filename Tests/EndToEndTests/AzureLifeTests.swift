import Foundation
import TestSupport
import Testing

@Suite("A VM is on for as long as somebody needs it, and then off")
struct AzureLifeTests {
  @Test("a run starts the VM, measures, and stops it; the VM is proved off before the command ends")
  func run() async throws {
    try await AzureRig.with(isQuick: false) { rig in
      let result = try await rig.bench(["compare", "path:slow", "path:fast", "--layers", "startup"])
      #expect(result.status == 0, "\(result.error)")
      #expect(result.error.contains("starting the VM CF-BENCH-RG/cf-bench (Standard_D4s_v5, westus2)"))
      #expect(result.error.contains("the VM is deallocated"))
      try rig.expectClean()
      let changes = try rig.azure.powerChanges().map(\.power)
      #expect(changes.suffix(4) == ["starting", "running", "deallocating", "deallocated"])
      #expect(try rig.rig.read("state/ledger.ndjson").contains("\"outcome\":\"deallocated\""))
      // The lease stood before the start was asked for.
      let asked = try rig.azure.requests().filter { $0.method != "GET" }.map(\.path)
      let lease = try #require(asked.firstIndex { $0.hasSuffix("/tags/default") })
      let start = try #require(asked.firstIndex { $0.hasSuffix("/start") })
      #expect(lease < start)
    }
  }

  @Test("start leaves it on under a lease, a run then uses it and leaves it on, stop ends it")
  func kept() async throws {
    try await AzureRig.with { rig in
      let started = try await rig.bench(["start", "--for", "30", "--json"])
      #expect(started.status == 0, "\(started.error)")
      #expect(started.output.contains("\"wasOn\" : false"))
      #expect(rig.intents == [])
      let run = try await rig.bench(AzureRig.shortRun)
      #expect(run.status == 0, "\(run.error)")
      #expect(run.error.contains("left on for"))
      #expect(try rig.vm.power == "running")
      #expect(try rig.leases.count == 1)
      let status = try await rig.bench(["status"])
      #expect(status.output.contains("is running") && status.output.contains("kept on for"))
      let stopped = try await rig.bench(["stop"])
      #expect(stopped.status == 0, "\(stopped.error)")
      #expect(stopped.output.contains("is deallocated"))
      try rig.expectClean()
    }
  }

  @Test("--keep-running leaves it on after a run, for as long as was said")
  func keepRunning() async throws {
    try await AzureRig.with { rig in
      let run = try await rig.bench(AzureRig.shortRun + ["--keep-running", "10"])
      #expect(run.status == 0, "\(run.error)")
      #expect(run.error.contains("kept on until"))
      #expect(try rig.vm.power == "running")
      #expect(try rig.vm.tags.values.contains { $0.contains("kind=keep") })
      #expect(rig.intents == [])
    }
  }

  @Test("two controllers on one VM: the first to end leaves it on for the other")
  func two() async throws {
    try await AzureRig.with { rig in
      var other = rig
      other.rig.environment["CF_BENCH_STATE"] = rig.rig.folder + "/state-of-another"
      let long = ["run", "path:slow", "--layers", "startup", "--set", "startup.blocks=40"]
      let slow = try await other.whileRunning(long) { [rig] _ in
        try await rig.wait("the first to have the VM") { try rig.vm.power == "running" }
        let quick = try await rig.bench(["start", "--for", "1"])
        #expect(quick.status == 0, "\(quick.error)")
        let stopped = try await rig.bench(["stop"])
        #expect(stopped.output.contains("left on for"), "\(stopped.output)\(stopped.error)")
        #expect(stopped.status == 4)
        #expect(try rig.vm.power == "running")
      }
      #expect(slow.status == 0, "\(slow.error)")
      try other.expectClean()
      // It was on without a break.
      #expect(try rig.azure.powerChanges().filter { $0.power == "deallocated" && $0.why == "deallocate" }.count == 1)
    }
  }

  @Test("a stale controller, which wakes up when its lease is over and taken away, does not stop another's VM")
  func stale() async throws {
    try await AzureRig.with { rig in
      var other = rig
      other.rig.environment["CF_BENCH_STATE"] = rig.rig.folder + "/state-of-another"
      _ = try await rig.whileRunning(["run", "path:slow", "--layers", "startup", "--set", "startup.blocks=3"]) {
        [rig, other] pid in
        try await rig.wait("a first sample") { rig.hasEvents }
        kill(pid, SIGSTOP)
        // Its lease ends, and a reaper of somebody else takes it away, as after a long sleep of a laptop.
        let tag = try #require(try rig.leases.first)
        try await rig.setTags([tag: "until=2020-01-01T00:00:00Z;generation=1;kind=run;owner=sleeper"])
        let reaped = try await other.bench(["reap"])
        #expect(reaped.status == 0, "\(reaped.error)")
        #expect(try rig.vm.power == "deallocated")
        let started = try await other.bench(["start", "--for", "5"])
        #expect(started.status == 0, "\(started.error)")
        kill(pid, SIGCONT)
      }
      #expect(try rig.vm.power == "running")
      #expect(try rig.leases.count == 1)
    }
  }

  @Test("a cancel at any moment has the stop asked for within five seconds, and ends with 130", arguments: [0, 1, 2])
  func cancelled(phase: Int) async throws {
    try await AzureRig.with(isQuick: false) { rig in
      let result = try await rig.whileRunning(["run", "path:slow", "--layers", "startup", "--set", "startup.blocks=60"])
      {
        [rig] pid in
        switch phase {
        case 0: try await rig.wait("the lease") { try !rig.leases.isEmpty }
        case 1: try await rig.wait("the start") { try rig.vm.power == "starting" }
        default: try await rig.wait("samples") { rig.hasEvents }
        }
        let cancelled = Date.now
        kill(pid, SIGINT)
        try await rig.wait("the stop") {
          try rig.azure.requests().contains { $0.path.hasSuffix("/deallocate") } || rig.intents.isEmpty
        }
        #expect(Date.now.timeIntervalSince(cancelled) < 5)
      }
      #expect(result.status == 130, "\(result.error)")
      try rig.expectClean()
    }
  }

  @Test("settings of a VM that is not there, or of a key that it does not take, leave nothing behind")
  func refused() async throws {
    try await AzureRig.with { rig in
      let missing = try await rig.bench(["start"], extra: ["CF_BENCH_AZURE_VM": "nope"])
      #expect(missing.status == 3)
      #expect(missing.error.contains("the VM is not there") && missing.error.contains("cf-bench provision"))
      _ = try await rig.rig.tool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", rig.rig.folder + "/other"])
      let refused = try await rig.bench(["start"], extra: ["CF_BENCH_SSH_IDENTITY": rig.rig.folder + "/other"])
      #expect(refused.status == 3)
      #expect(refused.error.contains("refuses the key"))
      try rig.expectClean()
    }
  }

  @Test("another host key than the one learned through Azure: no login is tried, nothing is left on")
  func hostKey() async throws {
    try await AzureRig.with { rig in
      let key = try rig.rig.read("key.pub").split(separator: " ").prefix(2).joined(separator: " ")
      try await rig.setTags(["cf-bench-host-key": key])
      let result = try await rig.bench(["start"])
      #expect(result.status == 3)
      #expect(result.error.contains("host key"), "\(result.error)")
      try rig.expectClean()
    }
  }
}

extension AzureRig {
  /// Whether a run has put samples on this disk.
  var hasEvents: Bool {
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: rig.folder + "/results")) ?? []
    return folders.contains { folder in
      (try? rig.read("results/\(folder)/events.ndjson"))?.contains("\"type\":\"sample\"") == true
    }
  }
}
