import ArgumentParser
import Foundation
import Shared

struct Jobs: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the jobs on the benchmark host: owner, state, events.",
    discussion: """
      EXAMPLES
        cf-bench jobs
        cf-bench jobs --machine ssh://bench@10.0.0.4 --json
      """)

  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let context = try CommandContext(machine, settings, output: output.value)
    let jobs = try await context.askMachine("jobs") { session in try await session.jobs() }
    let document = JobsDocument(machine: context.machine.choice.description, jobs: jobs)
    try output.tell(document, JobTable.text(jobs, at: .now))
    return .done
  }
}

/// What `jobs --json` prints. Schema: `docs/schemas/jobs.schema.json`.
struct JobsDocument: Encodable {
  var schema = 1
  var machine: String
  /// The newest last.
  var jobs: [JobSummary]
}

extension CommandContext {
  /// Has a session with the agent for one question.
  /// - Parameter purpose: what a VM's lease says it is for.
  func askMachine<Answer: Sendable>(
    _ purpose: String, _ body: (AgentSession) async throws -> Answer
  ) async throws -> Answer {
    let progress = makeProgress()
    let claim = MachineAccess.Claim(
      run: "\(purpose)-\(Timestamp.folder())-\(String(UInt32.random(in: .min ... .max), radix: 36))",
      owner: ManifestBuilder.owner, lease: .seconds(900))
    progress.step(machine.choice.beginning)
    let answer = try await withTicks(progress) {
      let agent = try AgentBinary.find(environment: environment)
      return try await machine.with(claim, note: { progress.step($0) }) { address in
        try await withAgentSession(address, agent: agent, note: progress.step) { session, _ in try await body(session) }
      }.result
    }
    progress.clear()
    return answer
  }
}

/// Jobs as a table for a terminal.
enum JobTable {
  static func text(_ jobs: [JobSummary], at now: Date) -> String {
    guard !jobs.isEmpty else { return "no jobs" }
    let header = ["job", "state", "of", "what", "age", "events"]
    return TerminalText.columns([header] + jobs.map { row($0, at: now) }).joined(separator: "\n")
  }

  private static func row(_ job: JobSummary, at now: Date) -> [String] {
    // Owner and labels come from whoever submitted the job.
    let labels = job.labels.map { TerminalText.clean($0, limit: 40) }
    let what = labels.count == 2 ? "\(labels[1]) vs \(labels[0])" : labels.joined(separator: ", ")
    return [
      job.job.text, state(job), TerminalText.clean(job.owner, limit: 40), what, age(job, at: now), "\(job.events)",
    ]
  }

  /// `measuring`, `waiting behind 2, starts about 14:05 UTC`, `done`.
  static func state(_ job: JobSummary) -> String {
    switch job.state {
    case .measuring: return "measuring"
    case .waiting:
      let place = job.ahead.map { " behind \($0)" } ?? ""
      // RFC 3339 in UTC: hours and minutes stand at a fixed place.
      let start = job.expectedStart.map { ", starts about \($0.dropFirst(11).prefix(5)) UTC" } ?? ""
      return TerminalText.clean("waiting\(place)\(start)", limit: 60)
    case .lost: return "lost its runner; attach to go on"
    case .finished: return job.outcome?.rawValue ?? "ended"
    }
  }

  private static func age(_ job: JobSummary, at now: Date) -> String {
    let format = Date.ISO8601FormatStyle(includingFractionalSeconds: job.createdAt.contains("."))
    guard let made = try? Date(job.createdAt, strategy: format) else { return "?" }  // another program's idea of a time
    let seconds = max(0, now.timeIntervalSince(made))
    return seconds < 86_400 ? Duration.seconds(seconds).words : "\(Int(seconds / 86_400)) d"
  }
}
