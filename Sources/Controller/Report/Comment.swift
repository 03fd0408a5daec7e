import Shared

/// `comment.md`: what a pull request is told. Pure: the report in, Markdown out.
///
/// The shape is the customer's: title, a table of four columns in which what changed is bold, the folded import
/// breakdown. Bounded, so that GitHub takes it whole (it refuses more than 65,536 characters).
enum Comment {
  static let byteLimit = 60_000
  private static let rowLimit = 100
  private static let tableByteLimit = 30_000
  private static let missingByteLimit = 8_000

  static func text(_ report: ComparisonReport) -> String {
    let document = report.document
    var parts = [
      "## Benchmark Results: \(Markdown.code(document.head.label)) vs \(Markdown.code(document.base.label))\n",
      "**\(Markdown.text(VerdictWords.headline(document)))**\n",
    ]
    parts += VerdictWords.remarks(document, notes: report.notes).map { Markdown.text($0) + "\n" }
    if !document.metrics.isEmpty || !document.findings.isEmpty { parts.append(table(report)) }
    if let columns = PythonColumns.markdown(report) { parts.append(columns) }
    parts.append(MethodLine.markdown(report) + "\n")
    // The dearest to lose stands first: what no longer fits is left to the files.
    var size = parts.reduce(0) { $0 + $1.utf8.count + 1 }
    let folds = [
      missing(document), FindingWords.markdown(report), MemoryWords.markdown(report),
      ImportBreakdown.markdown(report.imports), FindingWords.phases(report), ProfileChanges.markdown(report),
    ]
    for fold in folds {
      guard let fold else { continue }
      guard size + fold.utf8.count < byteLimit else {
        parts.append("More stands in the files of the results folder: it did not fit here.\n")
        break
      }
      size += fold.utf8.count + 1
      parts.append(fold)
    }
    return parts.joined(separator: "\n")
  }

  private static func table(_ report: ComparisonReport) -> String {
    let document = report.document
    let all = rows(document.metrics).map { cells($0, report) }
    var size = 0
    let shown = all.prefix {
      size += $0.reduce(0) { $0 + $1.utf8.count }
      return size <= tableByteLimit
    }
    // A release or folder has a name of its own; a ref of the repository is the pull request's branch.
    let head = document.head.commit == nil ? Markdown.text(document.head.label) : "branch"
    var text = Markdown.table(
      ["Metric", Markdown.text(document.base.label), head, "Delta"],
      Array(shown) + document.findings.map { findings($0, report) })
    let rest = document.metrics.count - shown.count
    if rest > 0 { text += "\n\(rest) more stand in `comparison.json`.\n" }
    return text
  }

  private static func cells(_ metric: ComparisonDocument.Metric, _ report: ComparisonReport) -> [String] {
    let delta = VerdictWords.delta(metric, in: report.document)
    // A void run proves nothing, so nothing in it stands out.
    let isBold = metric.hasMoved && report.document.verdict != .void
    return [
      name(metric, report), VerdictWords.value(metric.base, unit: metric.unit),
      VerdictWords.value(metric.head, unit: metric.unit), isBold ? "**\(delta)**" : delta,
    ]
  }

  private static func findings(_ findings: FindingComparison, _ report: ComparisonReport) -> [String] {
    let words = Markdown.text(FindingWords.difference(findings))
    let hasMoved = findings.verdict == .improved || findings.verdict == .regressed
    let isBold = hasMoved && report.document.verdict != .void
    return [
      FindingWords.rowName
        + (report.document.findings.count > 1 ? " (Python \(Markdown.text(findings.python)))" : ""),
      FindingWords.count(findings.base), FindingWords.count(findings.head), isBold ? "**\(words)**" : words,
    ]
  }

  /// All metrics in their order, or of too many those that changed or may have.
  private static func rows(_ metrics: [ComparisonDocument.Metric]) -> [ComparisonDocument.Metric] {
    guard metrics.count > rowLimit else { return metrics }
    let telling = metrics.filter(\.hasMoved) + metrics.filter { $0.verdict == .undecided }
    return Array((telling + metrics.filter { $0.verdict == .equivalent }).prefix(rowLimit))
  }

  /// Commands as code, everything else as words.
  static func name(_ metric: ComparisonDocument.Metric, _ report: ComparisonReport) -> String {
    let name = metric.layer == .startup ? Markdown.code(metric.name) : Markdown.text(metric.name)
    return name + (report.python(of: metric).map { " (Python \(Markdown.text($0)))" } ?? "")
  }

  private static func missing(_ document: ComparisonDocument) -> String? {
    let parts = MissingPart.all(troubles: document.troubles, skipped: document.skipped)
    guard !parts.isEmpty else { return nil }
    return fold("Without a result (\(parts.count))", MissingParts.markdown(parts, byteLimit: missingByteLimit))
  }

  /// A part that opens on a click. GitHub wants the empty lines to see Markdown inside.
  static func fold(_ summary: String, _ content: String) -> String {
    "<details><summary>\(summary)</summary>\n\n\(content)\n</details>\n"
  }
}

/// What has no result as a Markdown list.
enum MissingParts {
  static func markdown(_ parts: [MissingPart], byteLimit: Int = .max) -> String {
    let lines = parts.map { part in
      let name = part.name.map { "**\(Markdown.text($0))**: " } ?? ""
      return "- \(name)\(Markdown.text(part.reason))" + (part.fix.map { ". Fix: \(Markdown.text($0))" } ?? "") + "\n"
    }
    var size = 0
    let shown = lines.prefix {
      size += $0.utf8.count
      return size <= byteLimit
    }
    let rest = lines.count - shown.count
    return shown.joined() + (rest > 0 ? "- and \(rest) more, in `comparison.json`\n" : "")
  }
}
