import Foundation
import TestSupport
import Testing

/// One thing that is broken, and what doctor has to make of it.
struct Breakage: Sendable, CustomTestStringConvertible {
  typealias Break = @Sendable (AzureTestbed) async throws -> [String: String]

  enum Mend: Sendable {
    /// The fix is for a person: only its words are held against these.
    case words([String])
    /// The printed line mends it.
    case paste
    /// As ``paste``, the line being this word for word.
    case exactly(String)
  }

  var id: String
  var what: String
  var status = "warning"
  var detail: String
  var mend: Mend
  /// What can't be looked at for it.
  var skipped = ["far.connection"]
  var arguments: [String] = []
  var inject: Break
  var testDescription: String { "\(id): \(what)" }

  static let afterVM = [
    "azure.quota", "azure.identity", "azure.lease", "azure.nsg", "azure.address", "azure.host-key",
    "azure.auto-shutdown", "far.connection",
  ]
  static let afterSubscription = ["azure.role", "azure.vm"] + afterVM
  static let afterSignIn = ["azure.subscription"] + afterSubscription
  static let afterAz = ["azure.sign-in"] + afterSignIn + ["azure.clock"]

  static let table = tool + signIn + machine + network + here

  private static func wrapped(_ call: String, _ script: String) -> Break {
    { testbed in
      ["CF_BENCH_AZ": try testbed.place("wrapped-az", "case \"$*\" in \(call)*) \(script) ;; esac\nexec az \"$@\"")]
    }
  }

  private static func config(_ body: String) -> Break {
    { testbed in
      let folder = testbed.testbed.folder + "/another-azure"
      _ = try testbed.azure.control("POST", "config", Data(body.replacing("FOLDER", with: folder).utf8))
      return ["AZURE_CONFIG_DIR": folder]
    }
  }

  private static func rule(_ name: String, from source: String, description: String) -> Break {
    { testbed in
      try await testbed.az([
        "network", "nsg", "rule", "create", "--resource-group", "CF-BENCH-RG", "--nsg-name", "cf-bench-nsg", "--name",
        name, "--priority", "900", "--access", "Allow", "--direction", "Inbound", "--protocol", "Tcp",
        "--source-address-prefixes", source, "--destination-port-ranges", "22", "--description", description,
      ])
      return [:]
    }
  }

