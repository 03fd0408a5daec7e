import ArgumentParser
import CSpawn
import FoundationEssentials
import Glibc
import Shared

/// Parses, runs, turns an error into words and an exit status; nothing else.
public enum AgentProgram {
  public static func main() {
    signal(SIGCHLD, SIG_DFL)  // where it was ignored, the kernel would tell nobody how a child ended
    StandardStream.occupyClosed()
    exit(run(Array(CommandLine.arguments.dropFirst())).rawValue)
  }

  private static func run(_ arguments: [String]) -> ExitStatus {
    do {
      var command = try AgentCommand.parseAsRoot(arguments)
      if let command = command as? any StatusCommand { return try command.perform() }
      try command.run()
      return .done
    } catch let error as any UserFacingError {
      return end(error)
    } catch {
      let helps = AgentCommand.exitCode(for: error) == .success
      do { try say(AgentCommand.fullMessage(for: error), on: helps ? .output : .error) } catch {
        return helps ? end(error) : .usage
      }
      return helps ? .done : .usage
    }
  }

  private static func end(_ error: any UserFacingError) -> ExitStatus {
    // Nobody is left to tell when this fails; a broken pipe is the reader's business, and quiet.
    if error.exitStatus != .brokenPipe { try? say(error.problem.rendered, on: .error) }
    return error.exitStatus
  }

  fileprivate static func say(_ text: String, on stream: StandardStream) throws(OutputFailure) {
    try stream.write(Redactor().redacted(text + "\n"))
  }
}

/// A command whose end is an ``ExitStatus``.
private protocol StatusCommand: ParsableCommand {
  func perform() throws -> ExitStatus
}

private struct AgentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cf-bench-agent",
    abstract: "Runs on the benchmark host: measures jobs and streams what it measured.",
    discussion: """
      Started by the controller over SSH; listens on no port. Everything it keeps lies in ~/.cf-bench, or where
      CF_BENCH_HOME says.

      EXAMPLES
        cf-bench-agent version
        echo '{"v":1,"type":"hello","body":{"protocolVersion":1,"controllerVersion":"x"}}' | cf-bench-agent serve
      """,
    version: Version.current,
    subcommands: [Serve.self, RunJob.self, WorkJob.self, Offline.self, Peak.self, ShowVersion.self],
    defaultSubcommand: Serve.self)
}

extension AgentCommand {
  struct Serve: StatusCommand {
    static let configuration = CommandConfiguration(
      abstract: "Talks to a controller over standard input and output.")

    func perform() throws -> ExitStatus {
      var environment = takeEnvironment()
      // Said by the controller that has just installed this agent; nobody who is started from here needs it.
      let isNew = environment.removeValue(forKey: "CF_BENCH_AS_DEFAULT") == "1"
      let home = AgentHome(environment: environment)
      LeftTuning.restore(home: home, environment: environment)
      return try Server(home: home, environment: environment, isNew: isNew).run()
    }
  }

  struct RunJob: StatusCommand {
    static let configuration = CommandConfiguration(
      commandName: "run", abstract: "Does a submitted job, with no connection to anybody.")

    @Argument(help: "The job's name.") var job: String

    func perform() throws -> ExitStatus {
      let environment = takeEnvironment()
      let supervisor = JobSupervisor(
        home: AgentHome(environment: environment), environment: environment, secrets: SecretsPipe.take())
      return try supervisor.run(try jobID(job))
    }
  }

  struct WorkJob: StatusCommand {
    static let configuration = CommandConfiguration(
      commandName: "work", abstract: "Does the work of a job for the 'run' that keeps it.", shouldDisplay: false)

    @Argument(help: "The job's name.") var job: String
    @Option(help: "Process id of the 'run' that started this; it ends with that.") var supervisor: Int32
    @Option(help: "The control group to enter.") var cgroup: String?
    @Option(help: "What had to be cut off the journal.") var cut: String?

    func perform() throws -> ExitStatus {
      let environment = takeEnvironment()
      let worker = Worker(
        home: AgentHome(environment: environment), environment: environment, supervisor: supervisor,
        cgroup: cgroup.map { JobCgroup(path: $0) }, cut: cut,
        secrets: SecretsPipe.take())
      guard worker.begin() else { return .infrastructure }
      return try worker.run(try jobID(job))
    }
  }

  struct Offline: StatusCommand {
    static let configuration = CommandConfiguration(
      abstract: "Runs a program where it can't reach the network.", shouldDisplay: false)

    @Option(help: "Share the private network of this process instead of making one.") var join: Int32?
    @Argument(parsing: .postTerminator, help: "The program and its arguments.") var words: [String]

    func perform() throws -> ExitStatus { try PrivateNetwork.become(words, joining: join) }
  }

  struct Peak: StatusCommand {
    static let configuration = CommandConfiguration(
      abstract: "Runs a program and writes its own peak memory into a file.", shouldDisplay: false)

    @Option(help: "The file that gets the number of bytes.") var report: String
    @Argument(parsing: .postTerminator, help: "The program's path and its arguments.") var words: [String]

    func perform() throws -> ExitStatus { try PeakRSSProbe.run(words, report: report) }
  }

  struct ShowVersion: StatusCommand {
    static let configuration = CommandConfiguration(
      commandName: "version", abstract: "Prints version, protocol and the SHA-256 of this binary.")

    func perform() throws -> ExitStatus {
      let digest = try OwnBinary.sha256()
      try AgentProgram.say(
        "cf-bench-agent \(Version.current), protocol \(Version.wireProtocol), sha256 \(digest)", on: .output)
      return .done
    }
  }
}

private func jobID(_ name: String) throws -> JobID {
  guard let id = JobID(name) else {
    throw Problem(
      what: "'\(name)' is no job's name", why: "letters, digits, '-', '_' and '.' make one",
      fix: "see ~/.cf-bench/jobs", exitStatus: .usage)
  }
  return id
}

/// This process's environment. What is secret in it is blanked where other programs could see it in /proc.
private func takeEnvironment() -> [String: String] {
  let environment = ProcessInfo.processInfo.environment
  for name in environment.keys where SecretNames.isSecret(name) { cf_blank_variable(name) }
  return environment
}
