import ArgumentParser
import Calibration
import ControllerCore
import Foundation

struct Calibrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Proves how often the verdicts are wrong: simulated noise, then real slowdowns of known size.",
    discussion: """
      First, thousands of simulated comparisons are decided by cf-bench's rule and by those of other tools. Then a small
      package with 0, 2, 5 and 10 % more work is compared with itself on this machine, end to end, alone and beside a neighbour. Needs sshd and uv, and
      cf-bench built beside this program. Takes about half an hour, the simulation two minutes of it.

      EXAMPLES
        bench-lab calibrate
        bench-lab calibrate --simulated-only --seed 7
        bench-lab calibrate --recordings docs/calibration/recordings.json --into docs/calibration
      """)

  @Flag(help: "Leave out the measurements on this machine.") var simulatedOnly = false
  @Flag(help: "Leave out the simulation.") var realOnly = false
  @Option(help: ArgumentHelp("Seed of the simulation.", valueName: "number"))
  var seed = Simulation.usualSeed
  @Option(help: ArgumentHelp("Simulated pairs of identical code for each kind of noise.", valueName: "count"))
  var trials = 4000
  @Option(help: ArgumentHelp("How often each real slowdown is measured.", valueName: "count"))
  var rounds = 10
  @Option(help: ArgumentHelp("For how long a real comparison may measure, in seconds.", valueName: "seconds"))
  var seconds = 30
  @Option(help: ArgumentHelp("Times of real runs that orders are imposed on.", valueName: "file"))
  var recordings: String?
  @Option(help: ArgumentHelp("Write the page, the pictures and the data here too.", valueName: "folder"))
  var into: String?
  @OptionGroup(title: "Output") var output: Output

  func validate() throws {
    if simulatedOnly, realOnly { throw ValidationError("--simulated-only and --real-only leave nothing") }
    guard trials > 0, rounds > 0, seconds > 0 else { throw ValidationError("counts must be above 0") }
  }

  func run() async throws {
    var report = CalibrationReport()
    if !realOnly {
      output.note("simulating \(trials) pairs of identical code for each of \(NoiseCell.allCases.count) kinds of noise")
      let start = ContinuousClock.now
      report.simulated = await Simulation(seed: seed, trials: trials).run()
      output.note("simulated in \(Numbers.elapsed((ContinuousClock.now - start).inSeconds))")
    }
    if let recordings {
      let recordings = try JSONDecoder().decode(Recordings.self, from: Data(contentsOf: URL(filePath: recordings)))
      let replay = RecordingReplay(recordings: recordings, seed: seed)
      output.note("imposing orders on \(recordings.series.count) recorded metrics")
      report.recorded = RecordedReport(
        machine: recordings.machine, series: recordings.series.count, entries: await replay.run(),
        controlVariates: replay.controlVariates())
    }
    if !simulatedOnly {
      let comparisons = RealComparisons(
        environment: ProcessInfo.processInfo.environment, rounds: rounds, budgetSeconds: seconds, note: output.note)
      report.real = try await comparisons.run()
    }
    if let into { try Self.write(report, to: URL(filePath: into)) }
    try output.show(report, as: CalibrationTables.all(report).map(\.onTerminal).joined(separator: "\n\n"))
  }

  private static func write(_ report: CalibrationReport, to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, text) in try CalibrationPage.files(report) {
      try Data(text.utf8).write(to: folder.appending(path: name), options: .atomic)
    }
  }
}
