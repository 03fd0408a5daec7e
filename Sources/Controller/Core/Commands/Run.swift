import ArgumentParser
import Shared

struct Run: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures one revision.",
    discussion: """
      Gives absolute figures of one moment on one machine. To learn whether something got faster use 'compare', \
      which measures both sides in turn.

      EXAMPLES
        cf-bench run codeflash==0.20.6
        cf-bench run main --layers startup --python 3.12,3.13
      """)

  @Argument(help: "The revision to measure.") var revision: String
  @OptionGroup(title: "Measuring") var measure: MeasureOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Machine") var line: ConnectionOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    try await MeasurementRequest(
      head: NamedRevision(revision), settings: try SettingsRequest([machine, line, measure, settings]),
      output: output.value
    ).carryOut()
  }
}
