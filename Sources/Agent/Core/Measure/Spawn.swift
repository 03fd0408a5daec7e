import CSpawn
import Glibc

/// One start of a program (posix_spawn(3)): with the default signals, as leader of a process group or of a session.
struct Spawn {
  /// A path and its arguments.
  var words: [String]
  /// The whole environment; nothing is inherited.
  var environment: [String: String]
  var directory: String
  var input: Stream
  var output: Stream
  /// Where standard error goes; `nil` for where the output does.
  var error: Stream?
  var leadsSession = false

  enum Stream {
    case descriptor(Int32)
    case file(String, flags: Int32)

    static let nothing = Stream.file("/dev/null", flags: O_RDWR)
  }

  func start() throws(ChildProcess.SpawnFailure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (target, stream) in [input, output, error ?? .descriptor(1)].enumerated() {
      switch stream {
      case .descriptor(let source): posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
      case .file(let path, let flags): posix_spawn_file_actions_addopen(&actions, Int32(target), path, flags, 0o600)
      }
    }
    cf_spawn_add_chdir(&actions, directory)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    let leads = leadsSession ? cf_spawn_setsid_flag() : Int16(POSIX_SPAWN_SETPGROUP)
    posix_spawnattr_setflags(&attributes, leads | Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

    var pid: pid_t = 0
    let code = CStringVector.with(words) { argv in
      CStringVector.with(environment.map { "\($0)=\($1)" }.sorted()) { envp in
        posix_spawn(&pid, words[0], &actions, &attributes, argv, envp)
      }
    }
    guard code == 0 else { throw ChildProcess.SpawnFailure(program: words[0], code: code) }
    return pid
  }
}
