import ArgumentParser
import Foundation
import Shared
import Statistics

extension Correction: ExpressibleByArgument {}

struct Analyze: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Decides which side is faster, from samples that exist already.",
    discussion: """
      Applies the same test as 'compare' to samples from earlier runs, hyperfine, pyperf or a CSV file. PATHS \
      are all of one kind:

        folders of comparisons: decided again from their events; several are pooled when code, machine and boot are the same
        folders of runs: the first is the base, each further one a head
        files of hyperfine --export-json: the same; startup.json is such a file too
        files of pyperf … -o FILE: the same; each process counts as one sample
        one CSV file: header metric,block,position,side,value; unit (s or B) and layer may be added

      Only blocks that hold both sides cancel drift of the machine. Where samples have no such blocks, the \
      result says so.

      EXAMPLES
        cf-bench analyze results/perf-x-vs-main-20260131T123456Z --replay
        cf-bench analyze base.json head.json
        cf-bench analyze samples.csv --delta 0.05 --json

      Exit status: 0 done, 2 input that can't be analysed, 4 some metrics have no result.
      """)

  @Argument(help: "Folders of results, files of hyperfine or pyperf, or a CSV file.") var paths: [String]
  @Option(
    help: ArgumentHelp(
      "The chance, over all metrics together, of calling identical code different (default: as in the folder, or 0.01).",
      valueName: "chance"))
  var alpha: Double?
  @Option(
    help: ArgumentHelp(
      "The smallest relative difference that counts (default: as in the folder, or 0.02).", valueName: "fraction"))
  var delta: Double?
  @Option(help: "How the chance is shared among the metrics.") var correction: Correction = .holm
  @Flag(help: "Show after how many blocks each metric would have stopped.") var replay = false
  @OptionGroup(title: "Output") var output: JSONOptions

  func validate() throws {
    if paths.isEmpty { throw ValidationError("Name a file or a folder to analyse.") }
    // The same bounds as of the settings statistics.alpha and statistics.delta.
    if let alpha, !(0.000001...0.5).contains(alpha) { throw ValidationError("--alpha must be from 0.000001 to 0.5.") }
    if let delta, !(0.0001...1).contains(delta) { throw ValidationError("--delta must be from 0.0001 to 1.") }
  }

  mutating func perform() async throws -> ExitStatus {
    let report = try Analysis.report(
      of: paths, .init(alpha: alpha, delta: delta, correction: correction, replays: replay))
    try output.tell(report.document, TerminalTable.text(report, style: .ofOutput))
    return report.document.complete ? .done : .partial
  }
}
