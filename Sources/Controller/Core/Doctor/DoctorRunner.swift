import Azure
import Foundation
import Shared

/// Looks at everything that a measurement needs, without measuring.
struct DoctorRunner {
  var machine: MachineAccess
  var request: DoctorRequest
  /// Whether a VM that is off is started for the checks that need it on, and stopped after them.
  var startsMachine = false
  /// Says to the person what goes on.
  var note: @Sendable (String) -> Void = { _ in }

  func examine() async -> DoctorReport {
    var checks = [
      await tool("git", why: "needed for revisions of a repository here"),
      await tool("tar", why: "needed for path: revisions"),
    ]
    var agent: AgentBinary?
    do {
      let found = try AgentBinary.find(environment: machine.environment)
      agent = found
      checks.append(
        DoctorCheck(
          id: "here.agent", status: .ok,
          detail: "\(found.path), \(Numbers.bytes(found.bytes)), \(found.sha256.prefix(12))"))
    } catch { checks.append(DoctorCheck(id: "here.agent", failure: error)) }
    if machine.choice == .azure {
      note("asking Azure")
      let doctor = azureDoctor
      let chain = await doctor.examine()
      checks += chain
      checks += await far(agent, doctor.facts.seenView, chain)
    } else if let agent {
      checks += await held(agent)
    }
    return DoctorReport(machine: machine.choice.description, checks: checks)
  }

  private var azureDoctor: AzureDoctor {
    let isWorkflow = machine.environment["GITHUB_ACTIONS"] == "true"
    return AzureDoctor(
      checks: AzureCheck.chain(isWorkflow: isWorkflow) + machine.keyChecks + AzureCheck.surroundings,
      facts: AzureFacts(client: machine.azureClient))
  }

  // MARK: The benchmark host

  /// The VM from inside: where it is on, or may be started.
  private func far(_ agent: AgentBinary?, _ view: VMView?, _ chain: [DoctorCheck]) async -> [DoctorCheck] {
    func unseen(_ why: String, fix: String? = nil) -> [DoctorCheck] {
      [DoctorCheck(id: "far.connection", status: .skipped, detail: "not checked: \(why)", fix: fix)]
    }
    guard let agent else { return unseen("needs here.agent") }
    guard let view else { return unseen("needs azure.vm") }
    if startsMachine {
      if let bad = chain.first(where: { $0.status == .failed }) {
        return unseen("the VM is not started until \(bad.id) is fixed")
      }
      return await held(agent)
    }
    guard view.power == .running else {
      return unseen("the VM is off", fix: "cf-bench doctor --start starts it, checks it from inside, and stops it")
    }
    note("asking the VM")
    do {
      let address = try await machine.azureClient.address()
      guard try await machine.answers(at: address, view) else {
        return [
          DoctorCheck(
            id: "far.connection", status: .warning,
            detail: "the VM is on but does not answer here: its port is open to others only, or it is just starting",
            fix: "cf-bench doctor --start opens the port to this machine during the checks")
        ]
      }
      return try await look(machine.address(at: address, view: view), agent)
    } catch { return [DoctorCheck(id: "far.connection", failure: error)] }
  }

  /// Has the machine for the length of the checks.
  private func held(_ agent: AgentBinary) async -> [DoctorCheck] {
    do {
      let claim = MachineAccess.Claim(
        run: "doctor-\(Timestamp.folder())", owner: ManifestBuilder.owner, lease: .seconds(900))
      return try await machine.with(claim, note: note) { try await look($0, agent) }.result
    } catch { return [DoctorCheck(id: "far.connection", failure: error)] }
  }

  private func look(_ address: MachineAddress, _ agent: AgentBinary) async throws -> [DoctorCheck] {
    let started = ContinuousClock.now
    return try await withAgentSession(address, agent: agent, note: { _ in }) { session, hello in
      let milliseconds = Int((ContinuousClock.now - started).inSeconds * 1000)
      let connection = DoctorCheck(
        id: "far.connection", status: .ok,
        detail:
          "\(hello.user)@\(hello.host), \(hello.system) \(hello.architecture), agent \(hello.agentVersion), "
          + "answered in \(milliseconds) ms"
      )
      guard
        case .doctor(let reply) = try await session.answer(
          to: .doctor(request), within: .seconds(60), waitingFor: "the benchmark host's checks")
      else { throw ConnectionEnded(machine: address.name, during: "the benchmark host's checks") }
      var ofVM: [DoctorCheck] = []
      if machine.choice == .azure, let connection = session.connection {
        ofVM = try await VMChecks(connection: connection).examine()
      }
      var checks = reply.checks
      if let index = checks.firstIndex(where: { $0.id == "far.uv" && $0.status == .failed }), session.takesFiles,
        session.tools != nil, try ToolSupply.uv(for: hello.architecture, environment: machine.environment) != nil
      {
        checks[index] = DoctorCheck(id: "far.uv", status: .ok, detail: "not found; the first job brings this machine's")
      }
      return [connection] + ofVM + checks
    }
  }

  private func tool(_ name: String, why: String) async -> DoctorCheck {
    do {
      let version = try await LocalTool.line(name, ["--version"])
      return DoctorCheck(id: "here.\(name)", status: .ok, detail: version)
    } catch {
      return DoctorCheck(
        id: "here.\(name)", status: .failed, detail: "not found; \(why)", fix: "sudo apt-get install \(name)")
    }
  }
}
