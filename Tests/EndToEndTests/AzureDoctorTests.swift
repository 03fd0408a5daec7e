import Foundation
import TestSupport
import Testing

/// What `doctor --json` said.
struct Examined: Decodable {
  struct Check: Decodable {
    var id: String
    var status: String
    var detail: String
    var fix: String?
  }
  var checks: [Check]

  func ids(_ statuses: String...) -> [String] { checks.filter { statuses.contains($0.status) }.map(\.id) }
  /// What is wrong with the chain; how this machine's load is, as a VM, is not its matter.
  var unwell: [String] { ids("failed", "warning").filter { !$0.hasPrefix("far.") || $0 == "far.watchdog" } }
  subscript(id: String) -> Check? { checks.first { $0.id == id } }
}

extension Trait where Self == Lane {
  /// Each doctor keeps several `az` at work, and each `az` a core.
  static var doctors: Lane { .atMost(2, "doctors of Azure") }
}

extension AzureTestbed {
  func doctor(_ more: [String] = [], extra: [String: String] = [:]) async throws -> (Examined, Testbed.Result) {
    let result = try await bench(["doctor", "--json"] + more, extra: extra)
    return (try JSONDecoder().decode(Examined.self, from: Data(result.output.utf8)), result)
  }

  /// Runs a line that doctor printed, as somebody would who pastes it.
  func paste(_ line: String) async throws -> Testbed.Result {
    let own = "\(try BuiltProduct.path("cf-bench").dropLast("/cf-bench".count))"
    var testbed = testbed
    testbed.environment["PATH"] = "\(own):\(testbed.environment["PATH"] ?? "")"
    return try await testbed.tool("sh", ["-c", line])
  }

  func az(_ arguments: [String]) async throws {
    let result = try await testbed.tool("az", arguments)
    try #require(result.status == 0, "az \(arguments): \(result.error)")
  }

  /// A program of the testbed's own, found before all others.
  func place(_ name: String, _ script: String) throws -> String {
    try FileManager.default.createDirectory(atPath: testbed.folder + "/own", withIntermediateDirectories: true)
    let path = "\(testbed.folder)/own/\(name)"
    try placeProgram("#!/bin/sh\n\(script)\n", at: path)
    return path
  }

  /// What the VM answers when its watchdog's timer is asked for.
  func setTimer(_ state: String) throws {
    try placeProgram("#!/bin/sh\necho \(state)\n", at: vm.folder + "/bin/systemctl")
  }

  func changesByUser() throws -> [String] {
    try azure.requests().filter { !["GET", "HEAD"].contains($0.method) && $0.path.hasPrefix("/subscriptions/") }
      .map { "\($0.method) \($0.path)" }
  }
}

