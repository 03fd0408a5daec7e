import FoundationEssentials
import Shared

/// The life of the VM around one piece of work: lease, start, use, stop.
public struct MachineScope: Sendable {
  public var client: AzureClient
  public var request: VMRequest
  public var hooks: MachineHooks

  public init(client: AzureClient, request: VMRequest, hooks: MachineHooks) {
    self.client = client
    self.client.cli.environment[Orphans.mark] = request.run
    self.request = request
    self.hooks = hooks
  }

  /// For a VM that is only to be given back.
  init(givingBack intent: Intent, client: AzureClient, note: @escaping @Sendable (String) -> Void) {
    self.init(
      client: client.of(intent.machine), request: VMRequest(run: intent.run, owner: intent.owner),
      hooks: MachineHooks(answers: { _, _ in false }, note: note))
  }

  var rule: FirewallRule { FirewallRule(client: client) }

  /// Has the VM for the length of `body`, and gives it back on return, throw and cancellation.
  public func with<Result: Sendable>(
    _ body: (AcquiredVM) async throws -> Result
  ) async throws -> (result: Result, end: VMOutcome) {
    let open = try begin()
    do {
      let held = try await acquire(open)
      let result = try await body(held)
      return (result, try await giveBack(open, Task.isCancelled ? nil : held))
    } catch let failure as StopFailure { throw failure } catch {
      let original = error
      if open.intent.phase > .planned { hooks.note("giving the VM back") }
      do { _ = try await giveBack(open) } catch let failure as StopFailure {
        // Both matter: why the work ended, and that money is being spent.
        throw StopFailure(vm: failure.vm, cause: failure.cause, limit: failure.limit).after(original)
      }
      throw original
    }
  }

  /// As ``with(_:)``, without the end: leaves the VM on under its lease. The nets are the lease's end, which the VM's watchdog
  /// sees, and `reap`.
  public func start() async throws -> AcquiredVM {
    let open = try begin()
    do {
      let held = try await acquire(open)
      try open.clear()
      return held
    } catch {
      if open.intent.phase > .planned { hooks.note("giving the VM back") }
      _ = try await giveBack(open)
      throw error
    }
  }

  private func begin() throws -> OpenIntent {
    let intent = Intent(run: request.run, owner: request.owner, vm: client.vm, at: client.cli.now())
    return try OpenIntent.create(intent, in: client.state)
  }

  private func acquire(_ open: OpenIntent) async throws -> AcquiredVM {
    let patience = client.retry(for: .seconds(60), note: hooks.note)
    var view = try await patience.with { try await client.view() }
    try hooks.mayStart(view)
    let until = client.cli.now() + request.lease / .seconds(1)
    let lease = Lease(
      run: request.run, until: until, generation: view.board.nextGeneration, kind: request.kind, owner: request.owner)
    try open.enter(.leasing, view)
    let board = try await patience.with { [id = view.id] in try await client.merge([lease.tag: lease.value], of: id) }
    if board.isBeingStopped(byOtherThan: request.run, at: client.cli.now()) {
      hooks.note("another run is stopping the VM; waiting for its end")
      view = try await client.waitForStop(of: request.run, limit: client.settings.startLimit)
    }
    let startedAt = client.cli.now()
    try open.enter(.starting, at: startedAt)
    try UsageLog(state: client.state).begin(open.intent, lease: lease)
    let start = VMStart(scope: self, view: view, until: until)
    let address = try await start.reach()
    try open.enter(.on)
    hooks.note("the VM answers after \(Duration.seconds(client.cli.now().timeIntervalSince(startedAt)).words)")
    return AcquiredVM(address: address, view: view, wasOn: view.power == .running, startedAt: startedAt)
  }

  /// - Parameters:
  ///   - held: `nil` after a cancel or an error.
  ///   - ended: runs whose leases don't count, because a person ends them.
  func giveBack(_ open: OpenIntent, _ held: AcquiredVM? = nil, ended: Set<String> = []) async throws -> VMOutcome {
    defer { open.letGo() }
    return try await runToEnd { try await VMDeallocation(scope: self, held: held, ended: ended).carryOut(open) }
  }
}
