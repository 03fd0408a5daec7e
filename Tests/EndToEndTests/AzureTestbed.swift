import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// A testbed whose machine is a VM of the stand-in for Azure, provisioned and off, reached by the real `az`.
struct AzureTestbed: Sendable {
  var testbed: Testbed
  var azure: StandInAzure

  /// - Parameter isQuick: Whether az runs in a process that has it loaded; see ``QuickAz``.
  static func with(
    _ options: StandInAzure.Options = .init(), isProvisioned: Bool = true, isQuick: Bool = true,
    _ body: (AzureTestbed) async throws -> Void
  ) async throws {
    try await Testbed.with { testbed in
      let key = testbed.folder + "/key"
      let made = try await testbed.tool("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key])
      try #require(made.status == 0, "\(made.error)")
      var options = options
      options.authorizedKeys.append(try testbed.read("key.pub").trimmingCharacters(in: .newlines))
      // The VM's login has the tools of this checkout, not the programs under test.
      try await StandInAzure.with(options) { azure in
        if isProvisioned {
          let vm = try azure.provisioned()
          try Data("{}".utf8).write(to: URL(filePath: vm.folder + "/var/lib/cf-bench/provisioned.json"))
        }
        var testbed = testbed
        testbed.environment.merge(azure.ready.environment) { $1 }
        testbed.environment.merge([
          "CF_BENCH_MACHINE": "azure", "CF_BENCH_STATE": testbed.folder + "/state", "CF_BENCH_PRICES": "table",
          "CF_BENCH_AZURE_SSH_PORT": "\(azure.ready.sshPort)", "CF_BENCH_AZURE_USER": NSUserName(),
          "CF_BENCH_AZURE_ADDRESS_SERVICE": azure.ready.addressPage, "CF_BENCH_SSH_IDENTITY": key,
        ]) { $1 }
        for name in ["CF_BENCH_HOME", "CF_BENCH_LOCK", "PYTHONDONTWRITEBYTECODE"] { testbed.environment[name] = nil }
        if isQuick { try QuickAz.apply(to: &testbed.environment) }
        try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 2))
        try testbed.writeProjects()
        try await body(AzureTestbed(testbed: testbed, azure: azure))
      }
    }
  }

  func bench(_ arguments: [String], extra: [String: String] = [:]) async throws -> Testbed.Result {
    try await testbed.bench(arguments, extra: extra)
  }

  /// The smallest job: two blocks of one layer.
  static let shortRun = ["run", "path:fast", "--layers", "startup"]

  var vm: StandInAzure.State.VM {
    get throws { try #require(try azure.state().vms.first) }
  }

  var leases: [String] { get throws { try vm.tags.keys.filter { $0.hasPrefix("cf-bench-lease-") } } }
  var intents: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: testbed.folder + "/state/intents")) ?? []
    return names.filter { $0.hasSuffix(".json") }
  }

  /// Changes tags as another hand would.
  func setTags(_ tags: [String: String]) async throws {
    let id = try #require(try azure.state().resources.values.first { $0.type.hasSuffix("/virtualMachines") }?.id)
    let words = tags.map { "\($0.key)=\($0.value)" }
    let result = try await testbed.tool(
      "az", ["tag", "update", "--operation", "merge", "--resource-id", id, "--tags"] + words)
    try #require(result.status == 0, "\(result.error)")
  }

  /// Off, and nothing of ours left: no lease, no claim, no open port, no intent.
  func expectClean(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let (vm, rules) = (try vm, try azure.state().rules.map(\.name))
    #expect(vm.power == "deallocated", comment, sourceLocation: sourceLocation)
    #expect(try leases == [], comment, sourceLocation: sourceLocation)
    #expect(vm.tags["cf-bench-stopping"] == nil, comment, sourceLocation: sourceLocation)
    #expect(rules.filter { $0.hasPrefix("cf-bench-") } == [], comment, sourceLocation: sourceLocation)
    #expect(intents == [], comment, sourceLocation: sourceLocation)
  }

  /// Waits until `condition` holds; at most `seconds`.
  func wait(_ what: String, seconds: Double = 60, until condition: () throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !condition() {
      try #require(ContinuousClock.now < deadline, "gave up waiting for \(what)")
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Runs `cf-bench` beside `body`, which gets its process id; then waits for its end.
  func whileRunning(
    _ arguments: [String], _ body: @escaping @Sendable (pid_t) async throws -> Void
  ) async throws -> Testbed.Result {
    let name = "log-\(UUID().uuidString)"
    let log = try FileDescriptor.open(
      FilePath("\(testbed.folder)/\(name)"), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    let keys = testbed.environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
    let result = try await Subprocess.run(
      .path(FilePath(try BuiltProduct.path("cf-bench"))), arguments: Arguments(arguments),
      environment: .custom(Dictionary(uniqueKeysWithValues: keys)), workingDirectory: FilePath(testbed.folder),
      input: .none, output: .discarded, error: .fileDescriptor(log, closeAfterSpawningProcess: true)
    ) { execution in try await body(execution.processIdentifier.value) }
    let status: Int32? = if case .exited(let code) = result.terminationStatus { code } else { nil }
    return Testbed.Result(status: status, output: "", error: try testbed.read(name))
  }
}
