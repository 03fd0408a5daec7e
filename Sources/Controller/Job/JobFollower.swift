import SSH
import Shared
import Synchronization

/// Follows a job at the far end and puts every event on this disk before anybody sees it.
struct JobFollower {
  /// A ping goes out this often; the answer is what tells a dead line from a silent job.
  static let pingEvery = Duration.seconds(5)
  /// Without a byte for this long, the connection counts as dead.
  static let silenceLimit = Duration.seconds(20)

  var job: JobID
  var store: EventStore
  /// Called with each event after it was handed to the kernel; `nil` saves the decoding.
  var progress: ((NumberedEvent) throws -> Void)?

  /// Attaches after the last number on disk and stays until the agent says that the job has ended.
  /// - Throws: ``ConnectionEnded`` when the line breaks first; everything received by then is on disk.
  func follow(in session: AgentSession) async throws -> Ended {
    let asked = AgentRequest.attach(AttachRequest(job: job, after: store.last))
    guard case .attached = try await session.answer(to: asked, within: .seconds(30), waitingFor: "the job's events")
    else {
      throw ConnectionEnded(machine: session.machine, during: "the job's events")
    }
    var ended: Ended?
    for message in session.takeWaiting() { ended = try take(message) ?? ended }
    try store.flush()
    if let ended { return ended }
    return try await read(session)
  }

  private func read(_ session: AgentSession) async throws -> Ended {
    let line = LineHealth()
    let ended: Ended? = try await withThrowingTaskGroup(of: Void.self) { [channel = session.channel, line] group in
      group.addTask {
        var number = 0
        while true {
          try await Task.sleep(for: Self.pingEvery)
          if line.heard.withLock({ $0 }).duration(to: .now) > Self.silenceLimit {
            line.isSilent.store(true, ordering: .relaxed)
            await channel.close()
            return
          }
          number += 1
          try await channel.send(try AgentRequest.ping(Ping(number: number)).line())
        }
      }
      defer { group.cancelAll() }
      var ended: Ended?
      var fresh: [[UInt8]] = []
      try await session.read { bytes in
        if let number = NumberedEvent.number(ofLine: bytes) {
          try store.append(number: number, line: bytes)
          if progress != nil { fresh.append(Array(bytes)) }
        } else if case .ended(let end) = try AgentMessage(line: bytes) {
          ended = end
        }
        return ended == nil
      } chunkDone: {
        line.heard.withLock { $0 = .now }
        try store.flush()
        for bytes in fresh { try progress?(NumberedEvent(line: bytes)) }
        fresh.removeAll(keepingCapacity: true)
      }
      return ended
    }
    if let ended { return ended }
    try Task.checkCancellation()
    throw ConnectionEnded(
      machine: session.machine, during: "the job's events",
      words: line.isSilent.load(ordering: .relaxed) ? "nothing came for \(Self.silenceLimit)" : "the connection broke")
  }

  private func take(_ message: AgentMessage) throws -> Ended? {
    switch message {
    case .event(let number, let line):
      try store.append(number: number, line: line)
      try progress?(NumberedEvent(line: line))
      return nil
    case .ended(let ended): return ended
    default: return nil
    }
  }
}

/// What the reader and the pinger of one line know together.
private final class LineHealth: Sendable {
  let heard = Mutex(ContinuousClock.now)
  let isSilent = Atomic(false)
}
