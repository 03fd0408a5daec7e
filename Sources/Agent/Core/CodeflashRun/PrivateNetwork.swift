import CSpawn
import Glibc
import Shared

/// A network with nothing in it but the loopback interface, for programs that must not reach the outside.
///
/// The agent starts itself for this (`cf-bench-agent offline -- PROGRAM …`): a process can only move itself, before it has
/// threads, and becomes the program then. See network_namespaces(7).
enum PrivateNetwork {
  /// The words that start a program in a private network: a new one, or that of `process`.
  static func words(_ program: [String], joining process: pid_t? = nil, agent: String) -> [String] {
    [agent, "offline"] + (process.map { ["--join", "\($0)"] } ?? []) + ["--"] + program
  }

  /// Whether this machine permits one to this user. It takes a tenth of a second; the limit is long, since being slow is no refusal.
  static func isPermitted(agent: String) -> Bool {
    let child = ChildProcess(
      words: words(["/bin/true"], agent: agent), environment: ["PATH": "/usr/bin:/bin"], directory: "/",
      limitSeconds: 60)
    guard let outcome = try? child.run() else { return false }  // no agent to start: not permitted either
    return outcome.succeeded
  }

  /// Moves this process and becomes the program; returns only when that fails.
  static func become(_ words: [String], joining process: Int32?) throws -> ExitStatus {
    guard let program = words.first, let path = Executable.find(program, path: Self.path) else {
      throw Problem(
        what: "there is no program to run offline", why: words.first.map { "'\($0)' is not found" },
        fix: "name one behind '--'", exitStatus: .usage)
    }
    let code = process.map { cf_join_network($0) } ?? cf_enter_private_network()
    guard code == 0 else { throw failure("a private network is not permitted here", code) }
    _ = CStringVector.with([path] + words.dropFirst()) { execv(path, $0) }
    throw failure("can't start \(path)", errno)
  }

  private static var path: String { getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin" }

  private static func failure(_ what: String, _ code: Int32) -> Problem {
    Problem(
      what: what, why: String(cString: strerror(code)),
      fix: "nothing has to be done: the run then refuses outside addresses by proxy settings",
      exitStatus: .infrastructure)
  }
}
