import FoundationEssentials
import Shared

/// Finishes what dead commands left: open intents of this machine, and VMs whose leases are over, whoever wrote them.
public struct Reaper: Sendable {
  public var cli: AzureCLI
  public var state: StateFolder
  public var environment: [String: String]
  public var stopLimit: Duration
  public var note: @Sendable (String) -> Void

  public init(
    cli: AzureCLI, state: StateFolder, environment: [String: String], stopLimit: Duration,
    note: @escaping @Sendable (String) -> Void
  ) {
    self.cli = cli
    self.state = state
    self.environment = environment
    self.stopLimit = stopLimit
    self.note = note
  }

  /// One thing that was found, and what became of it.
  public struct Finding: Codable, Sendable, Equatable {
    public var vm: String
    public var run: String
    public var owner: String
    /// `intent`: of a dead command here; `lease`: one that is over; `rule`: a port left open.
    public var kind: String
    /// `deallocated`, `left on: …`, `kept …`, `failed: …`.
    public var result: String
    public var isFailure: Bool
  }

  /// Finishes this machine's own abandoned intents.
  public func settleIntents() async throws -> [Finding] {
    var findings: [Finding] = []
    let abandoned = OpenIntent.abandoned(in: state) { file in
      findings.append(
        Finding(
          vm: "?", run: file, owner: "?", kind: "intent",
          result: "failed: the file can't be read; look at the VM with 'cf-bench status', then remove the file",
          isFailure: true))
    }
    for open in abandoned {
      let intent = open.intent
      note("finishing what the run \(intent.run) left (\(intent.phase.rawValue) since \(intent.since))")
      try await Orphans.wait(for: intent.run, limit: cli.callLimit)
      findings.append(await finding(kind: "intent", intent) { try await release(open) })
    }
    return findings
  }

  /// All VMs of the subscription that carry our tags and whose leases are all over; of one group when that is named.
  public func reapLeases(group: String?) async throws -> [Finding] {
    let machines: [VMView]
    do { machines = try await list(group) } catch let error as AzureError where error.isMissing { return [] }
    var findings: [Finding] = []
    for listed in machines where listed.isOurs {
      let vm = AzureVM(subscription: cli.subscription, group: listed.group, name: listed.name)
      findings += await reap(vm, listed)
      findings += await sweep(vm)
    }
    return findings
  }

  private func list(_ group: String?) async throws -> [VMView] {
    try await RetryPolicy(limit: .seconds(60), note: note).with {
      try await cli.ask([VMView].self, ["vm", "list"] + (group.map { ["--resource-group", $0] } ?? []))
    }
  }

  private func reap(_ vm: AzureVM, _ listed: VMView) async -> [Finding] {
    guard let over = listed.board.overdue().first else { return [] }
    var intent = Intent(run: over.run, owner: over.owner, vm: vm)
    if listed.board.leases.contains(where: { !$0.isOver() }) {
      return [
        await finding(kind: "lease", intent) {
          try await forget(listed)
          return VMOutcome(outcome: .leftOn("others"), seconds: 0)
        }
      ]
    }
    intent.resource = Intent.Resource(id: listed.id, size: listed.size, location: listed.location)
    return [
      await finding(kind: "lease", intent) { [intent] in
        let open = try OpenIntent.create(intent, in: state)
        try open.enter(.stopping)
        return try await release(open)
      }
    ]
  }

  private func sweep(_ vm: AzureVM) async -> [Finding] {
    let door = FirewallRule(
      client: AzureClient(cli: cli, vm: vm), environment: environment, source: .asItIs, addressService: "", port: 22)
    func made(_ run: String, _ result: String, isFailure: Bool) -> Finding {
      Finding(vm: vm.description, run: run, owner: "?", kind: "rule", result: result, isFailure: isFailure)
    }
    do { return try await door.sweep().map { made($0, "closed", isFailure: false) } } catch {
      return [made("?", "failed: \(SystemErrorText.describe(error))", isFailure: true)]
    }
  }

  /// Removes leases that are over from a VM that others want.
  private func forget(_ view: VMView) async throws {
    var gone: [String: String] = [:]
    for lease in view.board.overdue() { gone[lease.tag] = view.board[lease.tag] }
    let client = AzureClient(cli: cli, vm: AzureVM(group: view.group, name: view.name))
    _ = try await RetryPolicy(limit: .seconds(60), note: note).with { [gone] in
      try await client.remove(gone, of: view.id)
    }
  }

  private func release(_ open: OpenIntent) async throws -> VMOutcome {
    let intent = open.intent
    // Nothing is opened here, so neither address nor port matter.
    let wish = VMRequest(
      vm: intent.machine, run: intent.run, owner: intent.owner, lease: .zero, source: .asItIs, addressService: "",
      stopLimit: stopLimit)
    let scope = MachineScope(
      client: AzureClient(cli: cli, vm: intent.machine), wish: wish,
      hooks: MachineHooks(answers: { _, _ in false }, note: note), state: state, environment: environment)
    nonisolated(unsafe) let open = open  // the caller only waits
    return try await Task { try await VMDeallocation(scope: scope, held: nil).carryOut(open) }.value
  }

  private func finding(kind: String, _ intent: Intent, _ body: () async throws -> VMOutcome) async -> Finding {
    func made(_ result: String, isFailure: Bool = false) -> Finding {
      Finding(
        vm: intent.machine.description, run: intent.run, owner: intent.owner, kind: kind, result: result,
        isFailure: isFailure)
    }
    do {
      switch try await body().outcome {
      case .deallocated: return made("deallocated")
      case .leftOn(let others): return made("left on for \(others)")
      case .kept(let until): return made("kept on until \(TagMoment.text(until))")
      case .nothingToDo(let why): return made("nothing to do: \(why)")
      }
    } catch {
      let why = (error as? any UserFacingError)?.why.map { ": \($0)" } ?? ""
      return made("failed: \(SystemErrorText.describe(error))\(why)", isFailure: true)
    }
  }
}