@Suite("doctor sees what is wrong with Azure, says only that, and how to mend it", .doctors, .longPrograms)
struct AzureDoctorTests {
  @Test("all is well: every link of the chain is looked at, nothing is changed, and the VM stays off")
  func allWell() async throws {
    try await AzureTestbed.with { testbed in
      let (seen, result) = try await testbed.doctor()
      #expect(result.status == 0, "\(result.output)")
      #expect(
        seen.checks.map(\.id) == [
          "here.git", "here.tar", "here.agent", "azure.az", "azure.curl", "azure.sign-in", "azure.subscription",
          "azure.role", "azure.vm", "azure.quota", "azure.identity", "azure.lease", "azure.nsg", "azure.address",
          "azure.host-key", "azure.key", "azure.intents", "azure.clock", "azure.auto-shutdown", "far.connection",
        ])
      #expect(seen.ids("warning", "failed") == [], "\(result.output)")
      #expect(seen.ids("skipped") == ["far.connection"])
      #expect(seen["far.connection"]?.fix?.contains("doctor --start") == true)
      #expect(seen["azure.vm"]?.detail == "CF-BENCH-RG/cf-bench, Standard_D4s_v5 in westus2, deallocated")
      #expect(seen["azure.address"]?.detail == "127.0.0.1 (static); this machine is let in as 127.0.0.1/32")
      #expect(try testbed.changesByUser() == [])
      try testbed.expectClean()
      // Beside a run: who has the VM, and the VM from inside.
      let started = try await testbed.bench(["start", "--for", "30"])
      #expect(started.status == 0, "\(started.error)")
      try testbed.setTimer("active")
      let changes = try testbed.changesByUser()
      let (on, output) = try await testbed.doctor()
      #expect(on["azure.lease"]?.status == "ok" && on["azure.lease"]?.detail.hasPrefix("held by ") == true)
      #expect(on["azure.nsg"]?.detail.contains("127.0.0.1/32 until") == true)
      #expect(on["far.connection"]?.status == "ok", "\(output.output)")
      #expect(on["far.watchdog"]?.status == "ok" && on["far.clock"]?.status == "ok")
      #expect(on.checks.contains { $0.id == "far.disk" } && on["far.python-3.12"] != nil)
      #expect(try testbed.changesByUser() == changes)
      try testbed.setTimer("inactive")
      let (unwatched, _) = try await testbed.doctor()
      #expect(unwatched["far.watchdog"]?.status == "warning")
      #expect(unwatched["far.watchdog"]?.fix?.hasPrefix("ssh cfadmin@127.0.0.1 sudo systemctl enable") == true)
    }
  }

  @Test("the least role, as doctor prints it, is enough for all of a VM's life")
  func leastRole() async throws {
    var options = StandInAzure.Options()
    options.enforcesRules = true
    try await AzureTestbed.with(options) { testbed in
      try testbed.azure.allow(["Microsoft.Compute/virtualMachines/read"])
      let (poor, _) = try await testbed.doctor()
      #expect(poor["azure.role"]?.status == "failed")
      let line = try #require(
        poor["azure.role"]?.fix?.split(separator: "\n").first { $0.contains("definition create") })
      let json = try #require(line.firstRange(of: "{").map { line[$0.lowerBound...].dropLast() })
      struct Definition: Decodable { var Actions: [String] }
      let role = try JSONDecoder().decode(Definition.self, from: Data(String(json).utf8))
      try testbed.azure.allow(role.Actions)
      let (seen, result) = try await testbed.doctor(["--start"])
      #expect(seen.ids("failed") == [], "\(result.output)")
      #expect(seen["azure.role"]?.status == "ok")
      #expect(seen["far.connection"]?.status == "ok", "\(result.output)")
      // What it can't look at it does not call wrong.
      #expect(seen.ids("skipped") == ["azure.quota", "azure.identity", "azure.auto-shutdown"])
      try testbed.expectClean("\(result.error)")
      #expect(try testbed.azure.powerChanges().map(\.power).suffix(2) == ["deallocating", "deallocated"])
    }
  }

  @Test("whoever has no Azure is not left alone: each of the ways says how to measure here")
  func stranded() async throws {
    try await AzureTestbed.with(isProvisioned: false) { testbed in
      let folder = testbed.testbed.folder + "/nobody"
      _ = try testbed.azure.control("POST", "config", Data(#"{"folder":"\#(folder)","sign_in":"none"}"#.utf8))
      let ways: [(String, [String: String], Int32)] = [
        ("can't be started", ["CF_BENCH_AZ": "/nowhere/az"], 2),
        ("nobody is signed in", ["AZURE_CONFIG_DIR": folder], 2), ("is not there", [:], 3),
      ]
      for (words, extra, status) in ways {
        let result = try await testbed.bench(["compare", "path:slow", "path:fast"], extra: extra)
        #expect(result.status == status, "\(result.error)")
        #expect(result.error.contains("error: ") && result.error.contains(words), "\(result.error)")
        #expect(result.error.contains("--machine local"), "\(result.error)")
        let doctor = try await testbed.bench(["doctor", "--quiet"], extra: extra)
        #expect(doctor.status == 3 && doctor.output.contains("--machine local"), "\(doctor.output)")
      }
    }
  }
}
