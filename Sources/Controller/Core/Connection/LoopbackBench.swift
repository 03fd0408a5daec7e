import LocalSSHD
import SSH
import Shared
import SystemPackage

/// What the developers' program (`Sources/BenchLab`) times of this library: sessions and jobs over a private sshd on this
/// machine, made by the same code as a command's.
package struct LoopbackBench: Sendable {
  private let address: MachineAddress
  private let agent: AgentBinary

  package init(_ server: PrivateSSHD, environment: [String: String]) throws {
    agent = try AgentBinary.find(environment: environment)
    address = MachineAddress(
      destination: SSHDestination(host: "127.0.0.1", port: server.port, user: server.user),
      authentication: [.keyFile(path: server.clientKey, passphrase: nil)], knownHosts: [server.knownHosts],
      name: "this machine")
  }

  package var agentBytes: Int { agent.bytes }
  /// Where the agent runs from, once a session has brought it.
  package func agentPath(home: String) -> String { "\(home)/agents/\(agent.sha256)/cf-bench-agent" }
  /// The folder that this program lies in, cf-bench beside it.
  package static var programs: String { AgentBinary.ownFolder }
  /// What of this shell's environment sessions on this machine get.
  package static func passedOn(_ environment: [String: String]) -> [String: String] {
    environment.filter { isPassedOn($0.key) }
  }

  /// Connects, brings the agent where it is not there yet, hears its hello and closes.
  /// - Returns: the cipher of the connection.
  @discardableResult
  package func connect() async throws -> String? {
    try await withAgentSession(address, agent: agent, note: { _ in }) { session, _ in await session.connection?.cipher }
  }

  /// Runs a command over a bare channel, without the agent.
  /// - Returns: how many bytes it printed.
  package func bytes(of command: String) async throws -> Int {
    let connection = try await SSHConnection.connect(
      to: address.destination, authentication: address.authentication, knownHosts: address.knownHosts)
    let channel = try await connection.exec(command)
    var count = 0
    for try await chunk in channel.standardOutput { count += chunk.count }
    await connection.close()
    return count
  }

  /// Follows a job in one session, from its first event to its last, into `file`.
  /// - Returns: the number of the last event.
  package func follow(
    _ job: JobID, submitting manifest: JobManifest? = nil, into file: String,
    progress: ((NumberedEvent) throws -> Void)? = nil
  ) async throws -> Int {
    try await withAgentSession(address, agent: agent, note: { _ in }) { session, _ in
      if let manifest {
        _ = try await session.answer(
          to: .submit(SubmitRequest(manifest: manifest)), within: .seconds(30), waitingFor: "the job to be accepted")
      }
      let store = try EventStore(path: FilePath(file))
      let ended = try await JobFollower(job: job, store: store, progress: progress).follow(in: session)
      try store.close()
      return ended.last
    }
  }

  /// Follows a job as a command does: reconnects when the connection breaks.
  package func followThroughCuts(_ job: JobID, into file: String) async throws {
    let target = JobConnection.Target(
      job: job, machine: address, agent: agent, flags: "", reconnect: Reconnect(limit: .seconds(60)),
      cancelLimit: .seconds(1))
    let steps = JobConnection.Steps(open: { _ in try EventStore(path: FilePath(file)) })
    _ = try await JobConnection(target, steps, progress: TerminalProgress(mode: .quiet) { _ in }).run()
  }
}
