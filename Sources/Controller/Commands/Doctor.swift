import ArgumentParser
import Foundation
import Shared

struct Doctor: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says what is missing here and at the far end, with what mends it.",
    discussion: """
      EXAMPLES
        cf-bench doctor
        cf-bench doctor --machine ssh://bench@10.0.0.4 --json
      """)

  @Option(help: ArgumentHelp("Python versions, separated by commas, such as 3.12,3.13.", valueName: "list"))
  var python: String?
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let context = try CommandContext(settings, machine: machine, python: python, output: output)
    let examination = await context.examiner.examine()
    if output.json {
      try StandardOutput.write(json: examination)
    } else {
      StandardOutput.write(
        examination.words(
          colour: TerminalStyle(
            isTerminal: isatty(1) != 0, environment: ProcessInfo.processInfo.environment
          ).hasColour))
    }
    return examination.status
  }
}
