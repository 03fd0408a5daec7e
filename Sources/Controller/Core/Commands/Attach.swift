import ArgumentParser
import Foundation
import Shared
import SystemPackage

struct Attach: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Follows a job that exists already, and ends with its report as 'compare' and 'run' do.",
    discussion: """
      For a job that runs, waits, has ended, or lost its runner, whoever started it. If the results folder has \
      events of the job already, the rest is added to them; otherwise new folders are made. 'cf-bench jobs' \
      lists the names.

      EXAMPLES
        cf-bench attach 20260131T123456Z-1x2y3z
        cf-bench attach 20260131T123456Z-1x2y3z --machine ssh://bench@10.0.0.4 --results /tmp/results
      """)

  @Argument(help: "The job's name.") var job: String
  @OptionGroup var results: ResultsOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Machine") var line: ConnectionOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let context = try CommandContext(machine, line, results, settings, output: output.value)
    return try await context.attach(to: try JobArgument.job(job))
  }
}

/// A job's name on the command line.
enum JobArgument {
  static func job(_ text: String) throws -> JobID {
    if let job = JobID(text) { return job }
    throw Problem(
      what: "'\(TerminalText.clean(text, limit: 120))' is not a job name",
      why: "a name has 1 to 96 letters, digits, '-', '_' or '.', and starts with neither '.' nor '-'",
      fix: "'cf-bench jobs' lists the jobs", exitStatus: .usage)
  }
}

extension CommandContext {
  fileprivate func attach(to job: JobID) async throws -> ExitStatus {
    let progress = makeProgress()
    let results = ResultsPlace()
    let known = StoredJob.folder(of: job, in: settings.results)
    if let known { progress.remark("continuing in \(known.path.string)") }
    // The key is needed where the job's runner has to be started again and asks the live service.
    let secrets = JobSecrets.values(JobSecrets.names(settings), environment: environment)
    let steps = JobConnection.Steps(secrets: secrets) { session in
      let folder = if let known { known } else { try await newFolder(for: job, in: session) }
      results.folder = folder
      return try EventStore(path: folder.events)
    }
    let claim = MachineAccess.Claim(
      run: job.text, owner: ManifestBuilder.owner,
      lease: settings.limitQueue + settings.limitTotal + Measurement.leaseMargin)
    progress.step(machine.choice.beginning)
    return try await concluding(results, progress) {
      let agent = try AgentBinary.find(environment: environment)
      let (ended, use) = try await machine.with(claim, note: { progress.step($0) }) { address in
        try await machine.follow(job, on: address, agent: agent, steps, progress: progress)
      }
      return (ended, use)
    }
  }

  /// Folders as 'compare' or 'run' would have made them, from what the benchmark host knows of the job.
  private func newFolder(for job: JobID, in session: AgentSession) async throws -> RunFolder {
    let jobs = try await session.jobs()
    guard let found = jobs.first(where: { $0.job == job }) else {
      throw UnknownJob(job: job, machine: session.machine, known: jobs.map(\.job), flags: machine.flags)
    }
    guard let head = found.labels.last, found.labels.count <= 2 else {
      throw Problem(
        what: "the agent on \(session.machine) does not say what the job \(job) measures",
        fix: "run 'cf-bench doctor' there; it shows the agent's version", exitStatus: .infrastructure)
    }
    return try RunFolder.create(
      in: settings.results, base: found.labels.count == 2 ? found.labels[0] : nil, head: head, job: job,
      alpha: found.stopping?.alpha ?? settings.alpha, delta: found.stopping?.delta ?? settings.delta,
      gate: found.labels.count == 2 ? gate : nil)
  }
}

extension AgentSession {
  /// The jobs that the benchmark host keeps, the newest last.
  func jobs() async throws -> [JobSummary] {
    guard case .jobs(let reply) = try await answer(to: .jobs, within: .seconds(30), waitingFor: "the list of jobs")
    else { throw ConnectionEnded(machine: machine, during: "the list of jobs") }
    return reply.jobs
  }
}

/// The benchmark host has no job of that name.
struct UnknownJob: UserFacingError {
  var job: JobID
  var machine: String
  var known: [JobID]
  /// Flags that lead to the machine.
  var flags: String

  /// As many names as a person takes in at a glance.
  private static let shown = 3

  var what: String { "there is no job '\(job)' on \(machine)" }
  var why: String? {
    guard !known.isEmpty else { return "it keeps none" }
    return "the nearest names are \(nearest.map(\.text).joined(separator: ", "))"
  }
  var fix: String { "run: cf-bench jobs \(flags)" }
  var exitStatus: ExitStatus { .usage }

  /// Those with the fewest slips first; what begins or ends in the same way comes before all others.
  var nearest: [JobID] {
    let scored = known.map { name in
      let isPart = name.text.hasPrefix(job.text) || name.text.hasSuffix(job.text)
      return (name: name, slips: isPart ? 0 : NearestName.distance(job.text, name.text))
    }
    return scored.sorted { ($0.slips, $0.name.text) < ($1.slips, $1.name.text) }.prefix(Self.shown).map(\.name)
  }
}
