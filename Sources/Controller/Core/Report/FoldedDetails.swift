import Shared

/// The folded part of the comment that says where import time went, module by module.
enum ImportBreakdown {
  private static let top = 10

  /// Of the commands whose time changed, or whose imports did by more than noise. `nil` when no import tree is there
  /// for both sides.
  static func markdown(_ report: ComparisonReport) -> String? {
    guard !report.imports.isEmpty else { return nil }
    let moved = report.document.metrics.filter(\.hasMoved)
    let telling = report.imports.filter { difference in
      !difference.gone.isEmpty || !difference.new.isEmpty || difference.hasLargeChange
        || moved.contains { $0.name == difference.command && $0.python == difference.python }
    }
    let named = Set(report.imports.map(\.python)).count > 1
    let quiet = report.imports.filter { !telling.contains($0) }.map(\.command).uniqued().map(Markdown.code)
    let rest = quiet.isEmpty ? [] : ["The same modules on both sides: \(listed(quiet)).\n"]
    let parts = telling.map { part($0, naming: named) } + rest
    return Comment.fold("Per-module import breakdown", parts.joined(separator: "\n"))
  }

  private static func part(_ difference: ImportDifference, naming: Bool) -> String {
    let python = naming ? ", Python \(Markdown.text(difference.python))" : ""
    var text = "**\(Markdown.code(difference.command))\(python)**: "
    text += "\(modules(difference.baseModules)) in \(Numbers.microseconds(difference.baseMicroseconds)) → "
    text += "\(modules(difference.headModules)) in \(Numbers.microseconds(difference.headMicroseconds)), "
    text += "by `python -X importtime` (median of \(difference.runs) \(difference.runs == 1 ? "run" : "runs"); "
    text += "the trace itself slows the import, and single modules vary).\n"
    if difference.isEmpty { text += "\nNo module differs beyond what runs of one side differ by.\n" }
    text += branches(difference.dropped, "no longer imports") + branches(difference.added, "now imports")
    text += costs("Gone", difference.gone) + costs("New", difference.new)
    text += changes("Shrank most", difference.shrank) + changes("Grew most", difference.grew)
    return text
  }

  private static func branches(_ branches: [ImportDifference.Branch], _ verb: String) -> String {
    guard !branches.isEmpty else { return "" }
    let lines = branches.prefix(top).map { branch in
      "- \(branch.importer.map(Markdown.code) ?? "the command itself") \(verb) \(Markdown.code(branch.module)): "
        + "\(modules(branch.modules)), \(Numbers.microseconds(branch.microseconds))\n"
    }
    return "\n" + lines.joined() + more(branches.count)
  }

  private static func costs(_ title: String, _ modules: [ModuleCost]) -> String {
    guard !modules.isEmpty else { return "" }
    let all = Numbers.microseconds(modules.reduce(0) { $0 + $1.selfMicroseconds })
    let rows = modules.prefix(top).map { [Markdown.code($0.name), Numbers.microseconds($0.selfMicroseconds)] }
    return "\n**\(title)**: \(self.modules(modules.count)), \(all)\n\n" + Markdown.table(["Module", "Self time"], rows)
      + more(modules.count)
  }

  private static func changes(_ title: String, _ changes: [ImportDifference.Change]) -> String {
    guard !changes.isEmpty else { return "" }
    let rows = changes.prefix(top).map { change in
      [
        Markdown.code(change.name), Numbers.microseconds(change.base), Numbers.microseconds(change.head),
        (change.difference > 0 ? "+" : "") + Numbers.microseconds(change.difference),
      ]
    }
    return "\n**\(title)**\n\n" + Markdown.table(["Module", "Base", "Head", "Self time"], rows) + more(changes.count)
  }

  private static func modules(_ count: Int) -> String { count == 1 ? "1 module" : "\(count) modules" }

  private static func more(_ count: Int) -> String {
    count > top ? "\nand \(count - top) more, in `importtime.tsv` of both sides\n" : ""
  }
}

/// The folded part of the comment that says in which functions a changed micro target spends its time differently.
enum ProfileChanges {
  private static let top = 5

  /// Only for targets that changed: the profile of any other one differs by noise. `nil` for none.
  static func markdown(_ report: ComparisonReport) -> String? {
    let parts = report.document.metrics.filter(\.hasMoved).compactMap { metric in
      report.profiles.first { $0.metric == metric.name && $0.python == metric.python }
        .flatMap { $0.changes.isEmpty ? nil : part($0, metric: metric, report: report) }
    }
    guard !parts.isEmpty else { return nil }
    let method =
      "Self time per call of the target, by `cProfile`, which costs time of its own: for where, not how much.\n"
    return Comment.fold("Function profile changes", ([method] + parts).joined(separator: "\n"))
  }

  private static func part(
    _ difference: ProfileDifference, metric: ComparisonDocument.Metric, report: ComparisonReport
  ) -> String {
    let rows = difference.changes.prefix(top).map { change in
      [Markdown.code(change.name), time(change.base), time(change.head)]
    }
    return "**\(Comment.name(metric, report))**: \(VerdictFormatter.plain(metric, in: report.document))\n\n"
      + Markdown.table(["Function", "Base", "Head"], rows)
  }

  private static func time(_ seconds: Double?) -> String { seconds.map { Numbers.seconds($0) } ?? "not among the top" }
}
