import FoundationEssentials
import Shared

/// Finishes what dead commands left: open intents of this machine, and VMs whose leases are over, whoever wrote them.
public struct Reaper: Sendable {
  public var client: AzureClient
  public var note: @Sendable (String) -> Void

  public init(client: AzureClient, note: @escaping @Sendable (String) -> Void) {
    self.client = client
    self.note = note
  }

  private var cli: AzureCLI { client.cli }
  private var state: StateFolder { client.state }
  private var now: Date { cli.now() }

  /// One thing that was found, and what became of it.
  public struct Finding: Codable, Sendable, Equatable {
    public var vm: String
    public var run: String
    public var owner: String
    /// `intent`: of a dead command here; `lease`: one that is over; `rule`: a port left open.
    public var kind: String
    /// `deallocated`, `left on for …`, `kept on until …`, `failed: …`, and what could not be removed.
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
      note("finishing what the run \(intent.run) left (\(intent.words) since \(intent.since))")
      try await Orphans.wait(for: intent.run, limit: cli.callLimit, clock: cli.clock)
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
    try await client.retry(for: .seconds(60), note: note).with {
      try await cli.ask([VMView].self, ["vm", "list"] + (group.map { ["--resource-group", $0] } ?? []))
    }
  }

  private func reap(_ vm: AzureVM, _ listed: VMView) async -> [Finding] {
    guard let over = listed.board.overdue(at: now).first else { return [] }
    var intent = Intent(run: over.run, owner: over.owner, vm: vm, at: now)
    if listed.board.leases.contains(where: { !$0.isOver(at: now) }) {
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
    func made(_ run: String, _ result: String, isFailure: Bool) -> Finding {
      Finding(vm: vm.description, run: run, owner: "?", kind: "rule", result: result, isFailure: isFailure)
    }
    do {
      return try await FirewallRule(client: client.of(vm)).sweep().map { made($0, "closed", isFailure: false) }
    } catch {
      return [made("?", "failed: \(SystemErrorText.describe(error))", isFailure: true)]
    }
  }

  /// Removes leases that are over from a VM that others want.
  private func forget(_ view: VMView) async throws {
    var gone: [String: String] = [:]
    for lease in view.board.overdue(at: now) { gone[lease.tag] = view.board[lease.tag] }
    _ = try await client.retry(for: .seconds(60), note: note).with { [gone] in
      try await client.remove(gone, of: view.id)
    }
  }

  private func release(_ open: OpenIntent) async throws -> VMOutcome {
    try await MachineScope(givingBack: open.intent, client: client, note: note).giveBack(open)
  }

  private func finding(kind: String, _ intent: Intent, _ body: () async throws -> VMOutcome) async -> Finding {
    func made(_ result: String, isFailure: Bool = false) -> Finding {
      Finding(
        vm: intent.machine.description, run: intent.run, owner: intent.owner, kind: kind, result: result,
        isFailure: isFailure)
    }
    do {
      let ended = try await body()
      var words = ended.outcome.words
      if case .nothingToDo(let why) = ended.outcome { words = "nothing to do: \(why)" }
      return made(([words] + ended.left.map(\.words)).joined(separator: "; "))
    } catch {
      let why = (error as? any UserFacingError)?.why.map { ": \($0)" } ?? ""
      return made("failed: \(SystemErrorText.describe(error))\(why)", isFailure: true)
    }
  }
}
