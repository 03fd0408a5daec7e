import Shared

/// What changed by Python version: a row a metric, a column a version. Only where there are several.
enum PythonColumns {
  struct Row: Equatable {
    var name: String
    /// One cell a version, in the order of ``header(_:)``.
    var cells: [String]
    /// Whether the cell says that something moved.
    var moved: [Bool]
  }

  /// More columns than this nobody reads.
  private static let most = 8

  private struct Key: Hashable {
    var name: String, python: String
  }

  static func header(_ report: ComparisonReport) -> [String] {
    pythons(report).map { "Python \(report.interpreters[$0] ?? $0)" }
  }

  /// `delta` gives a metric's words. Empty for one Python.
  static func rows(
    _ report: ComparisonReport, delta: (ComparisonDocument.Metric) -> String
  ) -> [Row] {
    let pythons = pythons(report)
    guard 2...most ~= pythons.count else { return [] }
    let document = report.document
    let found = Dictionary(document.metrics.map { (Key(name: $0.name, python: $0.python), $0) }) { first, _ in first }
    var rows = document.metrics.map(\.name).uniqued().map { name in
      let metrics = pythons.map { python in found[Key(name: name, python: python)] }
      return Row(
        name: name, cells: metrics.map { $0.map(delta) ?? "–" },
        moved: metrics.map { $0?.hasMoved == true && document.verdict != .void })
    }
    if !document.findings.isEmpty {
      let findings = pythons.map { python in document.findings.first { $0.python == python } }
      rows.append(
        Row(
          name: FindingFormatter.rowName,
          cells: findings.map { found in
            found.map { "\(FindingFormatter.count($0.base)) → \(FindingFormatter.count($0.head))" } ?? "–"
          },
          moved: findings.map { $0?.verdict == .improved || $0?.verdict == .regressed }))
    }
    return rows
  }

  private static func pythons(_ report: ComparisonReport) -> [String] {
    (report.document.metrics.map(\.python) + report.document.findings.map(\.python)).uniqued()
  }

  /// The part of the comment; `nil` for one Python.
  static func markdown(_ report: ComparisonReport) -> String? {
    let rows = rows(report, delta: { VerdictFormatter.delta($0, in: report.document) })
    guard !rows.isEmpty else { return nil }
    return Markdown.table(
      ["By version"] + header(report).map { Markdown.text($0) },
      rows.map { row in
        [Markdown.text(row.name)]
          + zip(row.cells, row.moved).map { $1 ? "**\(Markdown.text($0))**" : Markdown.text($0) }
      })
  }
}
