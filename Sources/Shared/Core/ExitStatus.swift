/// How a command ended, as the number that scripts see. The one table of exit codes (see `docs/exit-codes.md`).
public enum ExitStatus: Int32, Codable, Sendable {
  /// The command did what it was asked.
  case done = 0
  /// The gate failed: a regression over the threshold.
  case gateFailed = 1
  /// The command line, the environment or the configuration is wrong; nothing was started.
  case usage = 2
  /// The machine, the connection or the agent failed.
  case infrastructure = 3
  /// The job ran, but part of it has no result.
  case partial = 4
  /// Cancelled by a signal.
  case cancelled = 130
  /// Whoever read standard output went away before all was written; the status of a program that SIGPIPE ends (128 + 13).
  case brokenPipe = 141
}
