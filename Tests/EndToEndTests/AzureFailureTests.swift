import Foundation
import TestSupport
import Testing

@Suite("Every failure of Azure has its words and its exit status, and leaves nothing on, open or claimed", .programs)
struct AzureFailureTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var arguments = ["start", "--for", "5"]
    var extra: [String: String] = [:]
    /// Injects the failure; gives more variables.
    var inject: @Sendable (AzureTestbed) async throws -> [String: String]
    var status: Int32
    var words: [String]
    /// Whether the VM is left off and without a trace.
    var isClean = true
    var testDescription: String { name }
  }

  private static func fault(
    _ path: String, _ kind: StandInAzure.Fault.Kind = .status, code: String? = nil, status: Int? = nil,
    message: String = "no", times: Int? = nil, after: Bool? = nil, method: String = ".*"
  ) -> @Sendable (AzureTestbed) async throws -> [String: String] {
    { testbed in
      var fault = StandInAzure.Fault(kind, path: path)
      (fault.code, fault.status, fault.message) = (code, status, message)
      (fault.times, fault.after, fault.method) = (times, after, method)
      try testbed.azure.fault(fault)
      return [:]
    }
  }

  /// A program in place of az that prints something for one call and is the real one for the others.
  private static func wrapped(_ call: String, _ script: String)
    -> @Sendable (AzureTestbed) async throws -> [String: String]
  {
    { testbed in
      let text = """
        #!/bin/sh
        case "$*" in
          *"\(call)"*) \(script) ;;
        esac
        exec az "$@"
        """
      let path = testbed.testbed.folder + "/wrapped-az"
      try await testbed.testbed.placeProgram(Data(text.utf8), at: path)
      return ["CF_BENCH_AZ": path]
    }
  }

  private static func config(_ body: String) -> @Sendable (AzureTestbed) async throws -> [String: String] {
    { testbed in
      let folder = testbed.testbed.folder + "/another-azure"
      let text = body.replacing("FOLDER", with: folder)
      _ = try testbed.azure.control("POST", "config", Data(text.utf8))
      return ["AZURE_CONFIG_DIR": folder]
    }
  }

  private static let roles = [
    "Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/deallocate/action",
    "Microsoft.Resources/tags/*", "Microsoft.Network/*",
  ]

  static let cases: [Case] = [
    Case(
      name: "not signed in", inject: config(#"{"folder":"FOLDER","sign_in":"none"}"#), status: 2,
      words: ["nobody is signed in to Azure", "az login", "--machine local"]),
    Case(
      name: "another subscription", arguments: ["start", "--set", "azure.subscription=nope"], inject: { _ in [:] },
      status: 2, words: ["no such subscription", "azure.subscription"]),
    Case(
      name: "no role",
      inject: { testbed in
        try testbed.azure.allow(roles)
        return [:]
      }, status: 3,
      words: [
        "may not do that", "lacks the action Microsoft.Compute/virtualMachines/start/action", "az role assignment",
      ]),
    Case(
      name: "not signed in, in a job of GitHub's that knows who it is",
      inject: { testbed in
        var variables = try await config(#"{"folder":"FOLDER","sign_in":"none"}"#)(testbed)
        (variables["AZURE_CLIENT_ID"], variables["AZURE_TENANT_ID"]) = (
          testbed.azure.ready.client, testbed.azure.ready.tenant
        )
        return variables
      }, status: 0, words: [], isClean: false),
    Case(
      name: "no room, hidden by --no-wait", arguments: ["start", "--set", "azure.start-limit=20s"],
      inject: fault("/start$", .asyncError, code: "AllocationFailed", message: "We do not have sufficient capacity"),
      status: 3, words: ["no room for this VM", "azure.location"]),
    Case(
      name: "size not available", inject: fault("/start$", code: "SkuNotAvailable", status: 409), status: 3,
      words: ["can't be had in the region", "azure.size"]),
    Case(
      name: "a conflict that passes", inject: fault("/start$", code: "Conflict", status: 409, times: 1), status: 0,
      words: ["busy with another operation: trying again in 1 s, for"], isClean: false),
    Case(
      name: "a start that was preempted", inject: fault("/start$", code: "OperationPreempted", status: 409, times: 1),
      status: 0, words: ["went first: trying again"], isClean: false),
    Case(
      name: "too many requests, without end", arguments: ["start", "--set", "azure.start-limit=8s"],
      inject: fault("/start$", code: "TooManyRequests", status: 429, method: "POST"), status: 3, words: ["try"]),
    Case(
      name: "an answer that is lost after the start was taken", inject: fault("/start$", .drop, times: 1, after: true),
      status: 0, words: ["trying again"], isClean: false),
    Case(
      name: "a sign-in that has ended, renewed by GitHub",
      inject: config(#"{"folder":"FOLDER","sign_in":"oidc","seconds":-10}"#), status: 0, words: ["the VM answers"],
      isClean: false),
    Case(
      name: "a sign-in that has ended, without the right to renew it",
      extra: ["ACTIONS_ID_TOKEN_REQUEST_URL": "", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""],
      inject: config(#"{"folder":"FOLDER","sign_in":"oidc","seconds":-10}"#), status: 3,
      words: ["sign-in to Azure has ended", "id-token: write"]),
    Case(
      name: "az is not there", inject: { _ in ["CF_BENCH_AZ": "/nowhere/az"] }, status: 2,
      words: ["'/nowhere/az' can't be started", "--machine local"]),
    Case(
      name: "az hangs", arguments: ["status", "--set", "azure.call-limit=1s"],
      inject: wrapped("get-instance-view", "exec sleep 600"), status: 3, words: ["did not end", "no answer in 1 s"]),
    Case(
      name: "az prints something new", inject: wrapped("get-instance-view", #"echo '{"surprise": []}'; exit 0"#),
      status: 3, words: ["printed something that cf-bench does not understand", "az 2.91"]),
    Case(
      name: "Azure answers with garbage", inject: fault("/virtualMachines/cf-bench$", .garbage, method: "GET"),
      status: 3,
      words: ["error:", "fix:"]),
    Case(
      name: "nobody tells this machine's address",
      extra: ["CF_BENCH_AZURE_ADDRESS_SERVICE": "http://127.0.0.1:9/"], inject: { _ in [:] }, status: 3,
      words: ["this machine's address did not answer"]),
    Case(
      name: "ARM fails for a while when the VM is to be stopped", arguments: AzureTestbed.shortRun,
      inject: { testbed in
        var fault = StandInAzure.Fault(.status, path: "/deallocate$")
        // More than the four tries that az makes by itself; counted, since a run may take any time to get there.
        (fault.status, fault.code, fault.times) = (500, "InternalServerError", 6)
        try testbed.azure.fault(fault)
        return [:]
      }, status: 0, words: ["a fault of its own: trying again", "the VM is deallocated"]),
  ]

  @Test("each failure", arguments: Thoroughness.cases(cases, each: 3))
  func failure(of row: Case) async throws {
    try await AzureTestbed.with { testbed in
      let more = try await row.inject(testbed)
      let result = try await testbed.bench(row.arguments, extra: row.extra.merging(more) { $1 })
      #expect(result.status == row.status, "\(result.error)")
      for words in row.words { #expect(result.error.contains(words), "\(result.error)") }
      #expect(!result.error.contains("AzureError("), "no Swift types")
      if row.isClean {
        try testbed.expectClean("\(row.name): \(result.error)")
      } else {
        #expect(try testbed.vm.power == "running")
        #expect(try testbed.leases.count == 1)
      }
    }
  }

  @Test("a stop that fails for good says that money is being spent, keeps the intent, and the next reap mends it")
  func stopFails() async throws {
    try await AzureTestbed.with { testbed in
      _ = try await Self.fault("/deallocate$", code: "SomethingNew", status: 400)(testbed)
      let result = try await testbed.bench(AzureTestbed.shortRun)
      #expect(result.status == 3)
      #expect(result.error.contains("could not be stopped and may still be on: it costs money"), "\(result.error)")
      #expect(result.error.contains("az vm deallocate --resource-group CF-BENCH-RG --name cf-bench"))
      #expect(testbed.intents.count == 1)
      #expect(try testbed.vm.power == "running")
      let failed = try await testbed.bench(["reap"])
      #expect(failed.status == 3)
      #expect(testbed.intents.count == 1)
      try testbed.azure.reset()
      let reaped = try await testbed.bench(["reap", "--json"])
      #expect(reaped.status == 0, "\(reaped.error)")
      #expect(reaped.output.contains("\"deallocated\""))
      try testbed.expectClean()
      let again = try await testbed.bench(["reap"])
      #expect(again.output == "nothing was left behind\n")
    }
  }

  @Test("a job of somebody else at the VM keeps it on, though no lease speaks for it")
  func othersJob() async throws {
    try await AzureTestbed.with { testbed in
      let home = try testbed.vm.folder + "/home"
      let job = home + "/jobs/theirs"
      try FileManager.default.createDirectory(atPath: job, withIntermediateDirectories: true)
      try Data("{}".utf8).write(to: URL(filePath: job + "/manifest.json"))
      try Data("1".utf8).write(to: URL(filePath: job + "/runner"))
      // A job without a journal counts for the seconds in which its runner may be on its way, and no longer.
      try Data().write(to: URL(filePath: job + "/journal.ndjson"))
      let runner = open(job + "/runner", O_RDWR | O_CLOEXEC)
      defer { close(runner) }
      #expect(flock(runner, LOCK_EX | LOCK_NB) == 0)
      let result = try await testbed.bench(AzureTestbed.shortRun)
      #expect(result.status == 0, "\(result.error)")
      #expect(result.error.contains("left on for") && result.error.contains("whose job is waiting there"))
      #expect(try testbed.vm.power == "running")
      #expect(try testbed.leases == [])
      #expect(testbed.intents == [])
    }
  }
}
