import FoundationEssentials
import Shared

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `cf-bench-agent run JOB`: does one job from its manifest to its last word, with no connection to anybody.
struct Runner {
  let home: AgentHome
  let environment: [String: String]
  var secrets: [String: String] = [:]

  /// - Throws: when the job can't even be begun: no manifest, a runner already there, no room for the journal.
  func run(_ id: JobID) throws -> ExitStatus {
    let folder = JobFolder(id, in: home)
    guard folder.exists else {
      throw Problem(
        what: "there is no job '\(id)'", why: "\(folder.manifest) does not exist", fix: "submit it first",
        exitStatus: .usage)
    }
    guard let own = FileLock(path: folder.runnerLock, create: true), own.tryLock() else {
      throw Problem(
        what: "the job '\(id)' has a runner already", fix: "attach to it instead", exitStatus: .infrastructure)
    }
    own.write("\(getpid())")
    return try withExtendedLifetime(own) {
      let manifest = try folder.readManifest()
      let journal = try JournalWriter(folder: folder.path, redactor: Redactor(secrets.values))
      let job = Job(
        manifest: manifest, folder: folder, home: home, environment: environment, secrets: secrets, journal: journal)
      return try finish(job)
    }
  }

  private func finish(_ job: Job) throws -> ExitStatus {
    let started = MonotonicClock.seconds
    let result = job.perform()
    // What can't be removed costs room and nothing else; the result matters more.
    _ = try? FileManager.default.removeItem(atPath: job.folder.scratch)
    let finished = Finished(
      outcome: result.outcome, problem: result.problem, seconds: MonotonicClock.seconds - started)
    try job.journal.emitLast(.finished(finished))
    return switch result.outcome {
    case .done: .done
    case .partial: .partial
    case .failed: result.problem?.exitStatus ?? .infrastructure
    case .cancelled: .cancelled
    }
  }
}
