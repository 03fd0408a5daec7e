import Azure
import Foundation
import SSH
import Shared

/// What having the VM came to: for the summary, the comment and the ledger's reader.
typealias MachineUseRecord = RunCost

extension MachineAccess {
  var azureClient: AzureClient { AzureClient(settings: settings.azure, environment: environment) }

  var state: StateFolder { azureClient.state }

  func withAzure<Result: Sendable>(
    _ claim: Claim, note: @escaping @Sendable (String) -> Void, _ body: (MachineAddress) async throws -> Result
  ) async throws -> (result: Result, use: MachineUseRecord?) {
    try await settle(note: note)
    await refreshPricesForLimit()
    let book = azureClient.prices
    let (pair, end) = try await azureScope(claim, note: note).with { held in
      // Beside the work: nobody waits for a price while the VM is on.
      async let asked: Void = book.refresh(
        size: held.view.size ?? settings.azure.size, diskGB: settings.azure.diskGB, location: held.view.location)
      let result = try await body(try address(at: held.address, view: held.view))
      await asked
      return (result, held)
    }
    let (result, held) = pair
    note("the VM is \(end.outcome.words)")
    let price = held.view.size.flatMap { book.price(of: .compute(size: $0, location: held.view.location)) }
    let use = MachineUseRecord(
      machine: settings.azure.machine.description, size: held.view.size, location: held.view.location,
      seconds: end.seconds, wasOn: held.wasOn, end: end.outcome.words, usdPerHour: price?.usd, priceAsOf: price?.asOf,
      priceSource: price?.source.rawValue)
    return (result, use)
  }

  /// Finishes what earlier commands of this machine left, before anything new.
  func settle(note: @escaping @Sendable (String) -> Void) async throws {
    let findings = try await Reaper(client: azureClient, note: note).settleIntents()
    for finding in findings { note("\(finding.vm), left by \(finding.run): \(finding.result)") }
  }

  func azureScope(_ claim: Claim, kind: Lease.Kind = .run, note: @escaping @Sendable (String) -> Void) -> MachineScope {
    let request = VMRequest(
      run: claim.run, owner: claim.owner, kind: kind, lease: claim.lease, keepRunning: settings.keepRunning)
    let hooks = MachineHooks(
      answers: { address, view in try await answers(at: address, view) },
      otherJobs: { address, view in try await otherJobs(at: address, view, than: claim.run) },
      mayStart: { view in try mayStart(claim, view) }, note: note)
    return MachineScope(client: azureClient, request: request, hooks: hooks)
  }

  /// Throws when the start would take the month over `azure.monthly-limit`.
  func mayStart(_ claim: Claim, _ view: VMView) throws {
    guard let limit = settings.azure.monthlyLimit else { return }
    let vm = settings.azure.machine
    let book = azureClient.prices
    let month = Spending(UsageLog(state: state).content()) { size, location in
      size.flatMap { size in location.flatMap { book.price(of: .compute(size: size, location: $0))?.usd } }
    }.part(Month.name(), of: vm)
    let expected = (claim.expected ?? claim.lease) + (settings.keepRunning ?? .zero)
    try SpendingLimit(limit: limit, expected: expected, ledger: month) { size, location in
      book.price(of: .compute(size: size, location: location))
    }.check(view, vm: vm, run: claim.run)
  }

  /// Before anything is started, and only where a price decides: a fresh one if the list answers within seconds.
  func refreshPricesForLimit() async {
    guard settings.azure.monthlyLimit != nil else { return }
    await azureClient.prices.refresh(
      size: settings.azure.size, diskGB: settings.azure.diskGB, location: settings.azure.location)
  }

  /// Names and sources of our rules that let somebody in.
  func openRules() async throws -> [String] {
    try await FirewallRule(client: azureClient).open().map { "\($0.name) for \($0.sourceAddressPrefix ?? "several")" }
  }

  func address(at address: String, view: VMView) throws -> MachineAddress {
    let azure = settings.azure
    let name = "\(azure.vm) (\(address))"
    let methods = try loginMethods(for: name)
    return MachineAddress(
      destination: SSHDestination(host: address, port: azure.sshPort, user: azure.user), authentication: methods,
      knownHosts: [
        try AzureHostKey(state: state, vm: azure.machine).knownHosts(at: address, port: azure.sshPort, view: view)
      ], name: name)
  }

  /// How to log in to the VM: the key that is set, the one that provision made, else what ssh would use.
  func loginMethods(for name: String) throws -> [SSHAuthentication] {
    let own = state.keys(of: settings.azure.machine) + "/id_ed25519"
    guard identity.keyFile == nil, FileManager.default.fileExists(atPath: own) else {
      return try identity.methods(for: name)
    }
    return [.keyFile(path: own, passphrase: nil)]
  }

  /// Whether the VM lets us in. Not yet is no error; another host key or a key that it does not take is.
  func answers(at text: String, _ view: VMView) async throws -> Bool {
    let machine = try address(at: text, view: view)
    var limits = SSHLimits()
    limits.connect = .seconds(3)
    limits.handshake = .seconds(10)
    do {
      let connection = try await SSHConnection.connect(
        to: machine.destination, authentication: machine.authentication, knownHosts: machine.knownHosts, limits: limits)
      await connection.close()
      return true
    } catch let error as SSHError where error.mayPass { return false }
  }

  /// Jobs of others that run or wait there. An agent that can, answers under its queue's lock, and begins no job after a no to
  /// this; an older one says who is there at the moment.
  private func otherJobs(at text: String, _ view: VMView, than run: String) async throws -> [String] {
    let agent = try AgentBinary.find(environment: environment)
    return try await withAgentSession(try address(at: text, view: view), agent: agent, note: { _ in }) {
      session, hello in
      func words(_ jobs: [Occupancy.Entry]) -> [String] {
        jobs.map { "\($0.owner), whose job is \($0.state.rawValue) there" }
      }
      if hello.has(.mayStop) {
        let request = AgentRequest.mayStop(MayStopRequest(run: run))
        guard
          case .mayStop(let reply) = try await session.answer(
            to: request, within: .seconds(5), waitingFor: "whether the machine may be stopped")
        else { return [] }
        return reply.allowed ? [] : words(reply.holders)
      }
      guard
        case .occupancy(let found) = try await session.answer(
          to: .occupancy, within: .seconds(5), waitingFor: "whose jobs are there")
      else { return [] }
      return words(found.jobs.filter { $0.job.text != run })
    }
  }
}

extension SSHError {
  /// A host that is still coming up: no route, nobody listening, a connection that breaks before a key was shown.
  var mayPass: Bool {
    switch step {
    case .resolve, .connect, .handshake: true
    case .hostKey: if case .hostKey = cause { false } else { true }
    default: if case .lost = cause { true } else if case .limitPassed = cause { true } else { false }
    }
  }
}
