import FoundationEssentials
import Shared

/// Stops the VM because a person says so: ends this person's own leases, then gives it back as a run would.
public struct ManualStop: Sendable {
  public var client: AzureClient
  public var owner: String
  /// Ends everybody's leases.
  public var isForced: Bool
  public var note: @Sendable (String) -> Void

  public init(client: AzureClient, owner: String, isForced: Bool, note: @escaping @Sendable (String) -> Void) {
    self.client = client
    self.owner = owner
    self.isForced = isForced
    self.note = note
  }

  public func carryOut() async throws -> VMOutcome.Outcome {
    let patience = client.retry(for: .seconds(60), note: note)
    let view = try await patience.with { try await client.view() }
    // What is being kept on for this person; runs of theirs that go on right now keep theirs.
    let ended = view.board.leases.filter { isForced || ($0.kind == .keep && $0.owner == owner) }
    // The stop is a run of its own, so that it has a lease to give back and an intent that outlives a kill.
    let now = client.cli.now()
    let run = "stop-\(Timestamp.folder())-\(UInt32.random(in: 0...9999))"
    let open = try OpenIntent.create(Intent(run: run, owner: owner, vm: client.vm, at: now), in: client.state)
    try open.enter(.leasing, view)
    let own = Lease(run: run, until: now + 600, generation: view.board.nextGeneration, kind: .run, owner: owner)
    _ = try await patience.with { try await client.merge([own.tag: own.value], of: view.id) }
    if !ended.isEmpty {
      var gone: [String: String] = [:]
      for lease in ended { gone[lease.tag] = view.board[lease.tag] }
      // First, so that the stop also goes on without us. A tag that can't be removed does not keep the VM on.
      do { _ = try await patience.with { [gone] in try await client.remove(gone, of: view.id) } } catch let error
        as AzureError
      { note("the leases that end with this stop could not be removed yet: \(error.what)") }
    }
    let scope = MachineScope(givingBack: open.intent, client: client, note: note)
    return try await scope.giveBack(open, ended: Set(ended.map(\.run))).outcome
  }
}
