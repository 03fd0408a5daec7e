import SSH
import Shared
import Synchronization

/// Follows a job on the benchmark host and puts every event on this disk before anybody sees it.
struct JobFollower {
  var job: JobID
  var store: EventStore
  var reconnect = Reconnect(limit: .zero)
  /// For a runner that has to be started again; see ``AttachRequest/secrets``.
  var secrets: [String: String]?
  /// Called once the benchmark host has said from where it goes on.
  var attached: () -> Void = {}
  /// Called with each event after it was handed to the kernel; `nil` saves the decoding.
  var progress: ((NumberedEvent) throws -> Void)?

  /// Attaches after the last number on disk and stays until the agent says that the job has ended.
  /// - Throws: ``ConnectionEnded`` when the connection breaks first, ``EventMismatch`` when a line is not the next one;
  ///   everything received by then is on disk.
  func follow(in session: AgentSession) async throws -> Ended {
    let asked = AgentRequest.attach(AttachRequest(job: job, after: store.last, hash: store.hash, secrets: secrets))
    guard
      case .attached(let reply) = try await session.answer(
        to: asked, within: .seconds(30), waitingFor: "the job's events")
    else { throw ConnectionEnded(machine: session.machine, during: "the job's events") }
    guard reply.after <= store.last else {
      throw EventMismatch(
        job: job, expected: store.last + 1, reason: "the benchmark host goes on after event \(reply.after)")
    }
    // The benchmark host lost its newest lines in a crash, and has measured them again.
    if reply.after < store.last { try store.rewind(to: reply.after) }
    attached()
    return try await goOn(in: session)
  }

  /// Stays with a session in which the job is attached already.
  func goOn(in session: AgentSession) async throws -> Ended {
    var ended: Ended?
    do {
      for message in session.takeWaiting() { ended = try take(message) ?? ended }
    } catch {
      try store.flush()  // as below
      throw error
    }
    try store.flush()
    if let ended { return ended }
    return try await read(session)
  }

  private func read(_ session: AgentSession) async throws -> Ended {
    let line = ConnectionHealth()
    var ended: Ended?
    do {
      ended = try await whilePinging(session, line) {
        var ended: Ended?
        var fresh: [[UInt8]] = []
        try await session.read { bytes in
          if let number = NumberedEvent.number(ofLine: bytes) {
            try append(number, bytes)
            if progress != nil { fresh.append(Array(bytes)) }
          } else {
            ended = try take(try AgentMessage(line: bytes)) ?? ended
          }
          return ended == nil
        } chunkDone: {
          line.heard.withLock { $0 = .now }
          try store.flush()
          for bytes in fresh { try show(bytes) }
          fresh.removeAll(keepingCapacity: true)
        }
        return ended
      }
    } catch {
      try store.flush()  // lines that came in the same chunk before a damaged one count
      guard line.isSilent.load(ordering: .relaxed) else { throw error }
    }
    if let ended { return ended }
    try Task.checkCancellation()
    let isSilent = line.isSilent.load(ordering: .relaxed)
    throw ConnectionEnded(
      machine: session.machine, during: "the job's events",
      words: isSilent ? "nothing came for \(reconnect.silenceLimit.words)" : "the connection broke")
  }

  /// Pings beside `body`, and closes the connection when nothing is heard. The clock goes on while this machine sleeps:
  /// after that the connection is dropped at once, since nobody knows what became of it.
  private func whilePinging(
    _ session: AgentSession, _ line: ConnectionHealth, _ body: () async throws -> Ended?
  ) async throws -> Ended? {
    try await withThrowingTaskGroup(of: Void.self) {
      [wire = session.wire] group in
      group.addTask { [reconnect] in
        var number = 0
        while true {
          try await Task.sleep(for: reconnect.pingEvery)
          if line.heard.withLock({ $0 }).duration(to: .now) > reconnect.silenceLimit {
            line.isSilent.store(true, ordering: .relaxed)
            await wire.abandon()
            return
          }
          number += 1
          try await wire.send(try AgentRequest.ping(Ping(number: number)).line())
        }
      }
      defer { group.cancelAll() }
      return try await body()
    }
  }

  /// What fits the chain is what the agent wrote: where it can't be read, the connection is not at fault.
  private static func event(_ line: [UInt8]) -> NumberedEvent {
    do { return try NumberedEvent(line: line) } catch {
      let number = line.withUnsafeBytes { NumberedEvent.number(ofLine: $0) } ?? 0
      return NumberedEvent(number: number, time: "", event: .unknown(type: "?", why: error.why ?? error.what))
    }
  }

  private func append(_ number: Int, _ line: UnsafeRawBufferPointer) throws {
    let expected = store.last + 1
    do { try store.append(number: number, line: line) } catch {
      switch error {
      case .outOfOrder, .brokenChain:
        throw EventMismatch(job: job, expected: expected, reason: "\(error.what): \(error.why ?? "")")
      default: throw error
      }
    }
  }

  private func show(_ line: [UInt8]) throws { try progress?(Self.event(line)) }

  private func take(_ message: AgentMessage) throws -> Ended? {
    switch message {
    case .event(let number, let line):
      try line.withUnsafeBytes { try append(number, $0) }
      try store.flush()
      try show(line)
      return nil
    case .ended(let ended): return ended.job == job ? ended : nil
    // What the journal's reader on the benchmark host could not do.
    case .refused(let refused) where refused.request == "attach": throw refused.problem
    default: return nil
    }
  }
}

/// What the reader and the pinger of one line know together.
private final class ConnectionHealth: Sendable {
  let heard = Mutex(ContinuousClock.now)
  let isSilent = Atomic(false)
}
