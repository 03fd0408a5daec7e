import CSpawn
import FoundationEssentials
import Glibc
import Shared

/// `cf-bench-agent work JOB`: does one job to its final event, or goes on with it where an earlier worker died.
struct Worker {
  let home: AgentHome
  let environment: [String: String]
  /// The ``JobSupervisor`` that started this.
  let supervisor: pid_t
  let cgroup: JobCgroup?
  /// What the supervisor had to cut off the journal.
  let cut: String?
  var secrets: [String: String] = [:]

  /// Binds this process to its supervisor. To be called before anything is started.
  /// - Returns: false when the supervisor is gone already.
  func begin() -> Bool {
    CancelFlag.install()
    _ = cf_die_with_parent()  // refused nowhere on Linux
    guard getppid() == supervisor else { return false }
    if let cgroup {
      let code = cgroup.enter()
      if code != 0 { print("the job's control group can't be entered: \(String(cString: strerror(code)))") }
    }
    return true
  }

  /// - Throws: when nothing can be written of the job.
  func run(_ id: JobID) throws -> ExitStatus {
    let folder = JobFolder(id, in: home)
    let journal = try JournalWriter(folder: folder.path, redactor: Redactor(secrets.values))
    let started = MonotonicClock.seconds
    let result = perform(folder, journal)
    // What can't be removed costs room and nothing else; the result matters more.
    _ = try? FileManager.default.removeItem(atPath: folder.scratch)
    let finished = Finished(
      outcome: result.outcome, problem: result.problem, seconds: MonotonicClock.seconds - started)
    try journal.emitLast(.finished(finished))
    return JobSupervisor.status(of: finished)
  }

  private func perform(_ folder: JobFolder, _ journal: JournalWriter) -> (outcome: Finished.Outcome, problem: Problem?)
  {
    do {
      let manifest = try folder.readManifest()
      let history = try JobHistory(journal: folder.journal)
      let job = Job(
        manifest: manifest, folder: folder, home: home, environment: environment, secrets: secrets, journal: journal,
        history: history)
      return job.perform(cut: cut, leave: endOthers)
    } catch {
      return (.failed, Problem(error, at: home.path))
    }
  }

  /// Ends what the job started and left: when the final event is read, nothing of it runs any more.
  private func endOthers() {
    _ = ProcessTree.killAll(reaps: false) {
      let all = ProcessTree.descendants(of: supervisor) + (cgroup?.pids ?? [])
      return all.filter { $0 != getpid() }
    }
  }
}
