import FoundationEssentials
import Shared

/// Makes the VM and what belongs to it, waits for its first boot, and learns its host key. What is there stays or is mended.
public struct Provisioner: Sendable {
  public var client: AzureClient
  public var spec: MachineSpec
  public var run: String
  public var owner: String
  /// Looks inside and repeats the steps there, even if all is known already.
  public var refreshes: Bool
  /// The host key that this machine trusts; a tag that says otherwise is not believed.
  public var trusted: String?
  public var note: @Sendable (String) -> Void

  public init(
    client: AzureClient, spec: MachineSpec, run: String, owner: String, refreshes: Bool = false, trusted: String? = nil,
    note: @escaping @Sendable (String) -> Void
  ) {
    self.client = client
    self.spec = spec
    self.run = run
    self.owner = owner
    self.refreshes = refreshes
    self.trusted = trusted
    self.note = note
    self.client.cli.environment[Orphans.mark] = run
  }

  /// What became of it.
  public struct Made: Sendable {
    /// Purposes of the steps that were needed.
    public var done: [String]
    public var hostKey: String
    /// How having had it on ended; `nil` when it did not have to be on.
    public var end: VMOutcome.Outcome?
  }

  private var patience: RetryPolicy { client.retry(for: .seconds(120), note: note) }

  /// Covers the first boot and what follows it.
  private func lease(_ generation: Int = 1) -> Lease {
    Lease(
      run: run, until: client.cli.now() + spec.settings.setupLimit / .seconds(1) + 1800, generation: generation,
      kind: .run, owner: owner)
  }

  private func runner(_ plan: ProvisionPlan) -> StepRunner {
    StepRunner(client: client, note: note) { [cli = client.cli] in plan.line($0, cli) }
  }

  /// - Parameter machineIsThere: then its image is not looked up, which takes Azure half a minute.
  private func plan(machineIsThere: Bool = false) async throws -> ProvisionPlan {
    var known = spec
    if !machineIsThere {
      known.image = try await ImageVersion(cli: client.cli).resolved(spec.image, location: spec.settings.location)
      if known.image != spec.image { note("the newest \(spec.image) is \(known.image)") }
    }
    let account = try await patience.with {
      try await client.cli.ask(
        Account.self, ["account", "show"] + (spec.vm.subscription.map { ["--subscription", $0] } ?? []))
    }
    return ProvisionPlan(spec: known, subscription: account.id, tags: [lease().tag: lease().value])
  }

  /// Every call as a person could paste it, each with what it is for; those of what is there already as comments, and so
  /// those that follow while the VM is on.
  /// - Returns: also whether there is a VM already.
  public func dryRun() async throws -> (lines: [String], isThere: Bool) {
    let view = try await patience.with { try await client.existing() }
    let plan = try await plan(machineIsThere: view != nil)
    var lines: [String] = []
    for step in plan.all(view?.identity?.principalId.map { .known($0) } ?? .ofTheVM) {
      let isNeeded = try await runner(plan).isNeeded(step)
      let line = plan.line(step, client.cli)
      if !isNeeded, step.onlyMends { continue }
      lines += isNeeded ? ["# \(step.purpose)", line] : ["# there already: \(step.purpose)", "# \(line)"]
    }
    if view.flatMap(knownKey) == nil || refreshes {
      lines.append("# then, by cf-bench provision, while the VM is on:")
      if view != nil { lines += ["# it is started", "# " + client.cli.line(client.startArguments)] }
      for step in plan.inside(run: run) { lines += ["# \(step.purpose)", "# \(client.cli.line(step.arguments))"] }
    }
    return (lines, view != nil)
  }

  /// Makes it. `whenOn` runs while the VM is on and its host key is known; then the VM is given back.
  /// - Parameters:
  ///   - prepare: sees to the key to log in with, before anything is made; told whether the VM is there.
  ///   - learned: takes the host key, to be kept, before anybody connects.
  public func provision(
    prepare: @Sendable (_ isThere: Bool) async throws -> Void,
    learned: @Sendable (String) throws -> Void, whenOn: @Sendable () async throws -> Void
  ) async throws -> Made {
    let before = try await patience.with { try await client.existing() }
    if let before { try compare(before) }
    try await prepare(before != nil)
    let plan = try await plan(machineIsThere: before != nil)
    var done = try await runner(plan).carryOut([plan.group])
    done += try await runner(plan).carryOut(plan.ground, inNew: !done.isEmpty)
    if let before, let key = knownKey(of: before), !refreshes {
      try learned(key)
      done += try await nets(plan, before, isNew: false)
      return Made(done: done, hostKey: key, end: nil)
    }
    let intent = Intent(run: run, owner: owner, vm: spec.vm, at: client.cli.now())
    let open = try OpenIntent.create(intent, in: client.state)
    let key: String
    do {
      done += try await bringUp(before, plan, open)
      key = try await setUp(plan, isNew: before == nil, open, &done)
      try learned(key)
      try await whenOn()
      if let id = open.intent.resource?.id {
        _ = try await patience.with { try await client.merge([MachineSpec.readyTag: Version.current], of: id) }
      }
    } catch {
      let original = error
      do { _ = try await giveBack(open) } catch let failure as StopFailure { throw failure.after(original) }
      throw original
    }
    return Made(done: done, hostKey: key, end: try await giveBack(open))
  }

