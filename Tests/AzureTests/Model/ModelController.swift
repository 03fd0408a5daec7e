import Foundation
import Shared
import Synchronization
import Testing

@testable import Azure

/// One person's cf-bench, with a disk of its own, at the model of Azure.
final class ModelController: Sendable {
  let name: String
  let model: AzureModel
  let client: AzureClient
  private let told = Mutex<[String]>([])

  init(_ name: String, _ model: AzureModel, disk: String? = nil, _ change: (inout AzureSettings) -> Void = { _ in }) {
    var settings = AzureSettings()
    settings.allowFrom = .range("203.0.113.7/32")
    change(&settings)
    var client = AzureClient(
      settings: settings,
      environment: ["CF_BENCH_STATE": "\(model.folder)/\(disk ?? name)", "CF_BENCH_PRICES": "table"]
    )
    client.cli.clock = model.time
    client.cli.now = { model.time.date }
    client.cli.run = { _, arguments, _ in try await model.call(arguments, by: name) }
    (self.name, self.model, self.client) = (name, model, client)
  }

  var notes: String { told.withLock { $0.joined(separator: "\n") } }
  func note(_ text: String) { told.withLock { $0.append(text) } }

  func scope(
    _ run: String, kind: Lease.Kind = .run, lease: Duration = .seconds(3600), keepRunning: Duration? = nil
  ) -> MachineScope {
    MachineScope(
      client: client,
      request: VMRequest(run: run, owner: "\(name)@desk", kind: kind, lease: lease, keepRunning: keepRunning),
      hooks: MachineHooks(answers: { [model] _, _ in model.answers }, note: { [self] in note($0) }))
  }

  /// Has the VM for so long. It must not go off meanwhile.
  @discardableResult
  func run(_ run: String? = nil, for time: Duration = .seconds(30), keepRunning: Duration? = nil) async throws
    -> VMOutcome
  {
    try await scope(run ?? name, keepRunning: keepRunning).with { [model] _ in
      for _ in 0..<Int(time / .seconds(1)) {
        try #require(model.power == .running, "\(name) has the VM")
        try await model.time.sleep(for: .seconds(1))
      }
    }.end
  }

  func stop(isForced: Bool = false) async throws -> VMOutcome.Outcome {
    try await ManualStop(client: client, owner: "\(name)@desk", isForced: isForced) { [self] in note($0) }.carryOut()
  }

  private var reaper: Reaper { Reaper(client: client) { [self] in note($0) } }

  /// What every command does first.
  func settle() async throws -> [Reaper.Finding] { try await reaper.settleIntents() }

  func reap() async throws -> [Reaper.Finding] {
    let own = try await reaper.settleIntents()
    return own + (try await reaper.reapLeases(group: nil))
  }

  var intents: [Intent] { OpenIntent.all(in: client.state) }
  var uses: [UsageLog.Entry] { UsageLog(state: client.state).entries().entries }

  /// Off, and nothing of ours left: no lease, no claim, no open port, no intent.
  func expectClean(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(model.power == .deallocated, comment, sourceLocation: sourceLocation)
    #expect(model.leases == [], comment, sourceLocation: sourceLocation)
    #expect(model.vm?.tags["cf-bench-stopping"] == nil, comment, sourceLocation: sourceLocation)
    #expect(model.rules == [], comment, sourceLocation: sourceLocation)
    #expect(intents == [], comment, sourceLocation: sourceLocation)
  }
}
