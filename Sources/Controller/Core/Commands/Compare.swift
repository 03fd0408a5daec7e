import ArgumentParser
import Foundation
import Shared

struct Compare: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures two revisions side by side and says which is faster.",
    discussion: """
      A revision is a git ref of the target's repository (main), a release (codeflash==0.20.6) or a folder \
      (path:../codeflash). main...perf/x compares perf/x with the last commit that it has in common with main, \
      so that it is not blamed for what main did since.

      In a repository, without a revision: the current branch, with what is not committed yet, against what it has in common with \
      the default branch.

      Each metric is measured until it is decided (faster, slower, or no difference that counts) or the budget \
      is spent. A metric that is still open then is reported as open, with what is known of it.

      EXAMPLES
        cf-bench compare
        cf-bench compare codeflash==0.20.5 codeflash==0.20.6
        cf-bench compare main...perf/x
        cf-bench compare main perf/x --layers startup --budget 3
        cf-bench compare main perf/x --fail-on regression --fail-on "regression:Peak memory>3%"
        cf-bench compare main path:. --machine ssh://bench@10.0.0.4 --json
      """)

  @Argument(
    help: "The revision to compare with (default: what the current branch has in common with the default branch).")
  var base: String?
  @Argument(help: "The revision that might be faster; not with BASE...HEAD or BASE..HEAD.") var head: String?
  @OptionGroup(title: "Measuring") var time: BudgetOptions
  @OptionGroup(title: "Measuring") var measure: MeasureOptions
  @OptionGroup(title: "Gate") var gate: GateOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Machine") var line: ConnectionOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let sides = try await sides()
    return try await MeasurementRequest(
      base: sides.base, head: sides.head,
      settings: try SettingsRequest([machine, line, measure, time, settings, gate]), output: output.value
    ).carryOut()
  }

  private func sides() async throws -> RevisionRange {
    if let base { return try RevisionRange(base, head) }
    guard let repository = CurrentRepository(around: FileManager.default.currentDirectoryPath) else {
      throw Problem(
        what: "there is nothing to compare", why: "no revisions are named, and this folder is in no git repository",
        fix: "name two (cf-bench compare black==23.12.0 black==24.10.0), or change to a repository", exitStatus: .usage)
    }
    try repository.checkProject(try CommandContext(settings, output: output.value).settings)
    // A script means what is committed.
    let isInteractive = isatty(2) != 0 && ProcessInfo.processInfo.environment["CI"]?.isEmpty != false
    return try await repository.usualSides(withChanges: isInteractive)
  }
}
