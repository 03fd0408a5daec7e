import ArgumentParser
import Foundation
import Shared

struct Cancel: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ends a job on the benchmark host, and everything it started.",
    discussion: """
      What was measured by then is kept: 'cf-bench attach JOB' reports it.

      EXAMPLES
        cf-bench cancel 20260131T123456Z-1x2y3z
        cf-bench cancel 20260131T123456Z-1x2y3z --machine ssh://bench@10.0.0.4 --json
      """)

  @Argument(help: "The job's name.") var job: String
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let id = try JobArgument.job(job)
    let context = try CommandContext(machine, settings, output: output.value)
    let flags = context.machine.flags
    let document = try await context.askMachine("cancel") { session in
      try await JobCancel(job: id, flags: flags).carryOut(in: session)
    }
    try output.tell(document, document.words)
    return .done
  }
}

/// What `cancel --json` prints. Schema: `docs/schemas/cancel.schema.json`.
struct CancelDocument: Encodable, Sendable {
  var schema = 1
  var job: JobID
  /// Whether there was still something to end.
  var wasRunning: Bool
  var state: JobSummary.State
  /// How it ended.
  var outcome: Finished.Outcome?

  var words: String {
    guard wasRunning else { return "the job \(job) had ended before\(outcome.map { ": \($0.rawValue)" } ?? "")" }
    return "the job \(job) has ended\(outcome.map { ": \($0.rawValue)" } ?? "")"
  }
}

/// Ends a job and waits until the benchmark host says that it has ended.
struct JobCancel {
  var job: JobID
  /// Flags that lead to the machine, for words.
  var flags: String

  /// The agent kills what does not end by itself within seconds.
  private static let limit = Duration.seconds(30)

  func carryOut(in session: AgentSession) async throws -> CancelDocument {
    let before = try await summary(in: session)
    guard
      case .cancelled(let reply) = try await session.answer(
        to: .cancel(CancelRequest(job: job)), within: .seconds(15), waitingFor: "the job's end")
    else { throw ConnectionEnded(machine: session.machine, during: "the job's end") }
    let wasRunning = reply.wasRunning || before.state != .finished
    let deadline = ContinuousClock.now + Self.limit
    while true {
      let now = try await summary(in: session)
      if now.state == .finished || (now.state == .lost && !reply.wasRunning) {
        return CancelDocument(job: job, wasRunning: wasRunning, state: now.state, outcome: now.outcome)
      }
      guard ContinuousClock.now < deadline else {
        throw CancelUnsure(
          job: job, machine: session.machine, flags: flags, isHeard: true,
          last: Problem(
            what: "it is still \(now.state.rawValue) after \(Self.limit.words)", fix: "", exitStatus: .infrastructure),
          exitStatus: .infrastructure)
      }
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  private func summary(in session: AgentSession) async throws -> JobSummary {
    let jobs = try await session.jobs()
    guard let found = jobs.first(where: { $0.job == job }) else {
      throw UnknownJob(job: job, machine: session.machine, known: jobs.map(\.job), flags: flags)
    }
    return found
  }
}