  /// The host key of a VM in which nothing has to be learned or brought.
  private func knownKey(of view: VMView) -> String? {
    guard let told = view.tags[MachineSpec.hostKeyTag] else { return nil }
    guard view.tags[MachineSpec.readyTag] == Version.current else {
      let brought = view.tags[MachineSpec.readyTag].map { "are those of \($0)" } ?? "were not all brought"
      note("the programs on the VM \(brought): bringing those of \(Version.current)")
      return nil
    }
    if let trusted, trusted != told {
      note("the VM's tag names another host key than the one kept here: asking the VM itself, through Azure")
      return nil
    }
    return told
  }

  /// The VM is there, but perhaps not as the settings have it: that can't be changed by asking again.
  private func compare(_ view: VMView) throws {
    let others = view.board.others(than: run, at: client.cli.now()).filter { $0.owner != owner }
    if refreshes, let other = others.first {
      throw Problem(
        what: "the VM \(spec.vm) is in use, and --refresh would disturb what is measured there",
        why: "\(other.owner) has it until \(TagMoment.text(other.until))", fix: "wait for its end",
        exitStatus: .infrastructure)
    }
    if let sent = view.tags[MachineSpec.customDataTag], sent != spec.customData.digest {
      note(
        "the VM was made with another cloud-init file, which Azure never hands out again: "
          + "cf-bench deprovision, then provision makes one with this file")
    }
    if let size = view.size, size.lowercased() != spec.settings.size.lowercased() {
      note(
        "the VM that is there is a \(size), not a \(spec.settings.size): cf-bench deprovision, then provision makes another"
      )
    }
    if view.location.lowercased() != spec.settings.location.lowercased() {
      note("the VM that is there is in \(view.location), not in \(spec.settings.location)")
    }
  }

  private func bringUp(_ before: VMView?, _ plan: ProvisionPlan, _ open: OpenIntent) async throws -> [String] {
    guard let before else {
      try open.enter(.starting, at: client.cli.now())
      return try await runner(plan).carryOut([plan.machine], inNew: true)
    }
    try open.enter(.leasing, before)
    let own = lease(before.board.nextGeneration)
    let board = try await patience.with { try await client.merge([own.tag: own.value], of: before.id) }
    if board.isBeingStopped(byOtherThan: run, at: client.cli.now()) {
      note("another run is stopping the VM; waiting for its end")
      _ = try await client.waitForStop(of: run, limit: client.settings.stopLimit)
    }
    try open.enter(.starting, at: client.cli.now())
    try await Boot(client: client, note: note).start()
    return []
  }

  /// - Returns: the host key.
  private func setUp(
    _ plan: ProvisionPlan, isNew: Bool, _ open: OpenIntent, _ done: inout [String]
  ) async throws -> String {
    let view = try await patience.with { try await client.view() }
    try open.enter(.on, view)
    done += try await nets(plan, view, isNew: isNew)
    let boot = FirstBoot(client: client, note: note)
    let key = try await boot.finish(repeats: refreshes && !isNew, mayRepeat: !isNew)
    let tags = [MachineSpec.hostKeyTag: key, MachineSpec.versionTag: Version.current]
    _ = try await patience.with { try await client.merge(tags, of: view.id) }
    return key
  }

  private func nets(_ plan: ProvisionPlan, _ view: VMView, isNew: Bool) async throws -> [String] {
    if let principal = view.identity?.principalId {
      return try await runner(plan).carryOut(plan.nets(.known(principal)), inNew: isNew)
    }
    let made = try await runner(plan).carryOut([plan.identity])
    guard let principal = try await patience.with({ try await client.view() }).identity?.principalId else {
      throw AzureError(.unreadable(excerpt: "the VM has no identity after it got one"), during: "vm identity assign")
    }
    return made + (try await runner(plan).carryOut(plan.nets(.known(principal))))
  }

  private func giveBack(_ open: OpenIntent) async throws -> VMOutcome.Outcome {
    try await MachineScope(givingBack: open.intent, client: client, note: note).giveBack(open).outcome
  }
}

/// Starts a VM without trying to reach it.
struct Boot: Sendable {
  var client: AzureClient
  var note: @Sendable (String) -> Void

  private static let lookEvery = Duration.seconds(2)

  func start() async throws {
    let limit = client.settings.startLimit
    let patience = client.retry(for: limit, note: note)
    try await withLimit(limit, waitingFor: "the VM \(client.vm) to be on", clock: client.cli.clock) {
      var hasAsked = false
      while true {
        let seen = try await patience.with { try await client.view() }
        switch seen.power {
        case .running: return
        case .starting, .stopping, .deallocating: break
        case .stopped, .deallocated, .unknown:
          // A start that nobody waits for tells of its failure here only.
          if hasAsked, let failure = seen.failure { throw failure }
          if !hasAsked {
            note("starting the VM \(client.vm)")
            try await patience.with { try await client.start() }
            hasAsked = true
          }
        }
        try await client.cli.clock.sleep(for: Self.lookEvery)
      }
    }
  }
}
