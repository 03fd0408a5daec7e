import CSpawn
import Glibc
import Shared

/// One child process: argument vector in, exit and output out, with a limit on its time and on its output.
///
/// The agent's only way to start a program. Ours, because the resource usage that `wait4` reports is part of the product.
/// The child leads a process group of its own; at the limit the whole group is killed.
struct ChildProcess {
  /// The program's path, or a name looked up in the `PATH` of ``environment``.
  var program: String
  var arguments: [String]
  /// The child's whole environment; nothing is inherited.
  var environment: [String: String]
  var directory: String
  var input: [UInt8] = []
  /// Seconds after which the child's process group is killed.
  var limitSeconds: Double
  /// Bytes of standard output kept; more is read and dropped.
  var outputLimit = 16 << 20
  /// Bytes of standard error kept, at least: its last ones.
  var errorLimit = 64 << 10
  /// Called with each finished line of standard output, without its newline, as soon as it is there.
  var onOutputLine: (([UInt8]) -> Void)?
  /// Called with the child's process id at its start and then at this interval, in seconds, until its output ends.
  var look: (every: Double, at: (pid_t) -> Void)?

  struct Outcome {
    enum End: Equatable {
      case exited(Int32)
      case signalled(Int32)
      case timedOut
    }
    var end: End
    var output: [UInt8]
    var error: [UInt8]
    /// Wall clock from just before the spawn to the child's end, in seconds.
    var seconds: Double
    /// From the kernel's accounting of the child and its waited-for children (`wait4`).
    var userSeconds: Double
    var systemSeconds: Double
    /// Peak resident set of the largest single process, in bytes; never less than the agent's own, which the kernel counts
    /// in after `posix_spawn`. See ``PeakRSSProbe`` for one that is right for small programs.
    var peakRSSBytes: Int

    var succeeded: Bool { end == .exited(0) }
    var outputText: String { String(decoding: output, as: UTF8.self) }
    var errorText: String { String(decoding: error, as: UTF8.self) }

    /// The end in words: `exited with 1`, `was killed by signal 9`, `was ended after its time limit`.
    var endWords: String {
      switch end {
      case .exited(let code): "exited with \(code)"
      case .signalled(let signal): "was killed by signal \(signal)"
      case .timedOut: "was ended because it passed its time limit"
      }
    }

    /// The last lines of standard error (of standard output when that is empty), for a person.
    func outputTail(lines count: Int = 6) -> String {
      let text = errorText.isEmpty ? outputText : errorText
      let lines = text.split(whereSeparator: \.isNewline).suffix(count * 4).map {
        $0.prefix(600).filter { $0.unicodeScalars.allSatisfy { $0.value >= 32 } }
      }
      return lines.filter { !$0.isEmpty }.suffix(count).joined(separator: "\n")
    }
  }

  /// The program could not be started at all.
  struct SpawnFailure: UserFacingError {
    var program: String
    var code: Int32
    var what: String { "can't start \(program)" }
    var why: String? { String(cString: strerror(code)) }
    var fix: String {
      code == ENOENT
        ? "install it, or put it on the PATH of the benchmark host's login"
        : "check that it may be run on the benchmark host"
    }
    var exitStatus: ExitStatus { .infrastructure }
  }

  /// Starts the child; the caller serves its pipes and waits for its end.
  func start() throws(SpawnFailure) -> (pid: pid_t, pipes: Pipes) {
    guard let path = Executable.find(program, path: environment["PATH"] ?? "") else {
      throw SpawnFailure(program: program, code: ENOENT)
    }
    let pipes = try Pipes(program: program)
    do {
      let pid = try spawn(path: path, pipes: pipes)
      pipes.closeChildEnds()
      return (pid, pipes)
    } catch {
      pipes.closeAll()
      throw error
    }
  }

