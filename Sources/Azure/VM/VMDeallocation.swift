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
  /// Runs whose leases don't count, because a person ends them.
  var ended: Set<String> = []

  /// How long what can't be removed is tried again, once the VM itself costs nothing more.
  private static let tidyLimit = Duration.seconds(60)

  private var client: AzureClient { scope.client }
  private var run: String { scope.request.run }
  private var now: Date { client.cli.now() }
  private var patience: RetryPolicy { client.retry(for: client.settings.stopLimit, note: scope.hooks.note) }
  private var shortPatience: RetryPolicy { client.retry(for: Self.tidyLimit, note: scope.hooks.note) }

  func carryOut(_ open: OpenIntent) async throws -> VMOutcome {
    guard open.intent.phase > .planned else {
      try open.clear()
      return end(open, .nothingToDo("nothing had been asked of Azure"))
    }
    do {
      if open.intent.isOff == true { return try await tidy(open) }
      let id = try await identifier(open)
      if let keep = scope.request.keepRunning, held != nil { return try await self.keep(open, id, for: keep) }
      // A full disk here is no reason to leave a VM on: the phase before this one makes the next command stop it as well.
      try? open.enter(.stopping)
      let (outcome, board, left) = try await stopAndCleanUp(id)
      let intent = open.intent
      let ended = finish(open, outcome, left)
      await count(intent, ended, board, id)
      return ended
    } catch let error as AzureError where error.isMissing {
      try open.clear()
      return end(open, .nothingToDo("the VM is gone"))
    } catch let error as AzureError {
      throw StopFailure(vm: client.vm, cause: error, limit: client.settings.stopLimit)
    }
  }

  private func identifier(_ open: OpenIntent) async throws -> String {
    if let resource = open.intent.resource { return resource.id }
    // Only who makes a VM gets this far without knowing it, and Azure may still be at it.
    guard let view = try await Creation(client: client, note: scope.hooks.note).outcome() else {
      throw AzureError(.refused(code: "ResourceNotFound", message: "no VM \(client.vm)"), during: "vm show")
    }
    try? open.enter(.starting, view)  // as above: what is not noted here can be asked again
    return view.id
  }

  /// Only after Azure's own word: puts the time into the ledger, and forgets the intent unless something is left to remove.
  private func finish(_ open: OpenIntent, _ outcome: VMOutcome.Outcome, _ left: [Leftover]) -> VMOutcome {
    var ended = end(open, outcome)
    ended.left = left
    for one in left { scope.hooks.note(one.words) }
    do {
      try UsageLog(state: client.state).add(ended, of: open.intent, price: price(open.intent), at: now)
      if left.isEmpty { try open.clear() } else { try open.noteOff() }
    } catch {
      let words = (error as? any UserFacingError)?.why ?? SystemErrorText.describe(error)
      scope.hooks.note("\(words): the VM is \(outcome.words), but that is not noted here")
    }
    return ended
  }

  /// What is known without a question: giving back waits for nobody's price list.
  private func price(_ intent: Intent) -> Price? {
    guard let resource = intent.resource, let size = resource.size else { return nil }
    return client.prices.price(of: .compute(size: size, location: resource.location))
  }

  private func end(_ open: OpenIntent, _ outcome: VMOutcome.Outcome) -> VMOutcome {
    let began = open.intent.startedAt.flatMap { try? Timestamp.date($0) }
    return VMOutcome(outcome: outcome, seconds: began.map { max(0, now.timeIntervalSince($0)) } ?? 0)
  }

  /// Jobs of others at the VM itself; an agent that does not answer says nothing, and leases speak for the rest.
  private func otherJobs() async -> [String] {
    guard let held else { return [] }
    let asked = try? await withLimit(.seconds(5), waitingFor: "the agent", clock: client.cli.clock) {
      [hooks = scope.hooks] in try await hooks.otherJobs(held.address, held.view)
    }
    return asked ?? []
  }

  /// Two that end in the same moment see each other's leases, and each would leave the VM on for the other: the one whose lease
  /// goes last sees nobody any more, and has to stop it after all.
  private func stopAndCleanUp(_ id: String) async throws -> (VMOutcome.Outcome, LeaseTags, [Leftover]) {
    while true {
      let stopped = try await stop(id)
      let (board, left) = await cleanUp(id, stopped)
      guard case .leftOn = stopped.outcome, !others(stopped.board).isEmpty, others(board).isEmpty,
        let own = stopped.board.lease(of: run), board.lease(of: run) == nil
      else { return (stopped.outcome, board, left) }
      _ = try await patience.with { try await client.merge([own.tag: own.value], of: id) }
    }
  }

  /// Leases that keep the VM on. Not those of runs that were ended here and could not be taken away since.
  private func others(_ board: LeaseTags) -> [Lease] {
    let off = Set(OpenIntent.all(in: client.state).filter { $0.isOff == true }.map(\.run))
    return board.others(than: run, at: now).filter { !ended.contains($0.run) && !off.contains($0.run) }
  }

  /// What a stop came to, and what is still to be removed.
  private struct Stopped: Sendable {
    var outcome: VMOutcome.Outcome
    var board: LeaseTags
    var claim: LeaseTags.Stopping
    /// Of closing the rule; `nil` when that was not tried yet.
    var left: [Leftover]?
  }

  private func stop(_ id: String) async throws -> Stopped {
    let elapsed = client.cli.clock.stopwatch()
    var lastTry = false
    while !lastTry {
      lastTry = elapsed() >= client.settings.stopLimit
      let claim = LeaseTags.Stopping(run: run, until: now + LeaseTags.Stopping.life)
      let board = try await patience.with {
        try await client.merge([LeaseTags.Stopping.tag: claim.value], of: id)
      }
      var others = self.others(board).map { "\($0.owner) (until \(TagMoment.text($0.until)))" }
      // Asked last: an agent that says yes takes no new job, which somebody with a lease may be about to send.
      if others.isEmpty { others = await otherJobs() }
      if !others.isEmpty {
        return Stopped(outcome: .leftOn(others.joined(separator: ", ")), board: board, claim: claim)
      }
      // Our lease is gone: it had ended, and whoever took it away has answered for the VM since.
      if board.lease(of: run) == nil {
        return Stopped(outcome: .nothingToDo("the lease was over and taken away"), board: board, claim: claim)
      }
      try await patience.with { try await client.deallocate() }
      scope.hooks.note("deallocating the VM \(client.vm)")
      async let left = closeRules()
      let isOff = try await client.waitForDeallocation(limit: client.settings.stopLimit, patience: patience)
      let closed = await left
      if isOff { return Stopped(outcome: .deallocated, board: board, claim: claim, left: closed) }
    }
    throw StopFailure(vm: client.vm, limit: client.settings.stopLimit)
  }

  /// Takes away our lease, our claim, the rule, and what others left behind that is long over. What can't be taken away is no
  /// reason to fail: by now it costs nothing.
  /// - Returns: what the tags say after it.
  private func cleanUp(_ id: String, _ stopped: Stopped) async -> (LeaseTags, [Leftover]) {
    async let rules = stopped.left == nil ? closeRules() : stopped.left ?? []
    let (board, claim) = (stopped.board, stopped.claim)
    var gone = [LeaseTags.Stopping.tag: claim.value]
    for lease in board.leases where lease.isOver(at: now) || isOurs(lease) {
      gone[lease.tag] = board[lease.tag]
    }
    let (after, tags) = await remove(gone, id, board)
    return await (after, rules + tags)
  }

  private func isOurs(_ lease: Lease) -> Bool { lease.run == run || ended.contains(lease.run) }

  private func closeRules() async -> [Leftover] {
    var left: [Leftover] = []
    for run in [run] + ended.sorted() {
      do { try await shortPatience.with { try await scope.rule.close(run) } } catch {
        let name = FirewallRule.prefix + run
        left.append(leftover("the firewall rule \(name)", error, scope.rule.removal(name)))
      }
    }
    return left
  }

  private func remove(_ gone: [String: String], _ id: String, _ board: LeaseTags) async -> (LeaseTags, [Leftover]) {
    if gone.isEmpty { return (board, []) }
    do { return (try await shortPatience.with { [gone] in try await client.remove(gone, of: id) }, []) } catch {
      let names = gone.keys.sorted().joined(separator: ", ")
      let thing = gone.count == 1 ? "the VM's tag \(names)" : "the VM's tags \(names)"
      return (board, [leftover(thing, error, client.removal(gone, of: id))])
    }
  }

  private func leftover(_ thing: String, _ error: any Error, _ call: [String]) -> Leftover {
    let cause = error as? AzureError ?? AzureError(.said(SystemErrorText.describe(error)), during: "")
    return Leftover(thing: thing, cause: cause, line: client.cli.line(call))
  }

  /// The VM was proved off by an earlier command, which could not remove all of its rule and tags. It may be on for somebody
  /// else by now: nothing is stopped.
  private func tidy(_ open: OpenIntent) async throws -> VMOutcome {
    var ended = VMOutcome(outcome: .offBefore, seconds: 0)
    ended.left = await closeRules()
    do {
      let view = try await client.view()
      var gone: [String: String] = [:]
      if let stopping = view.board.stopping, stopping.run == run { gone[LeaseTags.Stopping.tag] = stopping.value }
      if let own = view.board.lease(of: run) { gone[own.tag] = view.board[own.tag] }
      ended.left += await remove(gone, view.id, view.board).1
    } catch let error as AzureError where !error.isMissing {
      ended.left.append(leftover("what the VM's tags say of the run \(run)", error, client.viewArguments))
    }
    for one in ended.left { scope.hooks.note(one.words) }
    if ended.left.isEmpty { try open.clear() }
    return ended
  }

  /// Adds the time to the month's sum at the VM: after everything that matters, once, and briefly. A sum that is a little
  /// short is no reason to fail, and the ledger here has the time already.
  private func count(_ intent: Intent, _ ended: VMOutcome, _ board: LeaseTags, _ id: String) async {
    guard let from = intent.startedAt.flatMap({ try? Timestamp.date($0) }) else { return }
    if case .nothingToDo = ended.outcome { return }  // how long it was on after the lease is not known
    let tags = MonthTag.tags(adding: BilledTime(from: from, to: from + ended.seconds), to: board)
    _ = try? await withLimit(.seconds(20), waitingFor: "the month's sum", clock: client.cli.clock) { [client] in
      try await client.merge(tags, of: id)
    }
  }

  private func keep(_ open: OpenIntent, _ id: String, for time: Duration) async throws -> VMOutcome {
    let until = now + time / .seconds(1)
    let lease = Lease(
      run: run, until: until, generation: held?.view.board.nextGeneration ?? 1, kind: .keep,
      owner: scope.request.owner)
    let board = try await patience.with { try await client.merge([lease.tag: lease.value], of: id) }
    let intent = open.intent
    let ended = finish(open, .kept(until: until), [])
    await count(intent, ended, board, id)
    return ended
  }
}

