import Shared

/// A knob of the benchmark host and what came of it, for the progress line.
enum TuningFormatter {
  static func line(_ report: TuningReport) -> String {
    let name = name(report.knob)
    let before = TerminalText.clean(report.before ?? "not visible")
    return switch report.outcome {
    case .changed: "\(name): \(report.wanted) for this job (was \(before))"
    case .alreadySo: "\(name): \(report.wanted) already"
    case .notPermitted: "\(name): stays \(before), the benchmark host's login may not change it"
    case .notVisible: "\(name): not visible on the benchmark host"
    case .didNotTake: "\(name): stays \(TerminalText.clean(report.after ?? before)), the change did not take"
    }
  }

  static func name(_ knob: TuningReport.Knob) -> String {
    switch knob {
    case .turbo: "turbo"
    case .governor: "frequency governor"
    case .addressRandomisation: "address space randomisation"
    case .affinity: "CPUs"
    case .priority: "priority"
    }
  }
}
