import Shared

/// `comment.md`: what a pull request is told, and with more room the summary of a GitHub step. Pure: the report in, Markdown
/// out.
///
/// The shape is the customer's: title, a table of four columns in which what changed is bold, the folded import
/// breakdown. What did not change is folded too. Bounded, so that GitHub takes it whole (it refuses a comment of more than
/// 65,536 characters).
enum Comment {
  static let byteLimit = 60_000
  /// Rows of one table, and its share of all the room.
  private static let rowShare = 600

  /// - Parameter limit: bytes that the text stays below.
  static func text(_ report: ComparisonReport, limit: Int = byteLimit) -> String {
    let document = report.document
    var parts = [
      "## Benchmark Results: \(Markdown.code(document.head.label)) vs \(Markdown.code(document.base.label))\n",
      "**\(Markdown.text(VerdictFormatter.headline(document)))** \(Markdown.text(VerdictFormatter.advice(document)))\n",
    ]
    parts += GateFormatter.sentence(report.gate, document).map { [Markdown.text($0, limit: 2000) + "\n"] } ?? []
    parts += VerdictFormatter.remarks(document, notes: report.notes).map { Markdown.paragraph($0) + "\n" }
    let rows = ShownRows(document)
    if !rows.telling.isEmpty || !document.findings.isEmpty || !document.notMeasured.isEmpty {
      parts.append(
        table(
          rows.telling, report, findings: document.findings, unmeasured: document.notMeasuredRows, limit: limit * 2 / 5)
      )
    }
    if !rows.open.isEmpty {
      parts.append(
        fold(
          "\(VerdictFormatter.metrics(rows.open.count)) still open, with no sign of a change",
          table(rows.open, report, findings: [], limit: limit / 5)))
    }
    if !rows.same.isEmpty {
      parts.append(
        fold(
          "\(VerdictFormatter.metrics(rows.same.count)) without a difference",
          table(rows.same, report, findings: [], limit: limit / 5)))
    }
    // The dearest to lose stands first: what no longer fits is left to the files.
    var size = parts.reduce(0) { $0 + $1.utf8.count + 1 }
    let folds = [
      missing(document, limit: limit / 8), fold("Host and method", MethodLine.markdown(report) + "\n"),
      document.cost.map { fold("Cost", Markdown.text(CostFormatter.sentence($0)) + "\n") },
      PythonColumns.markdown(report).map { fold("By version", $0) }, ProcessorTime.markdown(report),
      FindingFormatter.markdown(report),
      MemoryFormatter.markdown(report), ImportBreakdown.markdown(report), FindingFormatter.phases(report),
      ProfileChanges.markdown(report),
    ]
    for fold in folds {
      guard let fold else { continue }
      guard size + fold.utf8.count < limit - 100 else {
        parts.append("More stands in the files of the results folder: it did not fit here.\n")
        break
      }
      size += fold.utf8.count + 1
      parts.append(fold)
    }
    return parts.joined(separator: "\n")
  }

  private static func table(
    _ metrics: [ComparisonDocument.Metric], _ report: ComparisonReport, findings found: [FindingComparison],
    unmeasured: [(name: String, reason: String)] = [], limit: Int
  ) -> String {
    let document = report.document
    let most = max(1, limit / rowShare * 5)
    // Of too many rows those that changed come first.
    let ordered =
      metrics.count <= most ? metrics : metrics.filter(\.hasMoved) + metrics.filter { !$0.hasMoved }
    var size = 0
    let shown = ordered.prefix(most).map { cells($0, report) }.prefix {
      size += $0.reduce(0) { $0 + $1.utf8.count } + 14
      return size <= limit
    }
    let headAlone = found.isEmpty ? [] : FindingFormatter.headAlone(report)
    // A release or folder has a name of its own; a ref of the repository is the pull request's branch.
    let head = document.head.commit == nil ? Markdown.text(document.head.label) : "branch"
    var text = Markdown.table(
      ["Metric", Markdown.text(document.base.label), head, "Delta"],
      Array(shown) + unmeasured.map { [Markdown.text($0.name), "–", "–", Markdown.text($0.reason)] }
        + found.map { findings($0, report) } + headAlone.map { [Markdown.text($0.name), "–", $0.found, $0.words] })
    let rest = metrics.count - shown.count
    if rest > 0 { text += "\n\(rest) more stand in `comparison.json`.\n" }
    return text
  }

  private static func cells(_ metric: ComparisonDocument.Metric, _ report: ComparisonReport) -> [String] {
    let delta = VerdictFormatter.delta(metric, in: report.document)
    // A void run proves nothing, so nothing in it stands out.
    let isBold = metric.hasMoved && report.document.verdict != .void
    let words = isBold ? VerdictFormatter.words(metric).map { " \($0)" } ?? "" : ""
    return [
      name(metric, report), VerdictFormatter.value(metric.base, unit: metric.unit),
      VerdictFormatter.value(metric.head, unit: metric.unit), (isBold ? "**\(delta)**" : delta) + words,
    ]
  }

  private static func findings(_ findings: FindingComparison, _ report: ComparisonReport) -> [String] {
    let words = Markdown.text(FindingFormatter.difference(findings))
    let hasMoved = findings.verdict == .improved || findings.verdict == .regressed
    let isBold = hasMoved && report.document.verdict != .void
    return [
      FindingFormatter.rowName
        + (report.document.findings.count > 1 ? " (Python \(Markdown.text(findings.python)))" : ""),
      FindingFormatter.count(findings.base), FindingFormatter.count(findings.head), isBold ? "**\(words)**" : words,
    ]
  }

  /// Commands as code, everything else as words.
  static func name(_ metric: ComparisonDocument.Metric, _ report: ComparisonReport) -> String {
    let name = metric.layer == .startup ? Markdown.code(metric.name) : Markdown.text(metric.name)
    return name + (report.python(of: metric).map { " (Python \(Markdown.text($0)))" } ?? "")
      + (metric.note.map { " (\(Markdown.text($0)))" } ?? "")
  }

  private static func missing(_ document: ComparisonDocument, limit: Int) -> String? {
    let parts = MissingPart.all(troubles: document.troubles, skipped: document.skipped)
    guard !parts.isEmpty else { return nil }
    return fold("Without a result (\(parts.count))", MissingParts.markdown(parts, byteLimit: limit))
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
