import CSpawn
import FoundationEssentials
import Glibc
import Shared

/// The peak resident set of one small program, as `wait4` tells it.
///
/// The kernel counts what a process held before its `exec` as its own: after `posix_spawn` that is all of the parent's
/// memory, after `fork` the parent's private pages. So the program is forked by a fresh agent that has done nothing
/// (`cf-bench-agent peak`), whose private pages are about 2 MiB: less than any Python.
enum PeakRSSProbe {
  /// Runs `words`, a path and its arguments.
  /// - Returns: how it ended, and its peak in bytes; `nil` when that was not told.
  static func measure(
    _ words: [String], environment: [String: String], directory: String, limitSeconds: Double, report: String,
    agent: String
  ) throws -> (outcome: ChildProcess.Outcome, bytes: Int?) {
    unlink(report)
    let outcome = try ChildProcess(
      words: [agent, "peak", "--report", report, "--"] + words, environment: environment, directory: directory,
      limitSeconds: limitSeconds
    ).run()
    // Not there: the program did not end by itself, and its end says why.
    let text = (try? Data(contentsOf: URL(filePath: report))).map { String(decoding: $0, as: UTF8.self) }
    return (outcome, text.flatMap { Int($0) })
  }

  /// The other end: `cf-bench-agent peak`. Ends as the program does.
  static func run(_ words: [String], report: String) throws -> ExitStatus {
    guard let path = words.first else {
      throw Problem(what: "there is no program to run", fix: "name one behind '--'", exitStatus: .usage)
    }
    var peak = 0
    let status = CStringVector.with(words) { cf_fork_and_wait(path, $0, &peak) }
    guard status >= 0 else {
      throw Problem(
        what: "can't run \(path)", why: String(cString: strerror(Int32(peak))),
        fix: "look at the benchmark host's limits",
        exitStatus: .infrastructure)
    }
    try Data("\(peak * 1024)".utf8).write(to: URL(filePath: report))
    switch ProcessEnd(status: status) {
    case .exited(let code): exit(code)
    case .signalled(let signal): exit(128 + signal)
    case .timedOut, .untold: preconditionFailure("no status says so")
    }
  }
}
