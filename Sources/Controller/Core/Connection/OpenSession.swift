import SSH
import Shared

/// Has a session with the right agent for the length of `body`: connects, says hello, and brings the agent first where the
/// benchmark host has none or another one.
func withAgentSession<Result: Sendable>(
  _ machine: MachineAddress, agent: AgentBinary, note: (String) -> Void,
  _ body: (AgentSession, HelloReply) async throws -> Result
) async throws -> Result {
  let connection = try await SSHConnection.connect(
    to: machine.destination, authentication: machine.authentication, knownHosts: machine.knownHosts)
  do {
    let (session, hello) = try await openSession(connection, machine, agent, note: note)
    let result = try await body(session, hello)
    await session.close()
    return result
  } catch {
    await connection.close()
    throw error
  }
}

private func openSession(
  _ connection: SSHConnection, _ machine: MachineAddress, _ agent: AgentBinary, note: (String) -> Void
) async throws -> (AgentSession, HelloReply) {
  var (session, hello): (AgentSession, HelloReply)
  do {
    (session, hello) = try await sayHello(connection, machine, agent)
  } catch let refusal as StartRefusal where refusal.mayBeMended {
    if let foreign = refusal.foreign(agent) { throw foreign }
    note("bringing the agent to \(machine.name) (\(agent.bytes >> 20) MB)")
    try await AgentDelivery.installAgent(agent, over: connection, to: machine.name)
    (session, hello) = try await sayHello(connection, machine, agent, isNew: true)
  }
  // Another agent than the one that was asked for: the key lets in nothing but that one.
  if hello.sha256 != agent.sha256 {
    hello = try await AgentUpdater(session: session, agent: agent).settle(hello, note: note)
  }
  session.takesFiles = hello.has(.receive)
  session.tools = hello.tools
  session.architecture = hello.architecture
  return (session, hello)
}

private func sayHello(
  _ connection: SSHConnection, _ machine: MachineAddress, _ agent: AgentBinary, isNew: Bool = false
) async throws -> (AgentSession, HelloReply) {
  let channel = try await connection.exec(AgentDelivery.serveCommand(sha256: agent.sha256, isNew: isNew))
  let session = AgentSession(SSHAgentWire(connection: connection, channel: channel), machine: machine.name)
  try await session.post(.hello(HelloRequest()))
  switch try await session.next(within: .seconds(20), waitingFor: "the agent's hello") {
  case .hello(let hello):
    guard hello.protocolVersion == Version.wireProtocol else { throw ForeignAgent(hello, machine: machine.name) }
    return (session, hello)
  case .refused(let refused): throw refused.problem
  case nil:
    var words: [UInt8] = []
    for try await chunk in channel.standardError where words.count < 16 << 10 { words += chunk }
    throw StartRefusal(
      machine: machine.name, exit: try await channel.exit(), words: String(decoding: words, as: UTF8.self))
  default: throw ConnectionEnded(machine: machine.name, during: "the agent's hello")
  }
}

/// The benchmark host's shell could not start the agent.
struct StartRefusal: UserFacingError {
  var machine: String
  var exit: SSHExit
  /// What came on standard error.
  var words: String

  private var isMissing: Bool { words.contains(AgentDelivery.missingMark) }
  /// Shells exit with 126 for a file that is there but can't be run (POSIX.1-2024, 2.8.2).
  private var mayNotRun: Bool { exit == .status(126) }
  private var isForeign: Bool { mayNotRun && words.contains("Exec format error") }
  /// Whether a fresh copy of the agent could help.
  var mayBeMended: Bool { isMissing || (mayNotRun && !isForeign) }

  /// A line of authorized_keys names an agent, and there is none (POSIX.1-2024, 2.8.2: 127).
  private var isRestrictedKeyWithoutAgent: Bool {
    exit == .status(127) && !isMissing && words.contains("cf-bench-agent")
  }

  /// Whether the machine that the benchmark host says it is could not run this agent.
  func foreign(_ agent: AgentBinary) -> ForeignMachine? {
    let said = words.split(whereSeparator: \.isNewline).last { $0.hasPrefix(AgentDelivery.missingMark) }
    let kinds = (said ?? "").split(separator: " ").dropFirst().map(String.init)
    guard kinds.count == 2 else { return nil }
    return ForeignMachine(agent, system: kinds[0], machine: kinds[1], at: machine)
  }

  var what: String { "the agent can't be started on \(machine)" }
  var why: String? {
    if isForeign { return "its processor or system is another one than the agent was built for: \(words)" }
    if mayNotRun {
      return "the file is there but the system refuses to run it (a file system mounted noexec?): \(words)"
    }
    if isRestrictedKeyWithoutAgent { return "its key starts only an agent, and none is installed there: \(words)" }
    return words.isEmpty ? "the login ended without a word (\(exit))" : words
  }
  var fix: String {
    if isForeign { return "build cf-bench on a machine of that kind and name its agent with CF_BENCH_AGENT=FILE" }
    if mayNotRun {
      return
        "set CF_BENCH_HOME for that login to a folder from which programs may run; 'findmnt -T ~/.cf-bench' shows the mount"
    }
    if isRestrictedKeyWithoutAgent {
      return "bring it there once, with a key that may start a shell: cf-bench doctor --machine … --identity FILE"
    }
    return "log in there by hand and run: sh -c 'echo fine'"
  }
  var exitStatus: ExitStatus { .infrastructure }
}
