import FoundationEssentials
import Glibc
import Shared

/// The programs that prepare a side (uv, git, tar, Python), run with the job's limit and a clean environment.
struct SetupTools {
  let environment: [String: String]
  let limitSeconds: Double
  /// Where they run: a folder that holds no project which a tool could take for its own.
  let directory: String

  init(environment: [String: String], home: AgentHome, limitSeconds: Double, directory: String? = nil) {
    var clean = GitEnvironment.cleaned(environment)
    // What a login's own Python or git work would slip into the build of a side.
    for name in [
      "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "UV_PYTHON", "UV_PROJECT",
      "UV_PROJECT_ENVIRONMENT",
    ] {
      clean[name] = nil
    }
    clean["PATH"] = Self.path(environment, home: home)
    clean["UV_NO_PROGRESS"] = "1"
    clean["NO_COLOR"] = "1"
    clean["GIT_TERMINAL_PROMPT"] = "0"
    clean["GIT_SSH_COMMAND"] = environment["GIT_SSH_COMMAND"] ?? "ssh -o BatchMode=yes"
    clean["LC_ALL"] = "C.UTF-8"
    self.environment = clean
    self.limitSeconds = limitSeconds
    self.directory = directory ?? home.environments
  }

  /// Where tools are looked for: on the login's own `PATH`, where pip and cargo put them, and where controllers do.
  static func path(_ environment: [String: String], home: AgentHome) -> String {
    let own = environment["HOME"] ?? "/root"
    return [
      environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin", "\(own)/.local/bin", "\(own)/.cargo/bin", home.tools,
    ].joined(separator: ":")
  }

  /// Which of the programs that an agent does not bring along are there.
  static func present(_ environment: [String: String], home: AgentHome) -> [HostTool] {
    let path = path(environment, home: home)
    return HostTool.allCases.filter { Executable.find($0.rawValue, path: path) != nil }
  }

  /// Runs a tool to its end; how it ended is the caller's to judge.
  /// - Throws: ``SideProblem`` when the tool is missing or passed the limit.
  func run(
    _ program: String, _ arguments: [String], doing: String, input: String = "", extra: [String: String] = [:],
    in directory: String? = nil, limitSeconds limit: Double? = nil
  ) throws -> ChildProcess.Outcome {
    guard Executable.find(program, path: environment["PATH"] ?? "") != nil else {
      throw SideProblem.toolMissing(program, fix: Self.howToInstall(program))
    }
    let outcome = try ChildProcess(
      program: program, arguments: (program == "git" ? GitEnvironment.options : []) + arguments,
      environment: environment.merging(extra) { $1 },
      directory: directory ?? self.directory, input: Array(input.utf8), limitSeconds: limit ?? limitSeconds
    ).run()
    guard outcome.end != .timedOut else {
      throw SideProblem.stepTooLong(doing: doing, seconds: limit ?? limitSeconds)
    }
    return outcome
  }

  /// Runs a tool that must succeed.
  func mustRun(
    _ program: String, _ arguments: [String], doing: String, in directory: String? = nil
  ) throws -> ChildProcess.Outcome {
    let outcome = try run(program, arguments, doing: doing, in: directory)
    guard outcome.succeeded else { throw SideProblem.stepFailed(doing: doing, outputTail: outcome.outputTail()) }
    return outcome
  }

  private static func howToInstall(_ program: String) -> String {
    "on the benchmark host: " + (HostTool(rawValue: program)?.installation ?? "sudo apt-get install \(program)")
  }

  /// Whether a tool's last words are about a network that is not there.
  static func speakOfNetwork(_ words: String) -> Bool {
    [
      "dns error", "error sending request", "Could not connect", "Could not resolve host", "Network is unreachable",
      "Network connectivity is disabled", "Connection refused", "Connection timed out", "name resolution",
      "operation timed out", "network was disabled",
    ].contains { words.contains($0) }
  }
}

/// A lock on a folder that is being built, held by the kernel for as long as this process lives.
struct SetupLock: ~Copyable {
  private let descriptor: Int32

  /// Waits for the lock; another job that builds the same folder ends within its own limit.
  init(path: String, doing: String, limitSeconds: Double) throws(SideProblem) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw .stepFailed(doing: doing, outputTail: "\(path): \(String(cString: strerror(errno)))")
    }
    let deadline = MonotonicClock.seconds + limitSeconds
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR, MonotonicClock.seconds < deadline else {
        close(descriptor)
        throw .stepTooLong(doing: doing, seconds: limitSeconds)
      }
      usleep(50_000)
    }
  }

  deinit { close(descriptor) }
}
