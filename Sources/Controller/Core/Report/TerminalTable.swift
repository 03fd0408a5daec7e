import Shared
import Statistics

/// The result on a terminal: the verdict in words, an aligned table, what is missing and what mends it.
///
/// Pure: the report in, text out, ending in a newline. Colour only where the style has it; no meaning is in colour alone.
enum TerminalTable {
  static func text(_ report: ComparisonReport, style: TerminalStyle) -> String {
    let document = report.document
    var text = style.paint(VerdictFormatter.headline(document), colour(document.verdict)) + "\n"
    for remark in VerdictFormatter.remarks(document, notes: report.notes) { text += TerminalText.clean(remark) + "\n" }
    let header = resultRow("Metric", "Delta", nil, document.base.label, document.head.label).map { cell in
      Cell(text: cell.text, colour: .bold, isWords: cell.isWords)
    }
    let shown = ShownRows.onTerminal(document)
    let rows =
      shown.rows.map { row($0, report) } + document.notMeasuredRows.map { resultRow($0.name, $0.reason, nil, "–", "–") }
      + document.findings.map { row($0, document) }
      + FindingFormatter.headAlone(report).map { resultRow($0.name, $0.words, nil, "–", $0.found) }
      + document.shownControls.map { row($0, report) }
    if !rows.isEmpty { text += "\n" + grid([header] + rows, style: style) }
    if !shown.below.isEmpty { text += "\n" + shown.below.map { TerminalText.clean($0, limit: 2000) + "\n" }.joined() }
    text += byPython(report, style: style)
    text += replay(report, style: style)
    let spending = ProcessorTime.sentences(document) + SpendingFormatter.sentences(document)
    if !spending.isEmpty { text += "\n" + spending.map { TerminalText.clean($0) + "\n" }.joined() }
    text += foot(document.cost)
    return text + missing(MissingPart.all(troubles: document.troubles, skipped: document.skipped))
  }

  /// One side alone: no verdict, only what was measured.
  static func text(_ report: SideReport, style: TerminalStyle) -> String {
    let header = ["Metric", "Median", "Least", "Most", "Runs"].map { Cell(text: $0, colour: .bold) }
    let startup = (report.startup?.results ?? []).map { result in
      let python = result.parameters?["python"].map { " (Python \($0))" } ?? ""
      return series(result.command + python, result.median, result.times)
    }
    let several = Set((report.micro?.targets ?? []).map(\.python)).count > 1
    let micro = (report.micro?.targets ?? []).map { target in
      series(target.name + (several ? " (Python \(target.python))" : ""), target.medianSeconds, target.seconds)
    }
    var text = style.paint(TerminalText.clean(report.label), .bold) + "\n"
    for note in report.environments.compactMap(\.interpreterNote).uniqued() { text += TerminalText.clean(note) + "\n" }
    let optimize = (report.optimize?.results ?? []).flatMap { result -> [[Cell]] in
      let python = (report.optimize?.results.count ?? 0) > 1 ? " (Python \(result.python))" : ""
      let time = result.medianSeconds.map { [series(CodeflashRunPlan.timeMetric + python, $0, result.seconds)] } ?? []
      let found = FindingFormatter.count(result.findings)
      let cells = [FindingFormatter.rowName + python, found, "", "", String(result.seconds.count)].map {
        Cell(text: $0)
      }
      return time + [cells]
    }
    let memory = (report.memory?.peaks ?? []).map { peak in
      let python = Set((report.memory?.peaks ?? []).map(\.python)).count > 1 ? " (Python \(peak.python))" : ""
      return series(peak.name + python, peak.medianBytes, peak.bytes, unit: .bytes)
    }
    let rows = startup + micro + optimize + memory
    text += rows.isEmpty ? "Nothing was measured.\n" : "\n" + grid([header] + rows, style: style)
    return text + foot(report.cost) + missing(report.missing)
  }

  private static func foot(_ cost: RunCost?) -> String {
    cost.map { "\n" + TerminalText.clean(CostFormatter.sentence($0)) + "\n" } ?? ""
  }

  /// What changed, a column a Python; nothing where there is one.
  private static func byPython(_ report: ComparisonReport, style: TerminalStyle) -> String {
    let rows = PythonColumns.rows(report, delta: { VerdictFormatter.plain($0, in: report.document) })
    guard !rows.isEmpty else { return "" }
    let header = (["By version"] + PythonColumns.header(report)).map { Cell(text: $0, colour: .bold) }
    return "\n" + grid([header] + rows.map { row in ([row.name] + row.cells).map { Cell(text: $0) } }, style: style)
  }

