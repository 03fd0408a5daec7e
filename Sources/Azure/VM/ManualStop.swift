import FoundationEssentials
import Shared

/// Stops the VM because a person says so: ends this person's own leases, then gives it back as a run would.
public struct ManualStop: Sendable {
  public var client: AzureClient
  public var owner: String
  /// Ends everybody's leases.
  public var isForced: Bool
  public var stopLimit: Duration
  public var state: StateFolder
  public var environment: [String: String]
  public var note: @Sendable (String) -> Void

  public init(
    client: AzureClient, owner: String, isForced: Bool, stopLimit: Duration, state: StateFolder,
    environment: [String: String], note: @escaping @Sendable (String) -> Void
  ) {
    self.client = client
    self.owner = owner
    self.isForced = isForced
    self.stopLimit = stopLimit
    self.state = state
    self.environment = environment
    self.note = note
  }

  public func carryOut() async throws -> VMOutcome.Outcome {
    let patience = RetryPolicy(limit: .seconds(60), note: note)
    let view = try await patience.with { try await client.view() }
    // What is being kept on for this person; runs of theirs that go on right now keep theirs.
    let ended = view.board.leases.filter { isForced || ($0.kind == .keep && $0.owner == owner) }
    // The stop is a run of its own, so that it has a lease to give back and an intent that outlives a kill.
    let run = "stop-\(Timestamp.folder())-\(UInt32.random(in: 0...9999))"
    var intent = Intent(run: run, owner: owner, vm: client.vm)
    intent.startedAt = nil
    let open = try OpenIntent.create(intent, in: state)
    try open.enter(.leasing, view)
    let own = Lease(
      run: run, until: .now + 600, generation: view.board.nextGeneration, kind: .run, owner: owner)
    _ = try await patience.with { try await client.merge([own.tag: own.value], of: view.id) }
    if !ended.isEmpty {
      var gone: [String: String] = [:]
      for lease in ended { gone[lease.tag] = view.board[lease.tag] }
      _ = try await patience.with { [gone] in try await client.remove(gone, of: view.id) }
    }
    let wish = VMRequest(
      vm: client.vm, run: run, owner: owner, lease: .zero, source: .asItIs, addressService: "", stopLimit: stopLimit)
    let scope = MachineScope(
      client: client, wish: wish, hooks: MachineHooks(answers: { _, _ in false }, note: note), state: state,
      environment: environment)
    for lease in ended { try await scope.door.close(lease.run) }
    nonisolated(unsafe) let held = open  // the caller only waits
    return try await Task { try await VMDeallocation(scope: scope, held: nil).carryOut(held).outcome }.value
  }
}
