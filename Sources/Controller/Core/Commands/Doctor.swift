import ArgumentParser
import Foundation
import Shared

struct Doctor: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says what is missing here and on the benchmark host, with what mends it.",
    discussion: """
      For the VM of Azure the whole chain is looked at: az, sign-in, subscription, role, the VM and what keeps it from
      being forgotten. It is not started for that; with --start it is, is looked at from inside, and stopped again.

      EXAMPLES
        cf-bench doctor
        cf-bench doctor --start
        cf-bench doctor --machine local
        cf-bench doctor --machine ssh://bench@10.0.0.4 --json
      """)

  @Option(help: ArgumentHelp("Python versions, separated by commas, such as 3.12,3.13.", valueName: "list"))
  var python: String?
  @Flag(help: "Start a VM that is off, look at it from inside, and stop it again.") var start = false
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let context = try CommandContext(settings, machine: machine, python: python, output: output)
    let progress = context.makeProgress()
    let runner = DoctorRunner(
      machine: context.machine, python: context.python, startsMachine: start, note: { progress.step($0) })
    let report = try await context.withTicks(progress) { await runner.examine() }
    progress.finish("")
    if output.json {
      try StandardOutput.write(json: report)
    } else {
      StandardOutput.write(
        report.words(
          colour: TerminalStyle(
            isTerminal: isatty(1) != 0, environment: ProcessInfo.processInfo.environment
          ).hasColour))
    }
    return report.status
  }
}