  /// Where each metric would have stopped; nothing where nobody asked.
  private static func replay(_ report: ComparisonReport, style: TerminalStyle) -> String {
    guard let stops = report.document.replay, !stops.isEmpty else { return "" }
    let header =
      ["Looked at after every block", "Stops after"].map { Cell(text: $0, colour: .bold) }
      + [Cell(text: "Verdict", colour: .bold, isWords: true)]
    func key(_ name: String, _ layer: LayerName, _ python: String) -> [String] { [name, layer.rawValue, python] }
    let blocks = Dictionary(report.document.metrics.map { (key($0.name, $0.layer, $0.python), $0.blocks) }) {
      first, _ in
      first
    }
    let hasSeveralPythons = report.hasSeveralPythons
    let rows = stops.map { stop in
      let all = blocks[key(stop.name, stop.layer, stop.python)].map { " of \($0)" } ?? ""
      let python = hasSeveralPythons ? " (Python \(stop.python))" : ""
      let isOpen = stop.verdict == .undecided
      return [
        Cell(text: stop.name + python), Cell(text: isOpen ? "–" : "\(stop.blocks)\(all) blocks"),
        Cell(text: stop.verdict.rawValue, colour: colour(stop.verdict), isWords: true),
      ]
    }
    return "\n" + grid([header] + rows, style: style)
  }

  private struct Cell {
    var text: String
    var colour: TerminalStyle.Colour?
    /// Words start at their column's left; numbers end at their column's right.
    var isWords: Bool

    init(text: String, colour: TerminalStyle.Colour? = nil, isWords: Bool = false) {
      self.text = TerminalText.clean(text, limit: 80)
      self.colour = colour
      self.isWords = isWords
    }
  }

  /// The verdict stands beside the name, the values behind it.
  private static func resultRow(
    _ name: String, _ words: String, _ colour: TerminalStyle.Colour?, _ base: String, _ head: String
  ) -> [Cell] {
    [Cell(text: name), Cell(text: words, colour: colour, isWords: true), Cell(text: base), Cell(text: head)]
  }

  private static func row(_ metric: ComparisonDocument.Metric, _ report: ComparisonReport) -> [Cell] {
    let python =
      (report.python(of: metric).map { " (Python \($0))" } ?? "") + (metric.note.map { " (\($0))" } ?? "")
    let isControl = report.document.controls.contains(metric)
    return resultRow(
      metric.name + python + (isControl ? " – control" : ""), VerdictFormatter.plain(metric, in: report.document),
      colour(metric, in: report.document), VerdictFormatter.value(metric.base, unit: metric.unit),
      VerdictFormatter.value(metric.head, unit: metric.unit))
  }

  private static func row(_ findings: FindingComparison, _ document: ComparisonDocument) -> [Cell] {
    let python = document.findings.count > 1 ? " (Python \(findings.python))" : ""
    return resultRow(
      FindingFormatter.rowName + python, FindingFormatter.difference(findings),
      document.verdict == .void ? nil : colour(findings.verdict), FindingFormatter.count(findings.base),
      FindingFormatter.count(findings.head))
  }

  private static func series(
    _ name: String, _ median: Double, _ values: [Double], unit: MetricUnit = .seconds
  ) -> [Cell] {
    let words = [median, values.min() ?? median, values.max() ?? median].map {
      VerdictFormatter.value($0, unit: unit.rawValue)
    }
    return ([name] + words + [String(values.count)]).map { Cell(text: $0) }
  }

  /// A void run proves nothing: of it only the control that moved is coloured.
  private static func colour(
    _ metric: ComparisonDocument.Metric, in document: ComparisonDocument
  ) -> TerminalStyle.Colour? {
    if document.verdict == .void { return document.controls.contains(metric) && metric.hasMoved ? .yellow : nil }
    return colour(metric.verdict)
  }

  private static func colour(_ verdict: ComparisonDocument.RunVerdict) -> TerminalStyle.Colour? {
    switch verdict {
    case .improved: .green
    case .regressed: .red
    case .void: .yellow
    case .equivalent, .undecided: nil
    }
  }

  /// Names to the left, numbers to the right; padding is counted before colour is put on.
  private static func grid(_ rows: [[Cell]], style: TerminalStyle) -> String {
    let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].text.count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.text.count)
        let painted = style.paint(cell.text, cell.colour)
        let isLast = column == row.count - 1
        if column == 0 || cell.isWords { return isLast ? painted : painted + padding }
        return padding + painted
      }.joined(separator: "  ") + "\n"
    }.joined()
  }

  private static func missing(_ parts: [MissingPart]) -> String {
    guard !parts.isEmpty else { return "" }
    return "\nWithout a result:\n"
      + parts.map { part in
        let name = part.name.map { "\(TerminalText.clean($0)): " } ?? ""
        let fix = part.fix.map { "    fix: \(TerminalText.clean($0))\n" } ?? ""
        return "  \(name)\(TerminalText.clean(part.reason))\n\(fix)"
      }.joined()
  }
}
