import FoundationEssentials
import Shared

/// The life of the VM around one piece of work: lease, start, use, stop.
public struct MachineScope: Sendable {
  public var client: AzureClient
  public var wish: VMRequest
  public var hooks: MachineHooks
  public var state: StateFolder
  public var environment: [String: String]

  public init(
    client: AzureClient, wish: VMRequest, hooks: MachineHooks, state: StateFolder, environment: [String: String]
  ) {
    self.client = client
    self.client.cli.environment[Orphans.mark] = wish.run
    self.wish = wish
    self.hooks = hooks
    self.state = state
    self.environment = environment
  }

  var door: FirewallRule {
    FirewallRule(
      client: client, environment: environment, source: wish.source, addressService: wish.addressService,
      port: wish.sshPort)
  }

  /// Has the VM for the length of `body`, and gives it back on return, throw and cancellation.
  public func with<Result: Sendable>(
    _ body: (AcquiredVM) async throws -> Result
  ) async throws -> (result: Result, end: VMOutcome) {
    let open = try OpenIntent.create(Intent(run: wish.run, owner: wish.owner, vm: wish.vm), in: state)
    do {
      let held = try await acquire(open)
      let result = try await body(held)
      return (result, try await giveBack(open, Task.isCancelled ? nil : held))
    } catch let failure as StopFailure { throw failure } catch {
      let original = error
      if open.intent.phase > .planned { hooks.note("giving the VM back") }
      do { _ = try await giveBack(open, nil) } catch let failure as StopFailure {
        // Both matter: why the work ended, and that money is being spent.
        throw StopFailure(vm: failure.vm, cause: failure.cause, limit: failure.limit).after(original)
      }
      throw original
    }
  }

  /// As ``with(_:)``, without the end: leaves the VM on under its lease. The nets are the lease's end, which the VM's watchdog
  /// sees, and `reap`.
  public func start() async throws -> AcquiredVM {
    let open = try OpenIntent.create(Intent(run: wish.run, owner: wish.owner, vm: wish.vm), in: state)
    do {
      let held = try await acquire(open)
      try open.clear()
      return held
    } catch {
      if open.intent.phase > .planned { hooks.note("giving the VM back") }
      _ = try await giveBack(open, nil)
      throw error
    }
  }

  private func acquire(_ open: OpenIntent) async throws -> AcquiredVM {
    let patience = RetryPolicy(limit: .seconds(60), note: hooks.note)
    var view = try await patience.with { try await client.view() }
    try hooks.mayStart(view)
    let until = Date.now + wish.lease / .seconds(1)
    let lease = Lease(
      run: wish.run, until: until, generation: view.board.nextGeneration, kind: wish.kind, owner: wish.owner)
    try open.enter(.leasing, view)
    let board = try await patience.with { [id = view.id] in try await client.merge([lease.tag: lease.value], of: id) }
    if board.isBeingStopped(byOtherThan: wish.run) {
      hooks.note("another run is stopping the VM; waiting for its end")
      view = try await client.waitForStop(of: wish.run, limit: wish.startLimit)
    }
    try open.enter(.starting)
    try UsageLog(state: state).begin(open.intent, lease: lease)
    let startedAt = Date.now
    let start = VMStart(scope: self, view: view, until: until)
    let address = try await start.reach()
    try open.enter(.on)
    hooks.note("the VM answers after \(Duration.seconds(Date.now.timeIntervalSince(startedAt)).words)")
    return AcquiredVM(address: address, view: view, wasOn: view.power == .running, startedAt: startedAt)
  }

  /// In a task of its own: a cancelled one can't wait, and giving back must not be given up.
  private func giveBack(_ open: OpenIntent, _ held: AcquiredVM?) async throws -> VMOutcome {
    // The caller only waits, so the intent has one user at any time.
    nonisolated(unsafe) let open = open
    return try await Task {
      try await VMDeallocation(scope: self, held: held).carryOut(open)
    }.value
  }
}

extension StopFailure {
  /// The same with what had gone wrong before.
  func after(_ error: any Error) -> Problem {
    Problem(
      what: what, why: "\(why ?? "")\nbefore that: \(SystemErrorText.describe(error))", fix: fix, exitStatus: exitStatus
    )
  }
}
