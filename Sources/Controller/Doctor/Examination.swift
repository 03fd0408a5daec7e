import Foundation
import Shared

/// What `doctor` found, here and at the far end.
struct Examination: Codable, Equatable, Sendable {
  var schema = 1
  var machine: String
  var checks: [DoctorCheck]

  var status: ExitStatus { checks.contains { $0.status == .failed } ? .infrastructure : .done }

  /// A line a check, and the fix below it when there is one.
  func words(colour: Bool) -> String {
    let width = checks.map(\.id.count).max() ?? 0
    let lines = checks.flatMap { check in
      let name = check.id + String(repeating: " ", count: width - check.id.count)
      let first = "\(mark(check.status, colour: colour))  \(name)  \(check.detail)"
      return [first] + (check.fix.map { ["         \(String(repeating: " ", count: width))fix: \($0)"] } ?? [])
    }
    let failed = checks.count { $0.status == .failed }
    let warned = checks.count { $0.status == .warning }
    let verdict =
      failed > 0
      ? "\(failed) of \(checks.count) checks failed: nothing can be measured on \(machine) before they are mended"
      : "ready to measure on \(machine)" + (warned > 0 ? ", with \(warned) warning\(warned == 1 ? "" : "s")" : "")
    return (lines + ["", verdict]).joined(separator: "\n")
  }

  private func mark(_ status: DoctorCheck.Status, colour: Bool) -> String {
    let (text, code) =
      switch status {
      case .ok: ("ok    ", "32")
      case .warning: ("warn  ", "33")
      case .failed: ("FAILED", "31")
      }
    return colour ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}

/// Looks at everything that a measurement needs, without measuring.
struct Examiner {
  var machine: MachineAccess
  var python: PythonPlan

  func examine() async -> Examination {
    var checks = [
      await tool("git", why: "needed for revisions of a repository here"),
      await tool("tar", why: "needed for path: revisions"),
    ]
    let agent: AgentBinary
    do {
      agent = try AgentBinary.find(environment: machine.environment)
      checks.append(
        DoctorCheck(
          id: "here.agent", status: .ok,
          detail: "\(agent.path), \(Numbers.bytes(agent.bytes)), \(agent.sha256.prefix(12))"))
    } catch {
      return Examination(machine: machine.choice.description, checks: checks + [failed("here.agent", error)])
    }
    do {
      let claim = MachineAccess.Claim(
        run: "doctor-\(Timestamp.folder())", owner: ManifestBuilder.owner, lease: .seconds(900))
      checks += try await machine.with(claim, note: { _ in }) { address in
        let started = ContinuousClock.now
        return try await withAgentSession(address, agent: agent, note: { _ in }) { session, hello in
          let milliseconds = Int((ContinuousClock.now - started).inSeconds * 1000)
          let connection = DoctorCheck(
            id: "far.connection", status: .ok,
            detail:
              "\(hello.user)@\(hello.host), \(hello.system) \(hello.architecture), agent \(hello.agentVersion), answered in \(milliseconds) ms"
          )
          let request = AgentRequest.doctor(DoctorRequest(python: python))
          guard
            case .doctor(let reply) = try await session.answer(
              to: request, within: .seconds(60), waitingFor: "the far end's checks")
          else { throw ConnectionEnded(machine: address.name, during: "the far end's checks") }
          return [connection] + reply.checks
        }
      }.result
    } catch { checks.append(failed("far.connection", error)) }
    return Examination(machine: machine.choice.description, checks: checks)
  }

  private func failed(_ id: String, _ error: any Error) -> DoctorCheck {
    guard let error = error as? any UserFacingError else {
      return DoctorCheck(
        id: id, status: .failed, detail: (error as NSError).localizedDescription, fix: "check the connection by hand")
    }
    return DoctorCheck(
      id: id, status: .failed, detail: error.what + (error.why.map { ": \($0)" } ?? ""), fix: error.fix)
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
