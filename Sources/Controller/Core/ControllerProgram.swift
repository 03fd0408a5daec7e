import ArgumentParser
import Foundation
import Shared

/// Parses, runs, turns an error into words and an exit status; nothing else.
public enum ControllerProgram {
  public static func main() async {
    StandardStream.occupyClosed()
    signal(SIGPIPE, SIG_IGN)
    ScratchFolder.sweep()
    let work = Task { await run(Array(CommandLine.arguments.dropFirst())) }
    let signals = CancelSignals { work.cancel() }
    let status = await work.value
    StandardError.live.flush()
    withExtendedLifetime(signals) { exit(status.rawValue) }
  }

  private static func run(_ arguments: [String]) async -> ExitStatus {
    do {
      try checkCommand(arguments)
      var command = try CFBench.parseAsRoot(arguments)
      if var command = command as? any BenchCommand { return try await command.perform() }
      try command.run()
      return .done
    } catch {
      let failure = Failure(error)
      guard failure.status == .done else { return failure.tell() }
      // What was asked for: help, or the version.
      do { try StandardOutput.write(failure.text) } catch { return Failure(error).tell() }
      return .done
    }
  }
}

extension ControllerProgram {
  /// A command that does not exist is told with the nearest one that does, also behind `help`.
  private static func checkCommand(_ arguments: [String]) throws(Problem) {
    let word = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
    let names =
      CFBench.configuration.subcommands.map { command in
        command.configuration.commandName ?? "\(command)".lowercased()
      } + ["help"]
    guard let word, !word.hasPrefix("-"), !names.contains(word) else { return }
    let nearest = NearestName.to(word, among: names)
    throw Problem(
      what: "there is no command '\(TerminalText.clean(word, limit: 100))'",
      fix: (nearest.map { "did you mean 'cf-bench \($0)'? " } ?? "") + "cf-bench --help lists all of them",
      exitStatus: .usage)
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

  /// Says it on standard error; a broken pipe is the reader's business, and quiet.
  func tell() -> ExitStatus {
    if status != .brokenPipe { StandardError.write(text + "\n") }
    return status
  }

  /// What the parser of command lines says, as the other errors are said.
  private static func usage(_ message: String) -> Problem {
    var parts: [String: String] = [:]
    var part = "Error:"
    for line in message.split(whereSeparator: \.isNewline) {
      var text = line.trimmingPrefix(/\s+/)
      if let name = ["Error:", "Help:", "Usage:", "See '"].first(where: { text.hasPrefix($0) }) {
        part = name
        if name.hasSuffix(":") { text = text.dropFirst(name.count).trimmingPrefix(/\s+/) }
      }
      parts[part] = [parts[part], String(text)].compactMap(\.self).joined(separator: " ")
    }
    let fix = [parts["Usage:"].map { "it is written '\($0)'" }, parts["See '"].map { "s" + $0.dropFirst() }].compactMap(
      \.self)
    return Problem(
      what: parts["Error:"] ?? "this can't be understood", why: parts["Help:"],
      fix: fix.isEmpty ? "see 'cf-bench --help'" : fix.joined(separator: "; "), exitStatus: .usage)
  }

  private static func words(_ error: any Error) -> (text: String, status: ExitStatus) {
    if let error = error as? any UserFacingError { return (error.problem.rendered, error.exitStatus) }
    if error is CancellationError { return ("cancelled", .cancelled) }
    if CFBench.exitCode(for: error) == .success { return (CFBench.fullMessage(for: error), .done) }
    if CFBench.exitCode(for: error) == .validationFailure {
      return (usage(CFBench.fullMessage(for: error)).rendered, .usage)
    }
    let problem = Problem(
      what: "the operating system of this machine reported an error", why: (error as NSError).localizedDescription,
      fix: "check disk space and permissions of the results folder", exitStatus: .infrastructure)
    return (problem.rendered, .infrastructure)
  }
}
