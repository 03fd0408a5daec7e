import ArgumentParser
import Calibration
import Foundation
import Shared
import SystemPackage

struct Calibrate: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Proves how often the verdicts are wrong: simulated noise, then real slowdowns of known size.",
    discussion: """
      First thousands of simulated comparisons are decided by this program's own rule and by those of other tools. Then a
      small package with 0, 1, 2, 5 and 10 % more work is compared with itself on this machine, end to end. Needs sshd and
      uv. Takes up to ten minutes.

      EXAMPLES
        cf-bench calibrate
        cf-bench calibrate --simulated-only --seed 7
        cf-bench calibrate --into docs/calibration
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
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if simulatedOnly, realOnly { throw ValidationError("--simulated-only and --real-only leave nothing") }
    guard trials > 0, rounds > 0, blocks > 0 else { throw ValidationError("counts must be above 0") }
  }

  mutating func perform() async throws -> ExitStatus {
    let isQuiet = output.progress.quiet
    let note: (String) -> Void = { if !isQuiet { StandardError.write($0 + "\n") } }
    var report = CalibrationReport()
    if !realOnly {
      note("simulating \(trials) pairs of identical code for each of \(NoiseCell.allCases.count) kinds of noise")
      let start = ContinuousClock.now
      report.simulated = await Simulation(seed: seed, trials: trials).run()
      note("simulated in \(Numbers.elapsed((ContinuousClock.now - start).inSeconds))")
    }
    if !simulatedOnly {
      let comparisons = RealComparisons(
        environment: ProcessInfo.processInfo.environment, rounds: rounds, blocks: blocks, note: note)
      report.real = try await comparisons.run()
    }
    if let into { try write(report, to: FilePath(into)) }
    if output.json {
      try StandardOutput.write(json: report)
    } else {
      try StandardOutput.write(CalibrationTables.all(report).map(\.onTerminal).joined(separator: "\n\n"))
    }
    return .done
  }

  private func write(_ report: CalibrationReport, to folder: FilePath) throws {
    try StoredFile.makeFolders(folder)
    try StoredFile.write(json: report, to: folder.appending("calibration.json"))
    try StoredFile.write(CalibrationPage.text(report), to: folder.appending("calibration.md"))
    guard let simulated = report.simulated else { return }
    try StoredFile.write(AlarmPicture.svg(simulated), to: folder.appending("false-alarms.svg"))
    try StoredFile.write(PowerPicture.svg(simulated), to: folder.appending("power.svg"))
  }
}
