import ArgumentParser
import Foundation
import Shared

/// Parses, runs, turns an error into words and an exit status; nothing else.
@main enum Main {
  static func main() async {
    signal(SIGPIPE, SIG_IGN)
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
      if failure.status == .done { StandardOutput.write(failure.text) } else { StandardError.write(failure.text + "\n") }
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
    if let error = error as? any UserFacingError {
      text = error.problem.rendered
      status = error.exitStatus
    } else if error is CancellationError {
      text = "cancelled"
      status = .cancelled
    } else if CFBench.exitCode(for: error) == .success {
      text = CFBench.fullMessage(for: error)
      status = .done
    } else if CFBench.exitCode(for: error) == .validationFailure {
      text = CFBench.fullMessage(for: error)
      status = .usage
    } else {
      let described = (error as NSError).localizedDescription
      text =
        Problem(
          what: "this machine's system refused something", why: described,
          fix: "check disk space and permissions of the results folder", exitStatus: .infrastructure
        ).rendered
      status = .infrastructure
    }
  }
}
