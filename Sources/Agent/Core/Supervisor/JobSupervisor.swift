import CSpawn
import FoundationEssentials
import Glibc
import Shared

/// `cf-bench-agent run JOB`: sees to it that a job comes to its final event, and that no process of it is left then.
///
/// It does nothing of the job itself: a worker does, in a process of its own, and another one takes over where that dies.
/// The supervisor adopts what lets go of its parents, and the kernel ends the worker should the supervisor be killed.
struct JobSupervisor {
  let home: AgentHome
  let environment: [String: String]
  /// For its workers.
  var secrets: [String: String] = [:]

  /// How many workers in a row may take over without a block finished between them.
  static let patience = 3
  /// Who only looks at the lock has it for microseconds; longer than this, in seconds, another supervisor is there.
  private static let lockRetryLimit = 0.2

  /// - Throws: when the job can't even be begun: no job of that name, no room for its journal.
  func run(_ id: JobID) throws -> ExitStatus {
    let folder = JobFolder(id, in: home)
    guard folder.exists else {
      throw Problem(
        what: "there is no job '\(id)'", why: "\(folder.manifest) does not exist", fix: "submit it first",
        exitStatus: .usage)
    }
    guard let own = FileLock(path: folder.runnerLock, create: true, mode: 0o600) else {
      throw StorageFailure(path: folder.runnerLock, code: errno)
    }
    // Whoever started this one goes on with the supervisor that is there.
    guard take(own) else { return .done }
    SupervisorSignals.install()
    _ = cf_adopt_orphans()  // refused nowhere on Linux; without it a control group does the same
    let status = try keep(folder, own)
    own.write("")
    own.unlock()
    Retention(home: home, environment: environment).tidy()
    return status
  }

  private func take(_ lock: FileLock) -> Bool {
    let deadline = MonotonicClock.seconds + Self.lockRetryLimit
    while !lock.tryLock() {
      guard MonotonicClock.seconds < deadline else { return false }
      usleep(5000)
    }
    return true
  }

  private func keep(_ folder: JobFolder, _ own: FileLock) throws -> ExitStatus {
    if let lastWord = folder.lastWord { return Self.status(of: lastWord) }
    LeftBehind(folder: folder, lock: own.content).end()
    // Opened for what it does at opening: from here on whoever follows the journal sees whole lines that fit.
    let cut = try JournalWriter(folder: folder.path).cut
    own.write("\(getpid()) \(BootID.current ?? "")")
    folder.sync()
    if let digest = OwnBinary.installedSHA256 { home.markUsed("\(home.agents)/\(digest)") }
    let cgroup = JobCgroup.make(for: folder, environment: environment)
    defer {
      cgroup?.remove()
      unlink(folder.cgroupNote)
    }
    if let cgroup { try Data(cgroup.path.utf8).write(to: URL(filePath: folder.cgroupNote)) }
    let worker = WorkerProcess(
      folder: folder, log: CappedLog(path: folder.log, redactor: Redactor(secrets.values)), cgroup: cgroup,
      environment: environment, secrets: secrets)
    let lastWord = try work(worker, cut: cut)
    // A worker that is confined leaves the empty folder, and its ticket, which the next one would pass over anyway.
    _ = try? FileManager.default.removeItem(atPath: folder.scratch)  // costs room and nothing else
    let queue = QueueFolder(environment)
    _ = try? queue.withGate { try queue.live() }
    // A worker that was killed put nothing back.
    LeftTuning.restore(home: home, environment: environment)
    return Self.status(of: lastWord)
  }

  /// Has workers do the job until it has its final event.
  private func work(_ worker: WorkerProcess, cut: Problem?) throws -> Finished {
    let folder = worker.folder
    let started = MonotonicClock.seconds
    var cut = cut
    var inARow = 0
    while !isCancelled(folder) {
      let (blocks, killed) = (try blocks(folder), OutOfMemory.count)
      let end = try worker.run(cut: cut)
      cut = nil
      if let lastWord = folder.lastWord { return lastWord }
      inARow = try self.blocks(folder) > blocks ? 1 : inARow + 1
      let why = Self.words(end, ranOut: OutOfMemory.count > killed)
      worker.log.append("[cf-bench: the job's worker \(why)]\n")
      worker.log.end()
      if inARow > Self.patience, !isCancelled(folder) {
        return try close(folder, .failed, givenUp(folder, after: inARow, why: why), since: started)
      }
    }
    return try close(folder, .cancelled, nil, since: started)
  }

  private func isCancelled(_ folder: JobFolder) -> Bool { SupervisorSignals.isCancelled || folder.isCancelled }

  private func blocks(_ folder: JobFolder) throws -> Int { try JournalFile.count("blockFinished", in: folder.journal) }

  /// Writes the final event in the worker's place.
  private func close(
    _ folder: JobFolder, _ outcome: Finished.Outcome, _ problem: Problem?, since started: Double
  ) throws -> Finished {
    _ = try? FileManager.default.removeItem(atPath: folder.scratch)  // costs room and nothing else
    let finished = Finished(outcome: outcome, problem: problem, seconds: MonotonicClock.seconds - started)
    try JournalWriter(folder: folder.path, keepsReserve: false).emitLast(.finished(finished))
    return finished
  }

  private func givenUp(_ folder: JobFolder, after count: Int, why: String) -> Problem {
    let words = folder.outputTail
    return Problem(
      what: "the benchmark host's process that does the job died \(count) times in a row without finishing a block",
      why: "the last one \(why)" + (words.isEmpty ? "" : "; the end of its log:\n\(words)"),
      fix: "see \(folder.log) on the benchmark host, and 'dmesg' there for what the kernel ended; then measure again",
      exitStatus: .infrastructure)
  }

  private static func words(_ end: ProcessEnd, ranOut: Bool) -> String {
    switch end {
    case .signalled(SIGKILL) where ranOut: "was killed by the kernel because memory ran out (signal 9)"
    case .exited: "\(end.words) without a last word"
    default: end.words
    }
  }

  static func status(of finished: Finished) -> ExitStatus {
    switch finished.outcome {
    case .done: .done
    case .partial: .partial
    case .failed: finished.problem?.exitStatus ?? .infrastructure
    case .cancelled: .cancelled
    }
  }
}

/// How often the kernel ended a process because memory ran out (proc(5), `vmstat`).
enum OutOfMemory {
  static var count: Int {
    let line = MachineFiles().text("/proc/vmstat")?.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
    return line.flatMap { Int($0.dropFirst(9)) } ?? 0
  }
}

/// What a supervisor that was killed left running: its worker died with it, but not what that had started.
struct LeftBehind {
  let folder: JobFolder
  /// What the lock says of it: its process id, and the boot that this belongs to.
  let lock: String

  func end() {
    if let path = MachineFiles().text(folder.cgroupNote), path.hasPrefix("/") {
      let group = JobCgroup(path: path)
      group.kill()
      _ = ProcessTree.killAll { group.pids }
      group.remove()
    }
    endSession()
  }

  /// Without a control group: all that is still in the session that the supervisor led. As long as somebody is in it, its
  /// number is given to nobody else; a leader that lives would be another session's.
  private func endSession() {
    let words = lock.split(separator: " ")
    guard let leader = pid_t(words.first ?? ""), leader > 1, words.count > 1, String(words[1]) == BootID.current else {
      return
    }
    _ = ProcessTree.killAll {
      let all = ProcessTree.census()
      guard !all.contains(where: { $0.pid == leader && !$0.isZombie }) else { return [] }
      return all.filter { $0.session == leader && !$0.isZombie }.map(\.pid)
    }
  }
}
