import Shared
import Statistics

/// `summary.md`: one side, for a person. Pure: the report in, Markdown out.
enum Summary {
  private static let topModules = 15

  static func text(_ report: SideReport) -> String {
    var parts = ["# \(Markdown.code(report.label))\n", facts(report)]
    if !report.isComplete, !report.missing.isEmpty {
      parts.append("**Part of what was planned has no result; see what is missing below.**\n")
    }
    if let startup = report.startup { parts.append(section("Startup", startupTable(startup, report))) }
    parts += report.imports.map { section(importTitle($0, report), importTable($0)) }
    if let micro = report.micro, !micro.targets.isEmpty {
      parts.append(section("Unit operations", microTable(micro, report)))
    }
    if let optimize = report.optimize {
      parts += optimize.results.map { result in
        let python = optimize.results.count > 1 ? ", Python \(Markdown.text(result.python))" : ""
        return section("Full optimize run\(python)", optimizeTable(result))
      }
    }
    if let memory = report.memory, !memory.peaks.isEmpty || !memory.profiles.isEmpty {
      let naming = Set(memory.peaks.map(\.python) + memory.profiles.map(\.python)).count > 1
      parts.append(section("Memory", MemoryFormatter.summary(memory, naming: naming)))
    }
    if !report.missing.isEmpty { parts.append(section("Without a result", MissingParts.markdown(report.missing))) }
    return parts.joined(separator: "\n")
  }

  private static func optimizeTable(_ result: OptimizeDocument.Result) -> String {
    var text =
      result.medianSeconds.map { median in
        "\(Numbers.seconds(median)) (median of \(result.seconds.count), \(spread(result.seconds))), "
      } ?? "No run counts, "
    text += "\(Numbers.bytes(result.memory.peakPSSBytes)) at the most in all its processes, "
    text += "\(Markdown.text(FindingFormatter.method(result))).\n\n"
    text += "**\(result.findings.words.capitalisedFirst)**"
    if let recall = result.recall { text += ", recall \(VerdictFormatter.percent(recall))" }
    if let precision = result.precision { text += ", precision \(VerdictFormatter.percent(precision))" }
    text += ", \(result.isStable ? "the same in every run" : "not the same in every run").\n\n"
    text += Markdown.table(
      ["Function", "What is there", "Result", "Time"],
      result.functions.map {
        [
          Markdown.code($0.function), $0.kind.rawValue,
          Markdown.text(FindingFormatter.result($0) + ($0.reason.map { ": \($0)" } ?? "")),
          Numbers.seconds($0.medianSeconds),
        ]
      })
    if let phases = result.phases {
      let words = phases.phases.map { "\(Markdown.text($0.name)) \(Numbers.seconds($0.seconds))" }
      text += "\nWhere one run's time went, by \(Markdown.text(phases.tool)): \(words.joined(separator: ", ")).\n"
    }
    return text
  }

  private static func section(_ title: String, _ content: String) -> String { "## \(title)\n\n\(content)" }

  private static func facts(_ report: SideReport) -> String {
    var facts: [String] = []
    if let comparison = report.comparison {
      let other = report.side == .head ? "the base" : "the head"
      facts.append(
        "Measured against \(other), \(Markdown.code(comparison.other)): what differs stands in "
          + "\(Markdown.code("../\(comparison.folder)/comment.md")).")
    }
    if let environment = report.environments.first {
      facts.append("Code: \(Markdown.code(environment.commit ?? environment.identity))")
    }
    facts += report.environments.map { environment in
      let note = environment.interpreterNote.map { " (\(Markdown.text($0)))" } ?? ""
      return "Python \(Markdown.text(environment.interpreterVersion))\(note), "
        + "\(environment.distributions.count) distributions installed"
    }
    if let host = report.host {
      facts.append(
        "Machine: \(Markdown.text(MethodLine.machine(host))), load \(Numbers.fixed(host.load, 2)) at the start")
      switch report.startupEngine {
      case .hyperfine: facts.append("Startup timed by hyperfine \(Markdown.text(host.hyperfineVersion ?? "?"))")
      case .spawn: facts.append("Startup timed by the agent itself")
      case nil: break
      }
    }
    if let started = report.startedAt {
      facts.append("Started \(Markdown.text(started)), took \(Numbers.elapsed(report.seconds))")
    }
    if let cost = report.cost {
      let both = report.comparison == nil ? "" : " Both sides together."
      facts.append(Markdown.text(CostFormatter.sentence(cost)) + both)
    }
    return facts.map { "- \($0)\n" }.joined()
  }

  private static func startupTable(_ startup: StartupDocument, _ report: SideReport) -> String {
    Markdown.table(
      ["Command", "Median", "Spread", "Fastest", "Slowest", "Runs"],
      startup.results.map { result in
        let python = result.parameters?["python"].map { " (Python \(Markdown.text($0)))" } ?? ""
        let control = report.controls.contains(result.command) ? " – control" : ""
        return [
          Markdown.code(result.command) + python + control, Numbers.seconds(result.median), spread(result.times),
          Numbers.seconds(result.min), Numbers.seconds(result.max), String(result.times.count),
        ]
      })
  }

  private static func microTable(_ micro: MicroDocument, _ report: SideReport) -> String {
    let several = Set(micro.targets.map(\.python)).count > 1
    return Markdown.table(
      ["Target", "Median call", "Spread", "Fastest", "Slowest", "Processes"],
      micro.targets.map { target in
        [
          Markdown.text(target.name) + (several ? " (Python \(Markdown.text(target.python)))" : ""),
          Numbers.seconds(target.medianSeconds), spread(target.seconds), Numbers.seconds(target.minSeconds),
          Numbers.seconds(target.maxSeconds), String(target.seconds.count),
        ]
      })
  }

  /// Half the range that holds the middle half of the values, relative to their median.
  private static func spread(_ values: [Double]) -> String {
    guard values.count > 1, let low = Quantile.of(values, 0.25), let high = Quantile.of(values, 0.75),
      let median = Quantile.median(values), median > 0
    else { return "–" }
    return "±\(Numbers.fixed((high - low) / 2 / median * 100, 1))%"
  }

  private static func importTitle(_ costs: ImportCosts, _ report: SideReport) -> String {
    let python = Set(report.imports.map(\.python)).count > 1 ? ", Python \(Markdown.text(costs.python))" : ""
    return "Imports of \(Markdown.code(costs.command))\(python)"
  }

  private static func importTable(_ costs: ImportCosts) -> String {
    let dearest = costs.modules.sorted { ($0.selfMicroseconds, $1.name) > ($1.selfMicroseconds, $0.name) }
    let total = Numbers.microseconds(costs.totalMicroseconds)
    return
      "\(costs.modules.count) modules, \(total) by `python -X importtime` (median of \(costs.runs) runs; the trace "
      + "itself slows the import). All of them stand in `importtime.tsv`; the dearest are:\n\n"
      + Markdown.table(
        ["Module", "Self time", "With its imports"],
        dearest.prefix(topModules).map {
          [
            Markdown.code($0.name), Numbers.microseconds($0.selfMicroseconds),
            Numbers.microseconds($0.cumulativeMicroseconds),
          ]
        })
  }
}
