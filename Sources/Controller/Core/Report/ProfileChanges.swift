import Shared

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
