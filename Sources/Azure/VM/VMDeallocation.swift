import FoundationEssentials
import Shared

/// Gives the VM back: stops it unless others want it, proves it, and clears rule, lease and intent, in this order.
///
/// Two controllers can't fall between each other's steps. A stopper first writes `cf-bench-stopping` and reads all tags in the
/// same request; a starter first writes its lease and reads all tags in the same request. Whoever is second sees the other: a
/// stopper that sees a lease leaves the VM on, a starter that sees the claim waits for the stop's end (Dekker's algorithm).
struct VMDeallocation: Sendable {
  var scope: MachineScope
  /// `nil` after a cancel or an error: no time for questions to the VM.
  var held: AcquiredVM?

  private var client: AzureClient { scope.client }
  private var run: String { scope.wish.run }
  private var patience: RetryPolicy { RetryPolicy(limit: scope.wish.stopLimit, note: scope.hooks.note) }

  func carryOut(_ open: OpenIntent) async throws -> VMOutcome {
    guard open.intent.phase > .planned else {
      try open.clear()
      return end(open, .nothingToDo("nothing had been asked of Azure"))
    }
    do {
      let id = try await identifier(open)
      if let keep = scope.wish.keepRunning, held != nil { return try await self.keep(open, id, for: keep) }
      // A full disk here is no reason to leave a VM on: the phase before this one makes the next command stop it as well.
      try? open.enter(.stopping)
      let (outcome, board) = try await stop(id)
      let intent = open.intent
      let ended = finish(open, outcome)
      await count(intent, ended, board, id)
      return ended
    } catch let error as AzureError where error.isMissing {
      try open.clear()
      return end(open, .nothingToDo("the VM is gone"))
    } catch let error as AzureError {
      throw StopFailure(vm: client.vm, cause: error, limit: scope.wish.stopLimit)
    }
  }

  private func identifier(_ open: OpenIntent) async throws -> String {
    if let resource = open.intent.resource { return resource.id }
    // Only who makes a VM gets this far without knowing it, and Azure may still be at it.
    guard let view = try await Creation(client: client, note: scope.hooks.note).outcome() else {
      throw AzureError(.refused(code: "ResourceNotFound", message: "no VM \(client.vm)"), during: "vm show")
    }
    try? open.enter(.starting, view)  // as below: what is not noted here can be asked again
    return view.id
  }

  /// Only after Azure's own word: forgets the intent, and puts the time into the ledger.
  private func finish(_ open: OpenIntent, _ outcome: VMOutcome.Outcome) -> VMOutcome {
    let ended = end(open, outcome)
    do {
      try UsageLog(state: scope.state).add(ended, of: open.intent, price: price(open.intent))
      try open.clear()
    } catch {
      let words = (error as? any UserFacingError)?.why ?? SystemErrorText.describe(error)
      scope.hooks.note("\(words): the VM is \(outcome.words), but that is not noted here")
    }
    return ended
  }

  /// What is known without a question: giving back waits for nobody's price list.
  private func price(_ intent: Intent) -> Price? {
    guard let resource = intent.resource, let size = resource.size else { return nil }
    return PriceBook(state: scope.state, environment: scope.environment)
      .price(of: .compute(size: size, location: resource.location))
  }

  private func end(_ open: OpenIntent, _ outcome: VMOutcome.Outcome) -> VMOutcome {
    let began = open.intent.startedAt.flatMap { try? Timestamp.date($0) }
    return VMOutcome(outcome: outcome, seconds: began.map { max(0, Date.now.timeIntervalSince($0)) } ?? 0)
  }

  /// Jobs of others at the VM itself; an agent that does not answer says nothing, and leases speak for the rest.
  private func otherJobs() async -> [String] {
    guard let held else { return [] }
    let asked = try? await withLimit(.seconds(5), waitingFor: "the agent") { [hooks = scope.hooks] in
      try await hooks.otherJobs(held.address, held.view)
    }
    return asked ?? []
  }

  private func stop(_ id: String) async throws -> (VMOutcome.Outcome, LeaseTags) {
    let deadline = ContinuousClock.now + scope.wish.stopLimit
    var lastTry = false
    while !lastTry {
      lastTry = ContinuousClock.now >= deadline
      let claim = LeaseTags.Stopping(run: run, until: Date.now + LeaseTags.Stopping.life)
      let board = try await patience.with {
        try await client.merge([LeaseTags.Stopping.tag: claim.value], of: id)
      }
      var others = board.others(than: run).map { "\($0.owner) (until \(TagMoment.text($0.until)))" }
      // Asked last: an agent that says yes takes no new job, which somebody with a lease may be about to send.
      if others.isEmpty { others = await otherJobs() }
      if !others.isEmpty {
        return (.leftOn(others.joined(separator: ", ")), try await cleanUp(id, board, claim))
      }
      // Our lease is gone: it had ended, and whoever took it away has answered for the VM since.
      if board.lease(of: run) == nil {
        return (.nothingToDo("the lease was over and taken away"), try await cleanUp(id, board, claim))
      }
      try await patience.with { try await client.deallocate() }
      scope.hooks.note("deallocating the VM \(client.vm)")
      async let closed: Void = patience.with { try await scope.door.close(run) }
      let isOff = try await client.waitForDeallocation(limit: scope.wish.stopLimit, patience: patience)
      try await closed
      if isOff { return (.deallocated, try await forget(id, board, claim)) }
    }
    throw StopFailure(vm: client.vm, limit: scope.wish.stopLimit)
  }

  /// Takes away our lease, our claim, the rule, and what others left behind that is long over.
  /// - Returns: what the tags say after it.
  private func cleanUp(_ id: String, _ board: LeaseTags, _ claim: LeaseTags.Stopping) async throws -> LeaseTags {
    async let closed: Void = patience.with { try await scope.door.close(run) }
    async let forgotten = forget(id, board, claim)
    return try await (closed, forgotten).1
  }

  private func forget(_ id: String, _ board: LeaseTags, _ claim: LeaseTags.Stopping) async throws -> LeaseTags {
    var gone = [LeaseTags.Stopping.tag: claim.value]
    for lease in board.overdue() + [board.lease(of: run)].compactMap(\.self) { gone[lease.tag] = board[lease.tag] }
    return try await patience.with { [gone] in try await client.remove(gone, of: id) }
  }

  /// Adds the time to the month's sum at the VM: after everything that matters, once, and briefly. A sum that is a little
  /// short is no reason to fail, and the ledger here has the time already.
  private func count(_ intent: Intent, _ ended: VMOutcome, _ board: LeaseTags, _ id: String) async {
    guard let from = intent.startedAt.flatMap({ try? Timestamp.date($0) }) else { return }
    if case .nothingToDo = ended.outcome { return }  // how long it was on after the lease is not known
    let tags = MonthTag.tags(adding: BilledTime(from: from, to: from + ended.seconds), to: board)
    _ = try? await withLimit(.seconds(20), waitingFor: "the month's sum") { [client] in
      try await client.merge(tags, of: id)
    }
  }

  private func keep(_ open: OpenIntent, _ id: String, for time: Duration) async throws -> VMOutcome {
    let until = Date.now + time / .seconds(1)
    let lease = Lease(
      run: run, until: until, generation: held?.view.board.nextGeneration ?? 1, kind: .keep,
      owner: scope.wish.owner)
    let board = try await patience.with { try await client.merge([lease.tag: lease.value], of: id) }
    let intent = open.intent
    let ended = finish(open, .kept(until: until))
    await count(intent, ended, board, id)
    return ended
  }
}
