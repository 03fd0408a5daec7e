import ArgumentParser
import Shared
import Testing

@testable import ControllerCore

@Suite("Help")
struct HelpTests {
  private static let machine: Set<String> = ["machine", "keep-running", "identity", "known-hosts"]
  private static let settings: Set<String> = ["config", "set"]
  private static let output: Set<String> = ["json", "quiet"]
  private static let measuring: Set<String> = [
    "python", "layers", "results", "repository", "tune", "findings", "supersede",
  ]
  private static let connection: Set<String> = ["reconnect-for"]

  /// Each command's options: those that change what it does, and no other.
  private static let options: [(command: any ParsableCommand.Type, names: Set<String>)] = [
    (
      Compare.self,
      measuring.union(["budget", "fail-on", "undecided"]).union(machine).union(connection).union(settings).union(output)
    ),
    (Run.self, measuring.union(machine).union(connection).union(settings).union(output)),
    (
      Record.self,
      Set(["form", "output", "python", "repository", "quiet"]).union(machine).union(connection).union(settings)
    ),
    (Attach.self, Set(["results"]).union(machine).union(connection).union(settings).union(output)),
    (Jobs.self, machine.union(settings).union(output)),
    (Cancel.self, machine.union(settings).union(output)),
    (Analyze.self, ["alpha", "delta", "correction", "replay", "json"]),
    (Report.self, ["json"]),
    (ShowSettings.self, Set(["example", "json"]).union(settings)),
    (Initialise.self, ["action", "dry-run", "json"]),
    (CommentCommand.self, ["pull", "repo"]),
    (CI.self, ["settle"]),
    (
      Provision.self,
      Set(["dry-run", "refresh", "cloud-init", "identity", "keep-running"]).union(settings).union(output)
    ),
    (Start.self, Set(["for", "identity"]).union(settings).union(output)),
    (Stop.self, Set(["force"]).union(settings).union(output)),
    (Status.self, settings.union(output)),
    (Cost.self, Set(["month", "plan"]).union(settings).union(output)),
    (Reap.self, Set(["all"]).union(settings).union(output)),
    (Deprovision.self, Set(["dry-run", "yes", "force"]).union(settings).union(output)),
    (Doctor.self, Set(["python", "start"]).union(machine).union(settings).union(output)),
    (Authorize.self, ["expires", "home"]),
  ]

  @Test("each command shows the options that do something there, and no other")
  func effective() {
    let commands = CFBench.configuration.groupedSubcommands.flatMap(\.subcommands)
    #expect(Set(commands.map { "\($0)" }) == Set(Self.options.map { "\($0.command)" }))
    for (command, names) in Self.options {
      let help = CFBench.helpMessage(for: command, columns: 200)
      let shown = help.matches(of: /(?m)^  (?:-\w, )?--([a-z-]+)/).map { String($0.1) }
      #expect(Set(shown) == names.union(["version", "help"]), "\(command)")
    }
  }

  @Test("it wraps to the terminal, whatever its width, and no paragraph is broken by hand", arguments: [40, 80, 200])
  func width(columns: Int) {
    let commands: [any ParsableCommand.Type] = [CFBench.self] + Self.options.map(\.command)
    for command in commands {
      let help =
        command == CFBench.self
        ? CFBench.helpMessage(columns: columns) : CFBench.helpMessage(for: command, columns: columns)
      let lines = help.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      for (line, next) in zip(lines, lines.dropFirst() + [""]) {
        // The usage line is one for copying.
        #expect(
          line.count <= columns || line.hasPrefix("USAGE: ") || line.contains("'cf-bench help <subcommand>'")
            || !line.trimmingPrefix(while: { $0 == " " }).contains(" "), "\(command): \(line)")
        // A line of a paragraph ends where the next word would not fit.
        guard let word = next.split(separator: " ").first, !line.isEmpty, !line.hasPrefix(" "), !next.hasPrefix(" "),
          !line.hasSuffix(":"), !line.hasPrefix("EXAMPLES")
        else { continue }
        #expect(line.count + 1 + word.count >= columns, "\(command): '\(line)' is broken before '\(word)'")
      }
    }
  }
}
