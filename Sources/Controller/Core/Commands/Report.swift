import ArgumentParser
import Foundation
import Shared
import SystemPackage

struct Report: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Rebuilds the report of a finished run.",
    discussion: """
      Without a folder it is the newest one in the folder of results.

      EXAMPLES
        cf-bench report
        cf-bench report results/perf-x-vs-main-20260131T123456Z
        cf-bench report results/perf-x-vs-main-20260131T123456Z --json
      """)

  @Argument(help: "Folder of a run or a comparison (default: the newest).") var folder: String?
  @OptionGroup(title: "Output") var output: JSONOptions

  mutating func perform() async throws -> ExitStatus {
    let folder =
      try folder.map { FilePath($0) }
      ?? RunFolder.newest(
        in: try CommandContext(SettingsRequest(), output: Output(json: output.json)).settings.results)
    let results = try StoredReport.rewrite(try RunFolder.open(folder))
    try results.tell(in: folder, as: Output(json: output.json))
    return results.exitStatus
  }
}