  private static let tool = [
    Breakage(
      id: "azure.az", what: "not there", status: "failed", detail: "'/nowhere/az' can't be started",
      mend: .words(["aka.ms/azure-cli", "--machine local"]), skipped: afterAz,
      inject: { _ in ["CF_BENCH_AZ": "/nowhere/az"] }),
    Breakage(
      id: "azure.az", what: "too old", status: "failed", detail: "2.45.0 is too old: 2.60 is the least",
      mend: .words(["az upgrade"]), skipped: afterAz,
      inject: wrapped("version", #"echo '{"azure-cli": "2.45.0", "extensions": {}}'; exit 0"#)),
    Breakage(
      id: "azure.az", what: "hangs", status: "failed", detail: "'az version' did not end: no answer in 1 s",
      mend: .words(["az version --debug"]), skipped: afterAz, arguments: ["--set", "azure.call-limit=1s"],
      inject: wrapped("version", "exec sleep 600")),
    Breakage(
      id: "azure.curl", what: "not there", status: "failed", detail: "'curl' can't be started",
      mend: .exactly("sudo apt-get install curl"), skipped: ["azure.address", "azure.clock", "far.connection"],
      inject: { testbed in ["PATH": try await testbed.testbed.pathWithout("curl")] }),
  ]

  private static let signIn = [
    Breakage(
      id: "azure.sign-in", what: "nobody", status: "failed", detail: "nobody is signed in",
      mend: .words(["az login", "--machine local"]), skipped: afterSignIn,
      inject: config(#"{"folder":"FOLDER","sign_in":"none"}"#)),
    Breakage(
      id: "azure.sign-in", what: "ended, and not to be renewed", status: "failed", detail: "sign-in to Azure has ended",
      mend: .words(["id-token: write"]), skipped: afterSignIn,
      inject: { testbed in
        try await config(#"{"folder":"FOLDER","sign_in":"oidc","seconds":-10}"#)(testbed).merging([
          "ACTIONS_ID_TOKEN_REQUEST_URL": "", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "",
        ]) { $1 }
      }),
    Breakage(
      id: "azure.subscription", what: "unknown", status: "failed", detail: "'nope' is none that",
      mend: .words(["--set azure.subscription=22222222-"]), skipped: afterSubscription,
      arguments: ["--set", "azure.subscription=nope"], inject: { _ in [:] }),
    Breakage(
      id: "azure.role", what: "may not start", status: "failed",
      detail: "may not Microsoft.Compute/virtualMachines/start/action",
      mend: .words([
        "az role definition create", "Microsoft.Compute/virtualMachines/start/action",
        "az role assignment create --assignee 33333333-3333-3333-3333-333333333333 --role 'cf-bench run' --scope "
          + "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/CF-BENCH-RG",
      ]),
      inject: { testbed in
        try testbed.azure.allow([
          "*/read", "Microsoft.Compute/virtualMachines/deallocate/action", "Microsoft.Resources/*",
          "Microsoft.Network/*",
        ])
        return [:]
      }),
    Breakage(
      id: "azure.role", what: "may not open the port", status: "failed",
      detail: "may not Microsoft.Network/networkSecurityGroups/securityRules/write, "
        + "Microsoft.Network/networkSecurityGroups/securityRules/delete",
      mend: .words(["az role definition create"]),
      inject: { testbed in
        try testbed.azure.allow(["*/read", "Microsoft.Compute/*", "Microsoft.Resources/*"])
        return [:]
      }),
    Breakage(
      id: "azure.oidc", what: "a job without the right to an ID token",
      detail: "Azure would see repo:o/r:pull_request (repo:o/r:environment:NAME",
      mend: .words(["id-token: write"]),
      inject: { _ in
        [
          "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "o/r", "GITHUB_EVENT_NAME": "pull_request",
          "ACTIONS_ID_TOKEN_REQUEST_URL": "",
        ]
      }),
  ]

  private static let machine = [
    Breakage(
      id: "azure.vm", what: "another name", status: "failed", detail: "the VM is not there",
      mend: .words(["cf-bench provision", "--machine local"]), skipped: afterVM,
      arguments: ["--set", "azure.vm=nope"], inject: { _ in [:] }),
    Breakage(
      id: "azure.vm", what: "shut down from inside", detail: "stopped: shut down from inside, which Azure bills",
      mend: .exactly("cf-bench stop"),
      inject: { testbed in
        try testbed.azure.setPower("stopped")
        return [:]
      }),
    Breakage(
      id: "azure.quota", what: "too small", status: "failed", detail: "0 of 2 used, 4 needed",
      mend: .words(["Quotas", "azure.size"]),
      inject: { testbed in
        _ = try testbed.azure.control("POST", "options", Data(#"{"quota_cores": 2}"#.utf8))
        return [:]
      }),
    Breakage(
      id: "azure.identity", what: "may not stop itself", detail: "its watchdog can't stop it",
      mend: .exactly("cf-bench provision"),
      inject: { testbed in
        let all = try testbed.azure.state().resources.values
        let assignment = try #require(all.first { $0.type.hasSuffix("/roleAssignments") })
        try await testbed.az(["rest", "--method", "delete", "--url", "\(assignment.id)?api-version=2022-04-01"])
        return [:]
      }),
    Breakage(
      id: "azure.lease", what: "over", detail: "1 over: sleeper's since 2020-01-01T00:00:00Z (old)",
      mend: .exactly("cf-bench reap"),
      inject: { testbed in
        try await testbed.setTags([
          "cf-bench-lease-old": "until=2020-01-01T00:00:00Z;generation=1;kind=run;owner=sleeper"
        ])
        return [:]
      }),
    Breakage(
      id: "azure.lease", what: "not to be read", detail: "can't be read as a lease: someday", mend: .paste,
      inject: { testbed in
        try await testbed.setTags(["cf-bench-lease-odd": "someday"])
        return [:]
      }),
    Breakage(
      id: "azure.lease", what: "the VM on for nobody", detail: "nobody has one, and the VM is on",
      mend: .exactly("cf-bench stop"), skipped: [],
      inject: { testbed in
        try testbed.setTimer("active")
        try testbed.azure.setPower("running")
        try await testbed.wait("sshd") { FileManager.default.fileExists(atPath: try testbed.vm.folder + "/sshd.log") }
        return [:]
      }),
    Breakage(
      id: "azure.auto-shutdown", what: "removed", detail: "there is no daily stop", mend: .paste,
      inject: { testbed in
        let all = try testbed.azure.state().resources.values
        let schedule = try #require(all.first { $0.type.hasSuffix("/schedules") })
        try await testbed.az(["rest", "--method", "delete", "--url", "\(schedule.id)?api-version=2018-09-15"])
        return [:]
      }),
  ]

  private static let network = [
    Breakage(
      id: "azure.nsg", what: "a rule left open", detail: "cf-bench-old for 198.51.100.7 was left open at 2020-01-01",
      mend: .exactly("cf-bench reap"),
      inject: rule("cf-bench-old", from: "198.51.100.7", description: "cf-bench until=2020-01-01T00:00:00Z")),
    Breakage(
      id: "azure.nsg", what: "open to the internet", status: "failed",
      detail: "the rule everybody in cf-bench-nsg lets the whole internet in", mend: .paste,
      inject: rule("everybody", from: "*", description: "by hand")),
    Breakage(
      id: "azure.address", what: "not reserved", detail: "cf-bench-ip is not reserved",
      mend: .exactly(
        "az network public-ip update --resource-group CF-BENCH-RG --name cf-bench-ip --allocation-method Static"),
      // The stand-in knows no such address, as Azure's standard ones can't be.
      inject: wrapped(
        #"*publicIPAddresses/cf-bench-ip\?"#, #"echo '{"properties": {"publicIPAllocationMethod": "Dynamic"}}'; exit 0"#
      )),
    Breakage(
      id: "azure.address", what: "this machine's is not told", status: "failed",
      detail: "tells this machine's address did not answer", mend: .words(["curl http://127.0.0.1:9/"]),
      inject: { _ in ["CF_BENCH_AZURE_ADDRESS_SERVICE": "http://127.0.0.1:9/"] }),
  ]

  private static let here = [
    Breakage(
      id: "azure.host-key", what: "another one in the tag", status: "failed", detail: "has another host key",
      mend: .words(["cf-bench provision", "somebody changed the tag"]),
      inject: { testbed in
        let folder = testbed.testbed.folder + "/state/azure/default_CF-BENCH-RG_cf-bench"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA\n".utf8).write(to: URL(filePath: folder + "/host_key"))
        return [:]
      }),
    Breakage(
      id: "azure.key", what: "open to others", detail: "can be used by others: its mode is 644", mend: .paste,
      inject: { testbed in
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: testbed.testbed.folder + "/key")
        return [:]
      }),
    Breakage(
      id: "azure.key", what: "not there", status: "failed", detail: "/nowhere/key is not there",
      mend: .words(["--identity FILE"]), inject: { _ in ["CF_BENCH_SSH_IDENTITY": "/nowhere/key"] }),
    Breakage(
      id: "azure.intents", what: "of a dead command",
      detail: "1 left by dead commands: dead had CF-BENCH-RG/cf-bench (on since 2026-01-01T00:00:00Z)",
      mend: .exactly("cf-bench reap"),
      inject: { testbed in
        let folder = testbed.testbed.folder + "/state/intents"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let intent =
          #"{"schema":1,"run":"dead","owner":"a","group":"CF-BENCH-RG","vm":"cf-bench","phase":"on","#
          + #""since":"2026-01-01T00:00:00Z"}"#
        try Data(intent.utf8).write(to: URL(filePath: folder + "/dead.json"))
        return [:]
      }),
    Breakage(
      id: "azure.clock", what: "far from Azure's", detail: "ahead of Azure's: leases and rules end at wrong times",
      mend: .exactly("sudo timedatectl set-ntp true"),
      inject: { testbed in
        // A clock that is wrong can't be made here: the server's answer is instead.
        let real = try #require(try await testbed.paste("command -v curl").output.split(separator: "\n").first)
        _ = try testbed.place("curl", "\(real) \"$@\" | sed 's/^[Dd]ate:.*/Date: Mon, 02 Mar 2020 00:00:00 GMT/'")
        return ["PATH": "\(testbed.testbed.folder)/own:\(testbed.testbed.environment["PATH"] ?? "")"]
      }),
  ]
}

@Suite("doctor tells each breakage from all others, and what it prints mends it", .doctors, .longPrograms)
struct AzureBreakageTests {
  @Test("each breakage", arguments: Thoroughness.cases(Breakage.table, each: 9))
  func breakage(of row: Breakage) async throws {
    try await AzureTestbed.with { testbed in
      let extra = try await row.inject(testbed)
      let (seen, result) = try await testbed.doctor(row.arguments, extra: extra)
      #expect(seen.unwell == [row.id], "\(result.output)")
      #expect(seen.ids("skipped").sorted() == row.skipped.sorted(), "\(result.output)")
      #expect(result.status == (row.status == "failed" ? 3 : 0))
      let check = try #require(seen[row.id])
      #expect(check.status == row.status)
      #expect(check.detail.contains(row.detail), "\(check.detail)")
      let fix = try #require(check.fix)
      switch row.mend {
      case .words(let words): for word in words { #expect(fix.contains(word), "\(fix)") }
      case .exactly(let line):
        #expect(fix == line)
        if line.hasPrefix("cf-bench ") { try await expectMended(row, fix, testbed) }
      case .paste: try await expectMended(row, fix, testbed)
      }
    }
  }

  private func expectMended(_ row: Breakage, _ fix: String, _ testbed: AzureTestbed) async throws {
    let pasted = try await testbed.paste(fix)
    #expect(pasted.status == 0, "\(fix): \(pasted.error)")
    let (seen, result) = try await testbed.doctor(row.arguments)
    #expect(seen.unwell == [], "after \(fix): \(result.output)")
  }
}