  /// Runs the child to its end.
  func run() throws(SpawnFailure) -> Outcome {
    let started = MonotonicClock.seconds
    let (pid, pipes) = try start()
    defer { pipes.closeAll() }
    CancelFlag.protect(pid)
    defer { CancelFlag.protect(0) }
    var collected = pipes.pump(
      input: input, outputLimit: outputLimit, errorLimit: errorLimit, until: started + limitSeconds,
      onOutputLine: onOutputLine, look: look.map { look in (look.every, { look.at(pid) }) })
    if collected.timedOut { kill(-pid, SIGKILL) }
    // A grandchild may keep the pipes after the child has gone; a child may close them and stay. Both have the same limit.
    let ended = Self.reap(pid, until: started + limitSeconds)
    collected.timedOut = collected.timedOut || ended.timedOut
    let end: Outcome.End =
      if collected.timedOut { .timedOut } else if ended.status & 0x7f == 0 { .exited((ended.status >> 8) & 0xff) } else
      {
        .signalled(ended.status & 0x7f)
      }
    #if os(Linux)
      let peak = ended.usage.ru_maxrss * 1024
    #else
      let peak = ended.usage.ru_maxrss
    #endif
    return Outcome(
      end: end, output: collected.output, error: collected.error, seconds: ended.at - started,
      userSeconds: Self.seconds(ended.usage.ru_utime), systemSeconds: Self.seconds(ended.usage.ru_stime),
      peakRSSBytes: peak)
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

  private func spawn(path: String, pipes: Pipes) throws(SpawnFailure) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, pipes.input.read, 0)
    posix_spawn_file_actions_adddup2(&actions, pipes.output.write, 1)
    posix_spawn_file_actions_adddup2(&actions, pipes.error.write, 2)
    cf_spawn_add_chdir(&actions, directory)
    return try Self.spawn([path] + arguments, environment: environment, actions: &actions)
  }

  /// Starts a program as leader of a process group, with the default signals.
  static func spawn(
    _ words: [String], environment: [String: String], actions: inout posix_spawn_file_actions_t
  ) throws(SpawnFailure) -> pid_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD] { sigaddset(&defaults, signal) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var pid: pid_t = 0
    let code = CStringVector.with(words) { argv in
      CStringVector.with(environment.map { "\($0)=\($1)" }.sorted()) { envp in
        posix_spawn(&pid, words[0], &actions, &attributes, argv, envp)
      }
    }
    guard code == 0 else { throw SpawnFailure(program: words[0], code: code) }
    return pid
  }

  private static func reap(_ pid: pid_t, until deadline: Double) -> (
    status: Int32, usage: rusage, at: Double, timedOut: Bool
  ) {
    var status: Int32 = 0
    var usage = rusage()
    var timedOut = false
    // The pipes are closed, so the child is about to end: wait in the kernel; a thread-free alarm would need a signal.
    // Where the child closed its pipes and lives on, look again at growing intervals until the limit.
    var pause: UInt32 = 200
    while wait4(pid, &status, WNOHANG, &usage) == 0 {
      if MonotonicClock.seconds > deadline {
        timedOut = true
        kill(-pid, SIGKILL)
        while wait4(pid, &status, 0, &usage) < 0, errno == EINTR {}
        break
      }
      usleep(pause)
      pause = min(pause * 2, 20_000)
    }
    return (status, usage, MonotonicClock.seconds, timedOut)
  }
}

extension ChildProcess {
  /// From a program and its arguments in one list.
  init(
    words: [String], environment: [String: String], directory: String, input: [UInt8] = [], limitSeconds: Double,
    outputLimit: Int = 16 << 20, errorLimit: Int = 64 << 10, look: (every: Double, at: (pid_t) -> Void)? = nil
  ) {
    self.init(
      program: words[0], arguments: Array(words.dropFirst()), environment: environment, directory: directory,
      input: input, limitSeconds: limitSeconds, outputLimit: outputLimit, errorLimit: errorLimit, look: look)
  }
}
