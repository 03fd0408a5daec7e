import Calibration
import ControllerCore
import Statistics

/// What the calibration says, table by table.
enum CalibrationTables {
  static func all(_ report: CalibrationReport) -> [CalibrationTable] {
    let simulated = report.simulated.map {
      [alarms($0), rules($0), power($0), missed($0)] + speeds($0)
        + Simulation.peerEffects.map { peers(report.simulated, $0) }
    }
    return (simulated ?? []).filter { !$0.rows.isEmpty } + (report.recorded.map(recorded) ?? [])
      + (report.real.map { [real($0)] } ?? [])
  }

  /// Our own rule on identical code.
  private static func alarms(_ report: SimulationReport) -> CalibrationTable {
    let entries = NoiseCell.allCases.compactMap { report.entry($0, .shipped, effect: 0) }
    let family = report.families
    return CalibrationTable(
      title: "False alarms in \(count(entries.first?.trials ?? 0)) pairs of identical code: cf-bench",
      header: ["noise", "false alarms", "95 % interval", "equivalent", "undecided", "median runs a side"],
      rows: entries.map { entry in
        [
          entry.cell.rawValue, percent(entry.alarms.value),
          "\(percent(entry.alarms.low)) to \(percent(entry.alarms.high))",
          percent(share(entry.equivalent, entry)), percent(share(entry.undecided, entry)), "\(entry.medianRuns)",
        ]
      },
      remarks: [
        "At most \(2 * report.blocks) runs a side; alpha \(percent(report.alpha)), delta \(percent(report.delta)). "
          + "Intervals after Clopper and Pearson.",
        "\(count(family.alarms.trials)) families of \(family.metrics) identical metrics with Holm's correction "
          + "(\(family.cell.rawValue)): any false alarm in \(percent(family.alarms.value)) of them "
          + "(\(percent(family.alarms.low)) to \(percent(family.alarms.high))).",
      ])
  }

  private static func rules(_ report: SimulationReport) -> CalibrationTable {
    CalibrationTable(
      title: "False alarms on the same noise, \(Trial.runsPerSide) runs a side, each rule at its own default",
      header: ["rule"] + NoiseCell.allCases.map(\.rawValue),
      rows: Rule.allCases.map { rule in
        [rule.name]
          + NoiseCell.allCases.map { cell in
            report.entry(cell, rule, effect: 0).map { percent($0.alarms.value) } ?? "-"
          }
      })
  }

  private static func power(_ report: SimulationReport) -> CalibrationTable {
    CalibrationTable(
      title: "Real slowdowns found by cf-bench: share with the right sign, and median runs a side until the verdict",
      header: ["noise"] + Simulation.effects.map { "\(percent($0)) slower" },
      rows: NoiseCell.allCases.map { cell in
        [cell.rawValue]
          + Simulation.effects.map { effect in
            report.entry(cell, .shipped, effect: effect).map { "\(percent($0.found.value)), \($0.medianRuns)" } ?? "-"
          }
      },
      remarks: [
        "\(count(report.entry(.drift, .shipped, effect: 0.02)?.trials ?? 0)) pairs each. Below delta "
          + "(\(percent(report.delta))) the right answer is 'equivalent'; at delta itself both are."
      ])
  }

  /// Runs of both sides until a decision, today's rule beside the former one.
  private static func speeds(_ report: SimulationReport) -> [CalibrationTable] {
    [1, Simulation.familySize].map { metrics in
      CalibrationTable(
        title: "Runs of both sides until decided, median: one coin a block → any balanced order, "
          + (metrics == 1 ? "one metric" : "one metric of \(metrics)"),
        header: ["noise"] + Simulation.timedEffects.map { $0 == 0 ? "identical" : "\(percent($0)) slower" },
        rows: NoiseCell.allCases.map { cell in
          [cell.rawValue]
            + Simulation.timedEffects.map { effect in
              let own = (report.speeds ?? []).filter {
                $0.cell == cell && $0.effect == effect && $0.metrics == metrics
              }
              guard let now = own.first(where: { $0.rule == .shipped }),
                let before = own.first(where: { $0.rule == .former })
              else { return "-" }
              return "\(before.medianRuns) → \(now.medianRuns) (\(percent(now.right.value)))"
            }
        },
        remarks: [
          "In brackets how often today's rule decides rightly within \(2 * Trial.runsPerSide) runs. "
            + (metrics == 1 ? "" : "The other \(metrics - 1) metrics are of identical code.")
        ])
    }
  }

  private static func missed(_ report: SimulationReport) -> CalibrationTable {
    let effects = Simulation.effects.filter { $0 >= report.delta }
    return CalibrationTable(
      title: "Wrongly called equivalent by cf-bench, and called the wrong way round",
      header: ["noise"] + effects.map { "\(percent($0)) slower" } + ["faster instead of slower, any effect"],
      rows: NoiseCell.allCases.map { cell in
        let all = Simulation.effects.compactMap { report.entry(cell, .shipped, effect: $0) }
        let reversed = all.reduce(0) { $0 + $1.improved }
        return [cell.rawValue]
          + effects.map { effect in
            report.entry(cell, .shipped, effect: effect).map { percent(share($0.equivalent, $0)) } ?? "-"
          } + ["\(reversed) of \(count(all.reduce(0) { $0 + $1.trials }))"]
      },
      remarks: ["A slowdown of exactly delta lies on the border: there the promise is at most alpha."])
  }

