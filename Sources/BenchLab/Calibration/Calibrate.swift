import ArgumentParser
import Calibration
import ControllerCore
import Foundation

struct Calibrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Proves how often the verdicts are wrong: simulated noise, then real slowdowns of known size.",
    discussion: """
      First, thousands of simulated comparisons are decided by cf-bench's rule and by those of other tools. Then a small
      package with 0, 1, 2, 5 and 10 % more work is compared with itself on this machine, end to end. Needs sshd and uv, and
      cf-bench built beside this program. Takes up to ten minutes.

      EXAMPLES
        bench-lab calibrate
        bench-lab calibrate --simulated-only --seed 7
        bench-lab calibrate --into docs/calibration
      """)

  @Flag(help: "Leave out the measurements on this machine.") var simulatedOnly = false
  @Flag(help: "Leave out the simulation.") var realOnly = false
  @Option(help: ArgumentHelp("Seed of the simulation.", valueName: "number"))
  var seed = Simulation.usualSeed
  @Option(help: ArgumentHelp("Simulated pairs of identical code for each kind of noise.", valueName: "count"))
  var trials = 4000
  @Option(help: ArgumentHelp("How often each real slowdown is measured.", valueName: "count"))
  var rounds = 2
  @Option(help: ArgumentHelp("Most blocks of a real comparison.", valueName: "count"))
  var blocks = 50
  @Option(help: ArgumentHelp("Write the page, the pictures and the data here too.", valueName: "folder"))
  var into: String?
  @OptionGroup(title: "Output") var output: Output

  func validate() throws {
    if simulatedOnly, realOnly { throw ValidationError("--simulated-only and --real-only leave nothing") }
    guard trials > 0, rounds > 0, blocks > 0 else { throw ValidationError("counts must be above 0") }
  }

  func run() async throws {
    var report = CalibrationReport()
    if !realOnly {
      output.note("simulating \(trials) pairs of identical code for each of \(NoiseCell.allCases.count) kinds of noise")
      let start = ContinuousClock.now
      report.simulated = await Simulation(seed: seed, trials: trials).run()
      output.note("simulated in \(Numbers.elapsed((ContinuousClock.now - start).inSeconds))")
    }
    if !simulatedOnly {
      let comparisons = RealComparisons(
        environment: ProcessInfo.processInfo.environment, rounds: rounds, blocks: blocks, note: output.note)
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
