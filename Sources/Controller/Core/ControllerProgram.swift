import ArgumentParser
import Foundation
import Shared

/// Parses, runs, turns an error into words and an exit status; nothing else.
public enum ControllerProgram {
  public static func main() async {
    signal(SIGPIPE, SIG_IGN)
    ScratchFolder.sweep()
    let work = Task { await run(Array(CommandLine.arguments.dropFirst())) }
    let signals = CancelSignals { work.cancel() }
    let status = await work.value
    withExtendedLifetime(signals) { exit(status.rawValue) }
  }

  private static func run(_ arguments: [String]) async -> ExitStatus {
    do {
      var command = try CFBench.parseAsRoot(arguments)
      if var command = command as? any BenchCommand { return try await command.perform() }
      try command.run()
      return .done
    } catch {
      let failure = Failure(error)
      if failure.status == .done {
        StandardOutput.write(failure.text)
      } else {
        StandardError.write(failure.text + "\n")
      }
      return failure.status
    }
  }
}

/// A command whose end is an ``ExitStatus``.
protocol BenchCommand: ParsableCommand {
  mutating func perform() async throws -> ExitStatus
}

/// Any error as text and exit status: the one place that turns an error into words.
struct Failure {
  var text: String
  var status: ExitStatus

  init(_ error: any Error) {
    (text, status) = Self.words(error)
    // They may quote what was typed, or what another program said.
    text = TerminalText.lines(text)
  }

  private static func words(_ error: any Error) -> (text: String, status: ExitStatus) {
    if let error = error as? any UserFacingError { return (error.problem.rendered, error.exitStatus) }
    if error is CancellationError { return ("cancelled", .cancelled) }
    if CFBench.exitCode(for: error) == .success { return (CFBench.fullMessage(for: error), .done) }
    if CFBench.exitCode(for: error) == .validationFailure { return (CFBench.fullMessage(for: error), .usage) }
    let problem = Problem(
      what: "this machine's system refused something", why: (error as NSError).localizedDescription,
      fix: "check disk space and permissions of the results folder", exitStatus: .infrastructure)
    return (problem.rendered, .infrastructure)
  }
}
