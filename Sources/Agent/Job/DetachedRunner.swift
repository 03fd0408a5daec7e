import CSpawn
import Shared

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Starts `cf-bench-agent run JOB` in a session of its own, so that it outlives the connection that asked for it.
struct DetachedRunner {
  var home: AgentHome
  var environment: [String: String]

  /// How long the runner may take to come up, in seconds.
  static let startLimit = 10.0

  /// Returns once the runner holds its lock and its journal is there.
  /// - Parameter secrets: for the job's layers; they go through a pipe.
  func start(_ folder: JobFolder, secrets: [String: String] = [:]) throws -> pid_t {
    let pid = try spawn(folder, secrets)
    let deadline = MonotonicClock.seconds + Self.startLimit
    while access(folder.journal, F_OK) != 0 || folder.runningPID() == nil {
      var status: Int32 = 0
      if waitpid(pid, &status, WNOHANG) == pid {
        // A short job may be over already; one that left no journal never began.
        if access(folder.journal, F_OK) == 0 { return pid }
        throw Problem(
          what: "the job's runner ended at once", why: folder.lastWords, fix: "see \(folder.log) at the far end",
          exitStatus: .infrastructure)
      }
      guard MonotonicClock.seconds < deadline else {
        kill(pid, SIGKILL)
        throw Problem(
          what: "the job's runner did not come up in \(Int(Self.startLimit)) s", why: folder.lastWords,
          fix: "look at the far end's load and at \(folder.log) there", exitStatus: .infrastructure)
      }
      usleep(1000)
    }
    return pid
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
    let code = CStringVector.with([Executable.own, "run", folder.id.text]) { argv in
      CStringVector.with(variables.map { "\($0)=\($1)" }) { envp in
        posix_spawn(&pid, Executable.own, &actions, &attributes, argv, envp)
      }
    }
    guard code == 0 else { throw ChildProcess.SpawnFailure(program: Executable.own, code: code) }
    return pid
  }
}

/// All processes of one session, by its leader (proc(5): field 6 of `stat`).
enum SessionProcesses {
  static func kill(leader: pid_t) {
    guard let directory = opendir("/proc") else { return }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let pid = pid_t(name), pid != leader, getsid(pid) == leader else { continue }
      Glibc.kill(pid, SIGKILL)
    }
    Glibc.kill(leader, SIGKILL)
  }
}
