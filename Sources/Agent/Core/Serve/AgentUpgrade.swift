import Glibc
import Shared

/// Goes on as another agent: looked at first, so that a session that was well stays so when the other one is no good.
struct AgentUpgrade {
  var home: AgentHome
  var environment: [String: String]

  /// How long the other agent may take to say its version, in seconds.
  private static let startLimit = 20.0

  /// Checks that the agent is here, is the right file, and starts on this machine; then the stable name leads to it.
  func prepare(_ agent: UploadID) throws {
    let path = home.agent(agent.sha256)
    guard access(path, F_OK) == 0 else {
      throw refusal(agent, why: "\(path) does not exist", fix: "send it first")
    }
    guard try OwnBinary.sha256(of: path) == agent.sha256 else {
      throw refusal(agent, why: "the file there is damaged: its SHA-256 is another one", fix: "send it again")
    }
    try tryStart(agent, path)
    try CurrentAgentLink(home: home).point(to: agent.sha256)
  }

  /// Becomes that agent, with the same input and output. Returns only when the system refuses.
  func become(_ agent: UploadID) -> Problem {
    let path = home.agent(agent.sha256)
    // As it was given to this one: in its own memory, what is secret is blanked by now.
    let variables = environment.map { "\($0)=\($1)" }
    let code = CStringVector.with([path, "serve"]) { argv in
      CStringVector.with(variables) { envp in
        execve(path, argv, envp)
        return errno
      }
    }
    return refusal(agent, why: String(cString: strerror(code)), fix: "try again")
  }

  private func tryStart(_ agent: UploadID, _ path: String) throws {
    let child = ChildProcess(
      program: path, arguments: ["version"], environment: environment, directory: "/", limitSeconds: Self.startLimit,
      outputLimit: 64 << 10)
    let outcome: ChildProcess.Outcome
    do { outcome = try child.run() } catch {
      throw refusal(agent, code: error.code)
    }
    guard outcome.succeeded, outcome.outputText.contains(agent.sha256) else {
      throw refusal(agent, words: outcome.outputTail(), end: outcome.end.words)
    }
  }

  private func refusal(_ agent: UploadID, code: Int32) -> Problem {
    let words = String(cString: strerror(code))
    switch code {
    case ENOEXEC:
      return refusal(
        agent, why: "its processor or system is another one than the agent was built for (\(words))",
        fix: "build cf-bench on a machine of that kind and name its agent with CF_BENCH_AGENT=FILE")
    case EACCES, EPERM:
      return refusal(
        agent, why: "the system refuses to run it (a file system mounted noexec?): \(words)",
        fix:
          "set CF_BENCH_HOME for that login to a folder from which programs may run; 'findmnt -T ~/.cf-bench' shows the mount"
      )
    case ENOENT:
      return refusal(
        agent, why: "its program loader is not there: the benchmark host has another C library (\(words))",
        fix: "use a benchmark host with glibc, or build the agent there and name it with CF_BENCH_AGENT=FILE")
    default: return refusal(agent, why: words, fix: "try again")
    }
  }

  private func refusal(_ agent: UploadID, words: String, end: String) -> Problem {
    // The dynamic loader's own words for a C library that is too old (ld.so).
    let isLibrary = words.contains("GLIBC") || words.contains("libc") || words.contains("shared libraries")
    guard isLibrary else {
      return refusal(agent, why: "it \(end): \(words)", fix: "log in there and run it by hand: cf-bench-agent version")
    }
    return refusal(
      agent, why: "the benchmark host's C library is older than the one that it was built for: \(words)",
      fix: "build cf-bench on a machine with that library or an older one, and name its agent with CF_BENCH_AGENT=FILE")
  }

  private func refusal(_ agent: UploadID, why: String, fix: String) -> Problem {
    Problem(
      what: "the agent \(agent.sha256.prefix(12)) can't take over", why: why, fix: fix, exitStatus: .infrastructure)
  }
}
