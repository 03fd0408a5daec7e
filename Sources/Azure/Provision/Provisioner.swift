import FoundationEssentials
import Shared

/// Makes the VM and what belongs to it, waits for its first boot, and learns its host key. What is there stays.
public struct Provisioner: Sendable {
  public var client: AzureClient
  public var spec: MachineSpec
  public var run: String
  public var owner: String
  /// Looks inside and repeats the steps there, even if all is known already.
  public var refreshes: Bool
  /// How long the first boot may take.
  public var bootLimit: Duration
  public var stopLimit: Duration
  public var state: StateFolder
  public var environment: [String: String]
  public var note: @Sendable (String) -> Void

  public init(
    client: AzureClient, spec: MachineSpec, run: String, owner: String, refreshes: Bool = false,
    bootLimit: Duration = .seconds(1800), stopLimit: Duration, state: StateFolder, environment: [String: String],
    note: @escaping @Sendable (String) -> Void
  ) {
    self.client = client
    self.spec = spec
    self.run = run
    self.owner = owner
    self.refreshes = refreshes
    self.bootLimit = bootLimit
    self.stopLimit = stopLimit
    self.state = state
    self.environment = environment
    self.note = note
    self.client.cli.environment[Orphans.mark] = run
  }

  /// What became of it.
  public struct Made: Sendable {
    /// Purposes of the steps that were needed.
    public var done: [String]
    /// Whether the VM had to be on for this.
    public var wasOn: Bool
    public var hostKey: String
  }

  private var patience: Patience { Patience(limit: .seconds(120), note: note) }

  private var lease: Lease {
    Lease(run: run, until: .now + bootLimit / .seconds(1) + 1800, generation: 1, kind: .run, owner: owner)
  }

  public func plan() async throws -> ProvisionPlan {
    var known = spec
    known.image = try await ImageVersion(cli: client.cli).resolved(spec.image, location: spec.location)
    let account = try await patience.with {
      try await client.cli.ask(
        Account.self, ["account", "show"] + (spec.vm.subscription.map { ["--subscription", $0] } ?? []))
    }
    return ProvisionPlan(spec: known, subscription: account.id, tags: [lease.tag: lease.value])
  }

  /// Carries the plan out. `whenOn` runs while the VM is on and its host key is known; then the VM is given back.
  /// - Parameter learned: takes the host key, to be kept, before anybody connects.
  public func provision(
    learned: @Sendable (String) throws -> Void, whenOn: @Sendable () async throws -> Void
  ) async throws -> Made {
    let plan = try await plan()
    var done = try await carryOut(plan.ground)
    var view = try await existing()
    let known = view?.tags[MachineSpec.hostKeyTag]
    if let view, let known, !refreshes {
      try learned(known)
      done += try await carryOut(plan.nets(principal: view.identity?.principalId ?? ""))
      return Made(done: done, wasOn: false, hostKey: known)
    }
    let open = try OpenIntent.create(Intent(run: run, owner: owner, vm: spec.vm), in: state)
    do {
      try open.enter(.starting)
      if let view { try await bringUp(view, open) } else { done += try await carryOut([plan.machine]) }
      view = try await patience.with { try await client.view() }
      guard let view else { throw CancellationError() }
      try open.enter(.on, view)
      done += try await carryOut(plan.nets(principal: view.identity?.principalId ?? ""))
      let key = try await waitForGuest()
      try learned(key)
      let tags = [MachineSpec.hostKeyTag: key, MachineSpec.versionTag: Version.current]
      _ = try await patience.with { try await client.merge(tags, of: view.id) }
      try await whenOn()
      try await giveBack(open)
      return Made(done: done, wasOn: true, hostKey: key)
    } catch {
      let original = error
      do { try await giveBack(open) } catch let failure as StopFailure { throw failure.after(original) }
      throw original
    }
  }

  private func giveBack(_ open: OpenIntent) async throws {
    let wish = MachineWish(
      vm: spec.vm, run: run, owner: owner, lease: .zero, source: .asItIs, addressService: "", stopLimit: stopLimit)
    let scope = MachineScope(
      client: client, wish: wish, hooks: MachineHooks(answers: { _, _ in false }, note: note), state: state,
      environment: environment)
    nonisolated(unsafe) let held = open  // the caller only waits
    _ = try await Task { try await Release(scope: scope, held: nil).carryOut(held) }.value
  }

  private func existing() async throws -> VMView? {
    do { return try await patience.with { try await client.view() } } catch let error as AzureError
      where error.isMissing
    {
      return nil
    }
  }

  /// Makes what is not there.
  /// - Returns: the purposes of what was made.
  private func carryOut(_ steps: [AzureStep]) async throws -> [String] {
    var done: [String] = []
    for step in steps {
      if let look = step.look, try await isThere(look, step.emptyAnswer) { continue }
      note("making \(step.purpose)")
      // A new identity takes a while to be known everywhere, and so does a new role.
      let late = ["PrincipalNotFound", "RoleDefinitionDoesNotExist"]
      _ = try await Patience(limit: .seconds(180), note: note).with {
        try await client.cli.call(step.arguments, limit: .seconds(900))
      } isPassing: {
        $0.isTransient || late.contains($0.code)
      }
      done.append(step.purpose)
    }
    return done
  }

  private func isThere(_ look: [String], _ emptyAnswer: String?) async throws -> Bool {
    do {
      let answer = try await patience.with { try await client.cli.call(look + ["--output", "json"]) }
      return answer.filter { !$0.isWhitespace } != emptyAnswer
    } catch let error as AzureError where error.isMissing { return false }
  }

  private func bringUp(_ view: VMView, _ open: OpenIntent) async throws {
    try open.enter(.starting, view)
    _ = try await patience.with { try await client.merge([lease.tag: lease.value], of: view.id) }
    note("starting the VM \(spec.vm)")
    try await patience.with { try await client.start() }
    try await withLimit(.seconds(900), waitingFor: "the VM \(spec.vm) to be on") { [self] in
      while try await patience.with({ try await client.view() }).power != .running {
        try await Task.sleep(for: .seconds(3))
      }
    }
  }

  /// Asks inside again and again: each time through Azure, since nobody is let in yet.
  private func waitForGuest() async throws -> String {
    try await withLimit(bootLimit, waitingFor: "the VM's first boot to end") { [self] in
      var repeats = refreshes
      while true {
        let script = repeats ? "/usr/local/lib/cf-bench/provision || true\n" + GuestVerdict.script : GuestVerdict.script
        let verdict = try await patience.with {
          GuestVerdict(output: try await client.runInside(script, limit: bootLimit))
        } isPassing: {
          $0.isTransient || $0.code == "OperationNotAllowed"
        }
        repeats = false
        switch verdict.state {
        case .ready: if let key = verdict.hostKey { return key }
        case .failed(let step, let words): throw GuestFailure(vm: spec.vm, step: step, words: words)
        case .busy(let words): note("the VM sets itself up (cloud-init: \(words))")
        }
        try await Task.sleep(for: .seconds(5))
      }
    }
  }
}
