import Glibc
import Shared

/// Starts `cf-bench-agent run JOB` in a session of its own, so that it outlives the connection that asked for it.
struct DetachedRunner {
  var home: AgentHome
  var environment: [String: String]

  /// How long the runner may take to come up, in seconds.
  static let startLimit = 10.0

  /// Returns once the runner holds its lock and its journal can be followed.
  /// - Parameter secrets: for the job's layers; they go through a pipe.
  func start(_ folder: JobFolder, secrets: [String: String]) throws -> pid_t {
    let pid = try spawn(folder, secrets)
    let deadline = MonotonicClock.seconds + Self.startLimit
    while !folder.hasJournal || folder.runningPID() == nil {
      var status: Int32 = 0
      if waitpid(pid, &status, WNOHANG) == pid {
        // A short job may be over already, and another one's runner may have been quicker.
        if folder.hasJournal, folder.state != .lost { return pid }
        // On a full disk it could not even say so: what it tried first is tried here.
        _ = try JournalWriter(folder: folder.path)
        throw Problem(
          what: "the job's runner ended at once", why: folder.outputTail,
          fix: "see \(folder.log) on the benchmark host",
          exitStatus: .infrastructure)
      }
      guard MonotonicClock.seconds < deadline else {
        kill(pid, SIGKILL)
        throw Problem(
          what: "the job's runner did not come up in \(Int(Self.startLimit)) s", why: folder.outputTail,
          fix: "look at the benchmark host's load and at \(folder.log) there", exitStatus: .infrastructure)
      }
      usleep(1000)
    }
    return pid
  }

  /// Has a job go on that has neither a runner nor a final event. Of several who try at once one starts it.
  /// - Returns: the process id of a new runner, which is a child of this process; `nil` where none was needed.
  func revive(_ folder: JobFolder, secrets: [String: String]) throws -> pid_t? {
    guard folder.exists, folder.state == .lost else { return nil }
    return try start(folder, secrets: secrets)
  }

  /// Asks for a job's end: its runner is told, and one that comes later finds the mark.
  /// - Returns: whether there was a runner to tell.
  static func cancel(_ folder: JobFolder) -> Bool {
    guard folder.exists, folder.lastWord == nil else { return false }
    let mark = open(folder.cancelMark, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    // On a full disk the signal has to do.
    if mark >= 0 { close(mark) }
    guard folder.hasRunner else { return false }
    // Without a number it is just coming up, and looks for the mark.
    if let pid = folder.runningPID() { kill(pid, SIGTERM) }
    return true
  }

  /// The agent that the job was begun with, or this one where that is gone.
  private func program(_ folder: JobFolder) -> String {
    if let noted = MachineFiles().text(folder.agentNote), access(noted, X_OK) == 0 { return noted }
    let own = Executable.own
    let file = open(folder.agentNote, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return own }  // a full disk shows at the journal; a later runner takes its own program
    defer { close(file) }
    let bytes = Array(own.utf8)
    write(file, bytes, bytes.count)
    return own
  }

  private func spawn(_ folder: JobFolder, _ secrets: [String: String]) throws -> pid_t {
    let input = try SecretsPipe.filled(with: secrets)
    defer { close(input) }
    return try Spawn(
      words: [program(folder), "run", folder.id.text],
      environment: environment.merging(["CF_BENCH_HOME": home.path]) { $1 }, directory: folder.path,
      input: .descriptor(input), output: .file(folder.log, flags: O_WRONLY | O_CREAT | O_APPEND), leadsSession: true
    ).start()
  }
}

/// All processes of one session, by its leader (proc(5): field 6 of `stat`).
enum SessionProcesses {
  static func kill(leader: pid_t) {
    for entry in ProcessTree.census() where entry.session == leader && entry.pid != leader {
      Glibc.kill(entry.pid, SIGKILL)
    }
    Glibc.kill(leader, SIGKILL)
  }
}
