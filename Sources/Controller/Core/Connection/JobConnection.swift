import SSH
import Shared

/// A job on the benchmark host, from the first connection to its last event, over a connection that may break.
///
/// Whatever breaks on the way is mended by asking again: the benchmark host knows a job by its name, and goes on after the last
/// event on this disk. Belongs to the task that runs it.
final class JobConnection {
  struct Target {
    var job: JobID
    var machine: MachineAddress
    var agent: AgentBinary
    /// Flags that lead to the machine, for words.
    var flags: String
    var reconnect: Reconnect
    /// How long a cancelled job is waited for.
    var cancelLimit: Duration
  }

  /// What is said in each session, and where the events go.
  struct Steps {
    /// Files that the job needs, before it is submitted.
    var prepare: (AgentSession) async throws -> Void = { _ in }
    /// `nil` for a job that is there already.
    var submit: SubmitRequest?
    /// See ``AttachRequest/secrets``.
    var secrets: [String: String]?
    /// Opens the file of events; called once, when the benchmark host has the job.
    var open: (AgentSession) async throws -> EventStore
  }

  /// How far the job has come with the benchmark host.
  enum Stage: Comparable { case unknown, submitting, accepted, followed }

  let target: Target
  let steps: Steps
  let progress: TerminalProgress
  var stage = Stage.unknown
  var store: EventStore?
  /// Whether the agent has answered in this command.
  private var hasMet = false
  var isEnding = false
  private var loss = Outage()
  private var mismatch: (at: Int, times: Int) = (0, 0)

  init(_ target: Target, _ steps: Steps, progress: TerminalProgress) {
    self.target = target
    self.steps = steps
    self.progress = progress
    if steps.submit == nil { stage = .accepted }
  }

  /// Stays until the job has ended. Cancelled, it ends the job on the benchmark host first.
  /// - Throws: ``ConnectionLost`` when the connection is not restored in time, ``CancelUnsure`` when a cancelled job can't be
  ///   told, and what another try would not change.
  func run() async throws -> Ended {
    let ended: Ended
    do { ended = try await stay() } catch {
      // What came is reported, and why it ended matters more than that its last second may be lost with the power.
      try? store?.close()
      throw error
    }
    try store?.close()
    return ended
  }

  private func stay() async throws -> Ended {
    while true {
      do {
        // Something is said only where the host has let us in, to bring the agent.
        let note = { [self] (text: String) in
          hasMet = true
          progress.step(text)
        }
        return try await withAgentSession(target.machine, agent: target.agent, note: note) { session, _ in
          hasMet = true
          do { return try await converse(session) } catch  where Task.isCancelled {
            return try await endCancelled(in: session)
          }
        }
      } catch  where Task.isCancelled {
        guard !isEnding else { throw error }
        return try await endCancelled(in: nil)
      } catch {
        try await mend(error)
      }
    }
  }

  private func converse(_ session: AgentSession) async throws -> Ended {
    if let submit = steps.submit {
      if stage < .accepted { try await steps.prepare(session) }
      try Task.checkCancellation()
      stage = max(stage, .submitting)
      let answer = try await session.answer(
        to: .submit(submit), within: .seconds(30), waitingFor: "the job to be accepted")
      if case .accepted(let accepted) = answer {
        for job in accepted.superseded ?? [] {
          progress.step("\(job) was waiting and has been cancelled in favour of this job")
        }
      }
      stage = max(stage, .accepted)
    }
    return try await follower(try await opened(in: session)).follow(in: session)
  }

  func opened(in session: AgentSession) async throws -> EventStore {
    if let store { return store }
    let opened = try await steps.open(session)
    store = opened
    return opened
  }

  func follower(_ store: EventStore) -> JobFollower {
    JobFollower(
      job: target.job, store: store, reconnect: target.reconnect, secrets: steps.secrets,
      attached: { [self] in
        stage = .followed
        if let gone = loss.end() { progress.remark("back after \(gone.words)") }
      },
      progress: { [progress] in progress.handle($0.event) })
  }

  /// Waits before the next try, or throws what makes it useless.
  private func mend(_ error: any Error) async throws {
    let trouble = ConnectionFault(error)
    guard trouble != .permanent, hasMet || trouble == .broke else { throw error }
    try count(error as? EventMismatch)
    let limit = hasMet ? target.reconnect.limit : min(target.reconnect.limit, Reconnect.firstLimit)
    guard limit > .zero else { throw error }
    let last = Problem(ofTry: error)
    if loss.note(events: store?.last ?? 0) {
      let goesOn = stage >= .accepted ? "the job goes on, " : ""
      progress.remark("connection lost (\(last.whatAndWhy)); \(goesOn)reconnecting for up to \(limit.words)")
    }
    let left = limit - loss.length
    guard left > .zero else {
      guard hasMet else { throw error }
      throw ConnectionLost(
        job: target.job, machine: target.machine.name, flags: target.flags, limit: limit,
        isAccepted: stage >= .accepted, last: last)
    }
    // Cancelled, the pause ends at once, and the loop sees to it.
    try? await Task.sleep(for: min(left, target.reconnect.pause(before: loss.nextAttempt())))
  }

  /// The same line again and again is no accident of the line.
  private func count(_ error: EventMismatch?) throws {
    guard let error else { return }
    mismatch = (error.expected, error.expected == mismatch.at ? mismatch.times + 1 : 1)
    if mismatch.times >= EventMismatch.tries { throw error }
  }
}
