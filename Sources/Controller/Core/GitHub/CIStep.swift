import Azure
import Foundation
import GitHub
import Shared
import SystemPackage

/// One step of a workflow, from its event to its exit status.
struct CIStep {
  let environment: [String: String]
  let inputs: CIInputs
  let files: StepFiles
  let api: GitHubAPI
  /// The word that lets the runner read commands again.
  let token = WorkflowCommands.token()

  init(environment: [String: String]) throws {
    self.environment = environment
    inputs = try CIInputs(environment)
    files = StepFiles(environment: environment)
    guard let repository = environment["GITHUB_REPOSITORY"], !repository.isEmpty else {
      throw Problem(
        what: "this is not a step of a GitHub workflow", why: "GITHUB_REPOSITORY is not set",
        fix: "run it as a step of a workflow (docs/github.md); on a laptop 'cf-bench compare' measures",
        exitStatus: .usage)
    }
    api = try GitHubAPI(repository: repository, environment: environment) { StandardError.write("\($0)\n") }
  }

  func run() async throws -> ExitStatus {
    // Without them the runner would show secrets, and take lines of measured code for commands: nothing is begun.
    for secret in SecretNames.values(in: environment) {
      try WorkflowCommands.mask(secret).forEach { try print(raw: $0) }
    }
    try print(raw: WorkflowCommands.group("cf-bench"))
    try print(raw: WorkflowCommands.stop(token))
    var end = CIEnd(status: .infrastructure)
    do { end = try await decideAndRun() } catch { end.fail(error) }
    // What is said from here on is said also when the step is cancelled, and to the runner again; then in haste.
    let report = CIReport(step: self, end: end)
    let work = Task { await report.tell() }
    return await withTaskCancellationHandler {
      await work.value
    } onCancel: {
      report.hurry.raise()
    }
  }

  private func decideAndRun() async throws -> CIEnd {
    let event = try GitHubEvent(environment: environment)
    let wishes = Decision.Wishes(base: inputs.base, head: inputs.head, isLocal: inputs.isLocal(environment))
    let decision = try Decision.decide(
      event, wishes: wishes, commit: environment["GITHUB_SHA"], ref: environment["GITHUB_REF"])
    switch decision {
    case .nothing(let reason): return CIEnd(nothing: reason)
    case .carry(let run): return try await CarriedRun(step: self, run: run).carry()
    case .measure(let subject): return await CIMeasurement(step: self, event: event, subject: subject).run()
    case .ask(let approval):
      switch try await ApprovalCheck(api: api).look(approval) {
      case .refused(let reason): return CIEnd(nothing: reason)
      case .measure(let subject): return await CIMeasurement(step: self, event: event, subject: subject).run()
      case .relate: return CIEnd(nothing: "the commit's place in the pull request is not known")
      }
    }
  }

  /// After a step that was killed: the VM that it had goes off, which costs money, and its check ends.
  func settle() async throws -> ExitStatus {
    let reaped = try await settleMachine()
    let ended = await settleCheck()
    return reaped == .done ? ended : reaped
  }

  /// Only what this machine began: everything else is for the schedule.
  private func settleMachine() async throws -> ExitStatus {
    guard !OpenIntent.all(in: StateFolder(environment: environment)).isEmpty else { return .done }
    StandardError.write("a command on this runner ended without stopping the VM: doing that now\n")
    do {
      var request = SettingsRequest()
      request.configuration = inputs.config
      return try await CommandContext(request, output: Output()).reap(.own)
    } catch {
      return Failure(error).tell()
    }
  }

  private func settleCheck() async -> ExitStatus {
    guard let open = OpenCheck.read(environment), let commit = CommitID(open.commit) else { return .done }
    do {
      let api = try GitHubAPI(repository: open.repository, environment: environment)
      let check = try await CheckRun.find(OpenCheck.name, of: commit, key: open.key, api: api)
      try await check?.end(
        .cancelled, title: "Cancelled", summary: "The step ended before it could say what was measured.")
      OpenCheck.remove(environment)
      return .done
    } catch {
      _ = Failure(error).tell()
      return .infrastructure
    }
  }

  /// For the runner, unmasked: it has to learn what it is to mask.
  func print(raw line: String) throws(OutputFailure) { try StandardOutput.write(raw: line + "\n") }
}

/// How a step went.
struct CIEnd {
  var status: ExitStatus
  var isMeasured = false
  /// Why nothing was measured, or what went wrong.
  var reason: String?
  var problem: Problem?
  var folder: RunFolder?
  var report: StoredReport?
  var check: CheckRun?
  /// The pull request that is told.
  var pull: Int?
  /// What stands below the comment.
  var footer: String?
  /// What stands above it.
  var remark: String?
  /// How new the comment is; this run's own if nil. A fork's results that are carried late are as old as they are.
  var stamp: StickyComment.Stamp?

  init(status: ExitStatus, reason: String? = nil) {
    self.status = status
    self.reason = reason
  }

  /// Ends in an error, which is said in the log.
  mutating func fail(_ error: any Error) {
    guard !(error is CancellationError) else { return (status, reason) = (.cancelled, "cancelled") }
    let failure = Failure(error)
    StandardError.write(failure.text + "\n")
    (status, reason, problem) = (failure.status, failure.text, (error as? any UserFacingError)?.problem)
  }

  /// Without the secrets that an error may quote: masked before Markdown's marks come between their letters.
  var masked: CIEnd {
    func masked(_ text: String) -> String { Masking.redactor.redacted(text) }
    var end = self
    end.reason = reason.map(masked)
    end.problem = problem.map {
      Problem(what: masked($0.what), why: $0.why.map(masked), fix: masked($0.fix), exitStatus: $0.exitStatus)
    }
    return end
  }

  init(nothing reason: String) { self.init(status: .done, reason: reason) }

  var comparison: ComparisonReport? { if case .comparison(let report, _) = report { report } else { nil } }
}

/// The check that is open, on the runner's disk, for whoever comes after a kill.
///
/// Written before GitHub is asked for it: a step may be killed while the answer is on its way.
struct OpenCheck: Codable {
  static let name = "cf-bench"

  var repository: String
  var commit: String
  var key = UUID().uuidString

  private static func path(_ environment: [String: String]) -> String? {
    guard let folder = environment["RUNNER_TEMP"], !folder.isEmpty else { return nil }
    return
      "\(folder)/cf-bench-check-\(environment["GITHUB_RUN_ID"] ?? "0")-\(environment["GITHUB_JOB"]?.filter(\.isLetter) ?? "").json"
  }

  static func read(_ environment: [String: String]) -> OpenCheck? {
    guard let path = path(environment), let data = FileManager.default.contents(atPath: path) else { return nil }
    // Half a file is that of a step which was killed while it wrote it.
    return try? JSONDecoder().decode(OpenCheck.self, from: data)
  }

  func write(_ environment: [String: String]) {
    guard let path = Self.path(environment), let data = try? JSONEncoder().encode(self) else { return }
    // Without it a killed step's check stays open; no reason to measure nothing.
    _ = FileManager.default.createFile(atPath: path, contents: data)
  }

  static func remove(_ environment: [String: String]) {
    guard let path = path(environment) else { return }
    unlink(path)  // not there when no check was made
  }
}
