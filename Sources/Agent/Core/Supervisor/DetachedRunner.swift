import CSpawn
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

  /// Has a job go on that has neither a runner nor a last word. Of several who try at once one starts it.
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
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_addopen(&actions, 1, folder.log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    cf_spawn_add_chdir(&actions, folder.path)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD] { sigaddset(&defaults, signal) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF) | cf_spawn_setsid_flag())
    var variables = environment
    variables["CF_BENCH_HOME"] = home.path
    var pid: pid_t = 0
    let program = program(folder)
    let code = CStringVector.with([program, "run", folder.id.text]) { argv in
      CStringVector.with(variables.map { "\($0)=\($1)" }) { envp in
        posix_spawn(&pid, program, &actions, &attributes, argv, envp)
      }
    }
    guard code == 0 else { throw ChildProcess.SpawnFailure(program: program, code: code) }
    return pid
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