  private static func peers(_ report: SimulationReport?, _ effect: Double) -> CalibrationTable {
    CalibrationTable(
      title: "A slowdown of \(percent(effect)) found, by rule (read it beside the false alarms)",
      header: ["rule"] + NoiseCell.allCases.map(\.rawValue),
      rows: Rule.allCases.map { rule in
        [rule.name]
          + NoiseCell.allCases.map { cell in
            report?.entry(cell, rule, effect: effect).map { percent($0.found.value) } ?? "-"
          }
      })
  }

  /// What orders imposed on real runs come to.
  private static func recorded(_ report: RecordedReport) -> [CalibrationTable] {
    func cell(_ entry: RecordingReplay.Entry) -> String {
      let runs = entry.medianRuns.map { ", \($0)" } ?? ""
      return "\(percent(entry.right))\(runs)" + (entry.wrong > 0 ? " (\(percent(entry.wrong)) wrong)" : "")
    }
    let tables = [1, Simulation.familySize].map { metrics in
      CalibrationTable(
        title:
          "Orders imposed on \(report.series) recorded metrics of real runs: decided rightly, and runs of both sides until then, "
          + (metrics == 1 ? "one metric" : "one metric of \(metrics)"),
        header: ["order of a block"] + RecordingReplay.effects.map { $0 == 0 ? "identical" : "\(percent($0)) slower" },
        rows: RecordingReplay.Design.allCases.map { design in
          [design.rawValue]
            + RecordingReplay.effects.map { effect in
              report.entries.first { $0.design == design && $0.effect == effect && $0.metrics == metrics }.map(cell)
                ?? "-"
            }
        },
        remarks: [
          "\(RecordingReplay.drawsPerSeries) draws of a series each, within its length; recorded on \(report.machine). Medians are of what "
            + "was decided rightly."
        ])
    }
    let widths = RecordingReplay.Design.allCases.compactMap { design in
      report.entries.first { $0.design == design && $0.effect == 0 && $0.metrics == 1 }?.width.map { (design, $0) }
    }
    let estimates = CalibrationTable(
      title: "Width of the 95 % interval after twelve runs a side, and what a control beside each run would explain",
      header: ["what", "figure"],
      rows: widths.map { ["\($0.0.rawValue): width of the interval, median", percent($0.1)] }
        + report.controlVariates.map {
          ["variance of \($0.metric) that `python -c pass` explains, at best", percent($0.explained)]
        })
    return tables + [estimates]
  }

  private static func real(_ comparisons: [RealComparison]) -> CalibrationTable {
    let groups = [false, true].flatMap { hasNeighbour in
      RealComparisons.added.map { added in
        comparisons.filter { $0.hasNeighbour == hasNeighbour && $0.added == added }
      }
    }.filter { !$0.isEmpty }
    return CalibrationTable(
      title: "Real comparisons over SSH on this machine, from folders to verdict",
      header: [
        "added work", "machine", "regressed", "no difference", "open", "wrong", "measured", "runs of both sides",
        "discarded blocks",
        "time",
      ],
      rows: groups.map { group in
        func count(_ verdicts: String...) -> Int { group.count { verdicts.contains($0.verdict) } }
        let isSame = group[0].added == 0
        let isPlain = group[0].added > Rule.delta
        let wrong = count("improved") + (isSame ? count("regressed") : isPlain ? count("equivalent") : 0)
        let runs = Quantile.median(group.map { Double(4 * $0.blocks) }) ?? 0
        let ratio = Quantile.median(group.map(\.ratio)) ?? 1
        return [
          percent(group[0].added), group[0].hasNeighbour ? "neighbour" : "quiet", "\(count("regressed"))",
          "\(count("equivalent"))", "\(count("undecided", "void"))", "\(wrong)", signed(ratio), Numbers.fixed(runs, 0),
          "\(group.reduce(0) { $0 + $1.setAside })", Numbers.elapsed(Quantile.median(group.map(\.seconds)) ?? 0),
        ]
      },
      remarks: [
        "The command 'spin' of fixtures/spinner, about "
          + "\(Numbers.seconds(comparisons.map(\.baseSeconds).min() ?? 0)) a run with the interpreter's own start; "
          + "the control 'python -c pass' beside it. A neighbour keeps a core busy for half a second to three, rests as long, and comes again. "
          + "Figures are medians of the rounds; time is from the command to its verdict, installing both sides included. Each round is in "
          + "calibration.json."
      ])
  }

  private static func share(_ part: Int, _ entry: SimulationReport.Entry) -> Double {
    Double(part) / Double(max(1, entry.trials))
  }

  /// `0 %`, `0.15 %`, `4.9 %`, `59 %`; what is close to nothing or to all is not rounded to it: `<0.01 %`, `>99.9 %`.
  static func percent(_ value: Double) -> String {
    let percent = 100 * value
    if percent > 0, percent < 0.005 { return "<0.01 %" }
    if percent > 99.95, percent < 100 { return ">99.9 %" }
    // A whole number needs no decimals.
    if abs(percent - percent.rounded()) < 1e-9 { return "\(Numbers.fixed(percent, 0)) %" }
    let decimals = percent < 1 ? 2 : percent < 10 || percent > 99 ? 1 : 0
    return "\(Numbers.fixed(percent, decimals)) %"
  }

  /// A ratio as a change: `+2.1 %`.
  private static func signed(_ ratio: Double) -> String {
    let percent = 100 * (ratio - 1)
    return (percent < 0 ? "−" : "+") + Numbers.fixed(abs(percent), 2) + " %"
  }

  /// `4,000`.
  static func count(_ number: Int) -> String {
    number >= 1000 ? "\(number / 1000)," + String(String(1000 + number % 1000).dropFirst()) : "\(number)"
  }
}
