import Calibration

/// `calibration.md`: the tables with the pictures, and what each rule and each kind of noise is.
enum CalibrationPage {
  /// Everything in `docs/calibration`, by name.
  static func files(_ report: CalibrationReport) throws -> [(name: String, text: String)] {
    let data = String(decoding: try Output.json(report), as: UTF8.self) + "\n"
    return [("calibration.json", data), ("calibration.md", text(report))]
      + (report.simulated.map { [("false-alarms.svg", AlarmPicture.svg($0)), ("power.svg", PowerPicture.svg($0))] }
        ?? [])
  }

  static func text(_ report: CalibrationReport) -> String {
    var text = """
      # Calibration

      Written by `make calibrate`; the method is explained in [statistics.md](../statistics.md), the data are in
      [calibration.json](calibration.json).

      """
    if let simulated = report.simulated {
      text += """
        The simulated part has the seed \(simulated.seed) and is the same on every machine. It runs the shipped code:
        `Blocks.contrasts` and `DecisionRule.replay`.

        ![False alarms by rule](false-alarms.svg)

        ![Slowdowns found](power.svg)

        """
    }
    text += CalibrationTables.all(report).map { "\n" + $0.onPage }.joined()
    guard report.simulated != nil else { return text }
    text += "\n## The kinds of noise\n\n"
    text += NoiseCell.allCases.map { "- *\($0.rawValue)*: \($0.words).\n" }.joined()
    text += "\n## The rules\n\n"
    return text + Rule.allCases.map { "- *\($0.name)*: \($0.words).\n" }.joined()
  }
}