extension AzureClient {
  private static var lookEvery: Duration { .seconds(2) }

  /// Waits until the VM is deallocated.
  /// - Returns: false when it is on again or the limit passes: the request has to be made once more.
  func waitForDeallocation(limit: Duration, patience: RetryPolicy) async throws -> Bool {
    let elapsed = cli.clock.stopwatch()
    var looksWhileOn = 0
    while elapsed() < limit {
      let power = try await patience.with { try await view() }.power
      if power == .deallocated { return true }
      // Right after the request the view may still be the old one.
      if power == .running { looksWhileOn += 1 }
      if looksWhileOn > 3 { return false }
      try await cli.clock.sleep(for: Self.lookEvery)
    }
    return false
  }

  /// Waits for another controller's stop to end, one way or the other: deallocated, or the claim taken back or over.
  func waitForStop(of run: String, limit: Duration) async throws -> VMView {
    try await withLimit(limit, waitingFor: "another run to stop the VM \(vm)", clock: cli.clock) {
      while true {
        let seen = try await view()
        if seen.power == .deallocated || !seen.board.isBeingStopped(byOtherThan: run, at: cli.now()) { return seen }
        try await cli.clock.sleep(for: Self.lookEvery)
      }
    }
  }
}

/// The VM could not be stopped.
public struct StopFailure: UserFacingError {
  public var vm: AzureVM
  public var cause: AzureError?
  public var limit: Duration

  public var what: String { "the VM \(vm) could not be stopped and may still be on: it costs money" }
  public var why: String? {
    (cause.map { "\($0.what)\($0.why.map { ": \($0)" } ?? "")" } ?? "Azure did not say that it is deallocated")
      + "\ntried for \(limit.words)"
  }
  public var fix: String {
    """
    cf-bench reap, or by hand: az vm deallocate --resource-group \(ShellWord.quoted(vm.group)) --name \(ShellWord.quoted(vm.name))
    Its own watchdog stops it too once it has been idle for a while.
    """
  }
  public var exitStatus: ExitStatus { .infrastructure }

  /// The same with what had gone wrong before.
  func after(_ error: any Error) -> Problem {
    Problem(
      what: what, why: "\(why ?? "")\nbefore that: \(SystemErrorText.describe(error))", fix: fix, exitStatus: exitStatus
    )
  }
}
