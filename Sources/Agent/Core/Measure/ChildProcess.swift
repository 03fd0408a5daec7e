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
    var end: ProcessEnd
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

    /// The last lines of standard error (of standard output when that is empty), for a person.
    func outputTail(lines count: Int = 6) -> String {
      ChildProcess.tail(errorText.isEmpty ? outputText : errorText, lines: count)
    }
  }

  /// The last lines of what a program said, for a person.
  static func tail(_ text: String, lines count: Int = 6) -> String {
    let lines = text.split(whereSeparator: \.isNewline).suffix(count * 4).map {
      $0.prefix(600).filter { $0.unicodeScalars.allSatisfy { $0.value >= 32 } }
    }
    return lines.filter { !$0.isEmpty }.suffix(count).joined(separator: "\n")
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
      let pid = try Spawn(
        words: [path] + arguments, environment: environment, directory: directory,
        input: .descriptor(pipes.input.read), output: .descriptor(pipes.output.write),
        error: .descriptor(pipes.error.write)
      ).start()
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
    let deadline = started + limitSeconds
    let collected = pipes.pump(
      input: input, outputLimit: outputLimit, errorLimit: errorLimit, until: deadline,
      onOutputLine: onOutputLine, look: look.map { look in (look.every, { look.at(pid) }) })
    // A grandchild may keep the pipes after the child has gone; a child may close them and stay. Both have the same limit.
    if collected.timedOut { ProcessEnd.killGroup(pid) }
    var usage = rusage()
    let end = ProcessEnd.wait(for: pid, until: deadline, usage: &usage)
    return Outcome(
      end: collected.timedOut ? .timedOut : end, output: collected.output, error: collected.error,
      seconds: MonotonicClock.seconds - started, userSeconds: usage.ru_utime.seconds,
      systemSeconds: usage.ru_stime.seconds, peakRSSBytes: usage.ru_maxrss * 1024)
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

extension timeval {
  var seconds: Double { Double(tv_sec) + Double(tv_usec) / 1e6 }
}
