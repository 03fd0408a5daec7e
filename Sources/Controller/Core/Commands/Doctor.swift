import ArgumentParser
import Foundation
import Shared

struct Doctor: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks this machine and the benchmark host, and says how to fix what is missing.",
    discussion: """
      For an Azure VM it checks the whole chain: az, sign-in, subscription, role, the VM and the safeguards that \
      stop it. The VM is not started for that; with --start it is started, checked from inside, and stopped \
      again.

      EXAMPLES
        cf-bench doctor
        cf-bench doctor --start
        cf-bench doctor --machine local
        cf-bench doctor --machine ssh://bench@10.0.0.4 --json
      """)

  @OptionGroup var python: PythonOptions
  @Flag(help: "Start the VM if it is off, check it from inside, and stop it again.") var start = false
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let context = try CommandContext(machine, python, settings, output: output.value)
    let progress = context.makeProgress()
    let runner = DoctorRunner(
      machine: context.machine, request: context.doctorRequest, startsMachine: start, note: { progress.step($0) })
    let report = try await context.withTicks(progress) { await runner.examine() }
    progress.finish("")
    try output.tell(report, report.words(colour: TerminalStyle.ofOutput.hasColour))
    return report.status
  }
}
