import SSH
import Shared
import Synchronization

/// Bytes to and from an agent.
protocol AgentWire: Sendable {
  func send(_ bytes: [UInt8]) async throws
  /// What came next; `nil` at the end.
  func next() async throws -> [UInt8]?
  /// Ends the agent's input and output; the connection stays.
  func hangUp() async
  /// Drops the connection without a goodbye: nobody answers any more.
  func abandon() async
  func close() async
}

/// The agent's standard input and output on the benchmark host.
struct SSHAgentWire: AgentWire {
  let connection: SSHConnection
  let channel: SSHChannel

  func send(_ bytes: [UInt8]) async throws { try await channel.send(bytes) }
  func next() async throws -> [UInt8]? { try await channel.standardOutput.next() }
  func hangUp() async { await channel.close() }
  func abandon() async { await connection.abandon() }
  func close() async {
    await channel.close()
    await connection.close()
  }
}

/// A conversation with `cf-bench-agent serve` on the benchmark host. Not Sendable: it belongs to the task that opened it.
final class AgentSession {
  let wire: any AgentWire
  let machine: String
  /// For commands beside the agent; `nil` where there is no SSH between.
  var connection: SSHConnection? { (wire as? SSHAgentWire)?.connection }
  /// Files may be sent over this session.
  var takesFiles = false
  /// Which of ``HostTool`` are there, and the host's processor; `nil` where the agent does not say.
  var tools: [String]?
  var architecture: String?
  private var framer = LineFramer()
  /// Lines that came in the same chunk as an answer and wait for their reader.
  private var waiting: [AgentMessage] = []

  init(_ wire: any AgentWire, machine: String) {
    self.wire = wire
    self.machine = machine
  }

  /// Sends a request and waits for its answer; events, pongs and a job's end that come before it are not answers.
  /// - Throws: the agent's own ``Problem`` when it refuses.
  func answer(to request: AgentRequest, within limit: Duration, waitingFor what: String) async throws -> AgentMessage {
    try await post(request)
    while let message = try await next(within: limit, waitingFor: what) {
      switch message {
      case .event, .pong, .ended, .unknown: continue
      case .refused(let refused): throw refused.problem
      default: return message
      }
    }
    throw ConnectionEnded(machine: machine, during: what)
  }

  /// Sends a request. That the agent has ended already is no error here: what it said before, or its end, comes next and tells
  /// why.
  func post(_ request: AgentRequest) async throws {
    do { try await wire.send(try request.line()) } catch let error as SSHError where error.cause == .inputClosed {
      // The next read meets the end.
    }
  }

  /// The next message, or `nil` at the end of the stream.
  func next(within limit: Duration, waitingFor what: String) async throws -> AgentMessage? {
    while waiting.isEmpty {
      guard let chunk = try await nextChunk(within: limit, waitingFor: what) else { return nil }
      try chunk.withUnsafeBytes { bytes in
        try framer.append(bytes) { waiting.append(try AgentMessage(line: $0)) }
      }
    }
    return waiting.removeFirst()
  }

  /// Reads for as long as the benchmark host sends, handing every line to `line` and calling `chunkDone` after each chunk;
  /// ends when `line` returns false or the stream does. Nothing is decoded here.
  func read(
    line: (UnsafeRawBufferPointer) throws -> Bool, chunkDone: () throws -> Void
  ) async throws {
    var goesOn = true
    while goesOn, let chunk = try await wire.next() {
      try chunk.withUnsafeBytes { bytes in
        try framer.append(bytes) { if goesOn { goesOn = try line($0) } }
      }
      try chunkDone()
    }
  }

  /// Messages that were read together with an earlier answer; empties the list.
  func takeWaiting() -> [AgentMessage] {
    defer { waiting = [] }
    return waiting
  }

  private func nextChunk(within limit: Duration, waitingFor what: String) async throws -> [UInt8]? {
    let late = Flag()
    return try await withThrowingTaskGroup(of: Void.self) { [wire, late] group in
      group.addTask {
        try await Task.sleep(for: limit)
        late.raise()
        await wire.hangUp()
      }
      defer { group.cancelAll() }
      let chunk: [UInt8]?
      do { chunk = try await wire.next() } catch {
        guard late.isRaised else { throw error }
        chunk = nil
      }
      if late.isRaised { throw LimitPassed(waitedFor: what, limit: limit) }
      return chunk
    }
  }

  func close() async { await wire.close() }
}

/// The stream ended where an answer was due.
struct ConnectionEnded: UserFacingError {
  var machine: String
  var during: String
  var words = ""
  var what: String { "the agent on \(machine) ended before it sent \(during)" }
  var why: String? { words.isEmpty ? nil : words }
  var fix: String { "try again; 'cf-bench doctor' shows whether the benchmark host is well" }
  var exitStatus: ExitStatus { .infrastructure }
}

/// Raised once, seen by both tasks.
private final class Flag: Sendable {
  private let value = Atomic(false)
  var isRaised: Bool { value.load(ordering: .relaxed) }
  func raise() { value.store(true, ordering: .relaxed) }
}
