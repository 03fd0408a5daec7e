import FoundationEssentials
import Shared

/// Gives the VM back: stops it unless others want it, proves it, and clears rule, lease and intent, in this order.
///
/// Two controllers can't fall between each other's steps. A stopper first writes `cf-bench-stopping` and reads all tags in the same
/// request; a starter first writes its lease and reads all tags in the same request. Whoever is second sees the other: a
/// stopper that sees a lease leaves the VM on, a starter that sees the claim waits for the stop's end (Dekker's algorithm).
struct Release: Sendable {
  var scope: MachineScope
  /// `nil` after a cancel or an error: no time for questions to the VM.
  var held: HeldMachine?

  private var client: AzureClient { scope.client }
  private var run: String { scope.wish.run }
  private var patience: Patience { Patience(limit: scope.wish.stopLimit, note: scope.hooks.note) }

  func carryOut(_ open: OpenIntent) async throws -> MachineEnd {
    guard open.intent.phase > .planned else {
      try open.clear()
      return end(open, .nothingToDo("nothing had been asked of Azure"))
    }
    do {
      let id = try await identifier(open)
      if let keep = scope.wish.keepRunning, held != nil { return try await self.keep(open, id, for: keep) }
      // A full disk here is no reason to leave a VM on: the phase before this one makes the next command stop it as well.
      try? open.enter(.stopping)
      let jobs = await otherJobs()
      return finish(open, try await stop(id, jobs))
    } catch let error as AzureError where error.isMissing {
      try open.clear()
      return end(open, .nothingToDo("the VM is gone"))
    } catch let error as AzureError {
      throw StopFailure(vm: client.vm, cause: error, limit: scope.wish.stopLimit)
    }
  }

  private func identifier(_ open: OpenIntent) async throws -> String {
    if let resource = open.intent.resource { return resource.id }
    return try await patience.with { try await client.view() }.id
  }

  /// Only after Azure's own word: forgets the intent, and puts the time into the ledger.
  private func finish(_ open: OpenIntent, _ outcome: MachineEnd.Outcome) -> MachineEnd {
    let ended = end(open, outcome)
    do {
      try Ledger(state: scope.state).add(ended, of: open.intent)
      try open.clear()
    } catch {
      scope.hooks.note(
        "\((error as? any UserFacingError)?.why ?? "\(error)"): the VM is \(outcome.words), but that is not noted here")
    }
    return ended
  }

  private func end(_ open: OpenIntent, _ outcome: MachineEnd.Outcome) -> MachineEnd {
    let began = open.intent.startedAt.flatMap { try? Timestamp.date($0) }
    return MachineEnd(outcome: outcome, seconds: began.map { max(0, Date.now.timeIntervalSince($0)) } ?? 0)
  }

  /// Jobs of others at the VM itself; an agent that does not answer says nothing, and leases speak for the rest.
  private func otherJobs() async -> [String] {
    guard let held else { return [] }
    let asked = try? await withLimit(.seconds(5), waitingFor: "the agent") { [hooks = scope.hooks] in
      try await hooks.otherJobs(held.address, held.view)
    }
    return asked ?? []
  }

  private func stop(_ id: String, _ jobs: [String]) async throws -> MachineEnd.Outcome {
    let deadline = ContinuousClock.now + scope.wish.stopLimit
    var lastTry = false
    while !lastTry {
      lastTry = ContinuousClock.now >= deadline
      let claim = LeaseBoard.Stopping(run: run, until: Date.now + LeaseBoard.Stopping.life)
      let board = try await patience.with {
        try await client.merge([LeaseBoard.Stopping.tag: claim.value], of: id)
      }
      let others = board.others(than: run).map { "\($0.owner) (until \(TagMoment.text($0.until)))" } + jobs
      if !others.isEmpty {
        try await cleanUp(id, board, claim)
        return .leftOn(others.joined(separator: ", "))
      }
      // Our lease is gone: it had ended, and whoever took it away has answered for the VM since.
      if board.lease(of: run) == nil {
        try await cleanUp(id, board, claim)
        return .nothingToDo("the lease was over and taken away")
      }
      try await patience.with { try await client.deallocate() }
      scope.hooks.note("deallocating the VM \(client.vm)")
      async let closed: Void = patience.with { try await scope.door.close(run) }
      let isOff = try await client.waitForDeallocation(limit: scope.wish.stopLimit, patience: patience)
      try await closed
      if isOff {
        try await forget(id, board, claim)
        return .deallocated
      }
    }
    throw StopFailure(vm: client.vm, limit: scope.wish.stopLimit)
  }

  /// Takes away our lease, our claim, the rule, and what others left behind that is long over.
  private func cleanUp(_ id: String, _ board: LeaseBoard, _ claim: LeaseBoard.Stopping) async throws {
    async let closed: Void = patience.with { try await scope.door.close(run) }
    async let forgotten: Void = forget(id, board, claim)
    _ = try await (closed, forgotten)
  }

  private func forget(_ id: String, _ board: LeaseBoard, _ claim: LeaseBoard.Stopping) async throws {
    var gone = [LeaseBoard.Stopping.tag: claim.value]
    for lease in board.overdue() + [board.lease(of: run)].compactMap(\.self) { gone[lease.tag] = board[lease.tag] }
    _ = try await patience.with { [gone] in try await client.remove(gone, of: id) }
  }

  private func keep(_ open: OpenIntent, _ id: String, for time: Duration) async throws -> MachineEnd {
    let until = Date.now + time / .seconds(1)
    let lease = Lease(
      run: run, until: until, generation: held?.view.board.nextGeneration ?? 1, kind: .keep,
      owner: scope.wish.owner)
    _ = try await patience.with { try await client.merge([lease.tag: lease.value], of: id) }
    return finish(open, .kept(until: until))
  }
}
