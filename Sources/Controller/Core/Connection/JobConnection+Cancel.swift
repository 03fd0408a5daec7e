import SSH
import Shared
import Synchronization

/// How a cancelled controller ends its job on the benchmark host, wherever the two had come to.
extension JobConnection {
  /// Between tries to reach a benchmark host that does not answer.
  private static let pause = Duration.milliseconds(250)

  /// Ends the job, over the session that there is or over new ones, and stays for its last events.
  /// - Throws: `CancellationError` when there is no job to end, ``CancelUnsure`` when that can't be known in time.
  func endCancelled(in session: AgentSession?) async throws -> Ended {
    isEnding = true
    guard stage > .unknown else { throw CancellationError() }
    return try await runToEnd { try await self.endJob(in: session) }
  }

  private func endJob(in session: AgentSession?) async throws -> Ended {
    let notes = CancelNotes()
    nonisolated(unsafe) let line = self
    nonisolated(unsafe) let open = session
    do {
      return try await withLimit(target.cancelLimit, waitingFor: "the job's end") {
        if let open, let ended = try await line.tell(open, notes) { return ended }
        return try await line.reachAndTell(notes)
      }
    } catch is CancellationError { throw CancellationError() } catch {
      let last: Problem? = error is LimitPassed ? notes.last.withLock { $0 } : Problem(ofTry: error)
      throw CancelUnsure(
        job: target.job, machine: target.machine.name, flags: target.flags,
        isHeard: notes.isHeard.load(ordering: .relaxed),
        last: last
          ?? Problem(
            what: "no answer came within \(target.cancelLimit.words)", fix: "", exitStatus: .infrastructure))
    }
  }

  /// Tries until it is cancelled: it has a limit around it.
  private func reachAndTell(_ notes: CancelNotes) async throws -> Ended {
    while true {
      do {
        let ended = try await withAgentSession(target.machine, agent: target.agent, note: { _ in }) { session, _ in
          try await tell(session, notes)
        }
        if let ended { return ended }
      } catch { try notes.note(error) }
      try await Task.sleep(for: Self.pause)
    }
  }

  /// Asks for the job's end in this session and follows it there; `nil` when the connection breaks on the way.
  private func tell(_ session: AgentSession, _ notes: CancelNotes) async throws -> Ended? {
    do {
      var reply = try await ask(session)
      // Where nobody has said that the job was taken, it may still be on its way in the connection that broke: a session
      // begun meanwhile can be quicker.
      for _ in 0..<3 where !reply.wasRunning && stage < .accepted {
        try await Task.sleep(for: Self.pause)
        reply = try await ask(session)
      }
      guard reply.wasRunning || stage >= .accepted else { throw CancellationError() }
      stage = max(stage, .accepted)
      notes.isHeard.store(true, ordering: .relaxed)
      var quiet = follower(try await opened(in: session))
      quiet.progress = nil
      return try await quiet.follow(in: session)
    } catch {
      try notes.note(error)
      return nil
    }
  }

  /// Answers to what was asked before the cancel come first, in their order.
  private func ask(_ session: AgentSession) async throws -> Cancelled {
    try await session.wire.send(try AgentRequest.cancel(CancelRequest(job: target.job)).line())
    while let message = try await session.next(within: .seconds(10), waitingFor: "the job's end") {
      switch message {
      case .cancelled(let reply): return reply
      case .accepted: stage = max(stage, .accepted)
      default: continue
      }
    }
    throw ConnectionEnded(machine: session.machine, during: "the job's end")
  }
}

/// What is known by the time that the limit passes.
private final class CancelNotes: Sendable {
  let isHeard = Atomic(false)
  let last = Mutex<Problem?>(nil)

  /// Keeps an error that may pass, and throws any other.
  func note(_ error: any Error) throws {
    guard !Task.isCancelled, ConnectionFault(error) != .permanent else { throw error }
    last.withLock { $0 = Problem(ofTry: error) }
  }
}
