import Foundation
import TestSupport
import Testing

/// Failures that the real `az`, `curl` and GitHub's token address have a part in; the others are scenarios of AzureTests.
@Suite(
  "Every failure of Azure has its words and its exit status, and leaves nothing on, open or claimed", .longPrograms)
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
      try placeProgram(text, at: path)
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

  static let cases: [Case] = [
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
      name: "a sign-in that has ended, renewed by GitHub",
      inject: config(#"{"folder":"FOLDER","sign_in":"oidc","seconds":-10}"#), status: 0, words: ["the VM answers"],
      isClean: false),
    Case(
      name: "az hangs", arguments: ["status", "--set", "azure.call-limit=1s"],
      inject: wrapped("get-instance-view", "exec sleep 600"), status: 3, words: ["did not end", "no answer in 1 s"]),
    Case(
      name: "Azure answers with garbage", inject: fault("/virtualMachines/cf-bench$", .garbage, method: "GET"),
      status: 3,
      words: ["error:", "fix:"]),
    Case(
      name: "nobody tells this machine's address",
      extra: ["CF_BENCH_AZURE_ADDRESS_SERVICE": "http://127.0.0.1:9/"], inject: { _ in [:] }, status: 3,
      words: ["this machine's address did not answer"]),
  ]

  @Test("each failure", arguments: Thoroughness.cases(cases, each: 2))
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
