import Shared

/// The sentences that say what a comparison found: the same on the terminal and in the comment.
enum VerdictFormatter {
  /// What one metric says, plain: `62x faster (-98.5…-98.3%)`, `no difference (-0.6…+0.9%)`, `open: -26% (-35…-12%)`.
  static func plain(_ metric: ComparisonDocument.Metric) -> String {
    let ratio = RatioFormatter(metric)
    let range = ratio.range.map { " (\($0))" } ?? ""
    return switch metric.verdict {
    case .improved, .regressed: (metric.unit == MetricUnit.bytes.rawValue ? ratio.smaller : ratio.faster) + range
    case .equivalent: "no difference\(metric.proven == true ? " that counts" : "")\(range)"
    case .undecided, .void: undecided(metric)
    }
  }

  /// The customer's delta: `-73% (3.75x)` of a change; what else is said of it is ``words(_:)``.
  static func delta(_ metric: ComparisonDocument.Metric) -> String {
    guard metric.hasMoved else { return plain(metric) }
    let ratio = RatioFormatter(metric)
    return ratio.percent + (ratio.factor.map { " (\($0))" } ?? "")
  }

  /// The direction of a change and its interval, behind ``delta(_:)``: `faster, -74…-72%`; `nil` for what did not change.
  static func words(_ metric: ComparisonDocument.Metric) -> String? {
    guard metric.hasMoved else { return nil }
    let isTime = metric.unit == MetricUnit.seconds.rawValue
    let word = metric.verdict == .improved ? (isTime ? "faster" : "less") : isTime ? "slower" : "more"
    return ([word] + [RatioFormatter(metric).range].compactMap(\.self)).joined(separator: ", ")
  }

  /// From how many blocks on the estimate of what is open is told.
  private static let fewestBlocks = 3

  private static func undecided(_ metric: ComparisonDocument.Metric) -> String {
    let ratio = RatioFormatter(metric)
    guard metric.blocks >= fewestBlocks, let range = ratio.range, let low = metric.low, let high = metric.high else {
      return "open (too few \(metric.unpaired == true ? "samples" : "blocks"))"
    }
    let standing =
      metric.proven == true
      ? ", whether that counts is open" : low > 1 || high < 1 ? ", not proven yet" : ""
    let cpu = metric.headline == true ? ProcessorTime.change(metric).map { "; CPU \($0)" } ?? "" : ""
    return "open: \(ratio.percent) (\(range))\(standing)\(cpu)"
  }

  /// The same in a run: one whose control moved decides nothing.
  static func plain(_ metric: ComparisonDocument.Metric, in document: ComparisonDocument) -> String {
    document.withheld(metric) ?? plain(metric)
  }

  static func delta(_ metric: ComparisonDocument.Metric, in document: ComparisonDocument) -> String {
    document.withheld(metric) ?? delta(metric)
  }

  /// The verdict of the run in one sentence, the word for it first.
  static func headline(_ document: ComparisonDocument) -> String {
    let count = document.metrics.judged.count
    switch document.verdict {
    case .void:
      let moved = document.controls.filter(\.hasMoved).map { "\($0.name) is \(plain($0))" }.joined(separator: ", ")
      return "Void: a control that can't differ has moved (\(moved)), so this run decides nothing."
    case .equivalent:
      return
        "No difference: \(count == 1 ? "the metric is" : "all \(metrics(count)) are") the same within \(deltas(document))."
    case .undecided where count == 0 && document.notMeasured.isEmpty:
      return "Undecided: no metric was measured on both sides."
    case .regressed:
      return "\(word(document, .regressed)): \(findings(document, .regressed))\(counts(document, first: .regressed))."
    case .improved:
      return "\(word(document, .improved)): \(findings(document, .improved))\(counts(document, first: .improved))."
    case .undecided: return "Undecided: \(counts(document, first: .improved))."
    }
  }

  /// What to do about the verdict, in one sentence.
  static func advice(_ document: ComparisonDocument) -> String {
    switch document.verdict {
    case .void: return "Run it again; if it stays so, look for what else runs on the machine."
    case .regressed: return "Look at the bold rows before this is merged."
    case .improved:
      let open = document.metrics.judged.count { $0.verdict == .undecided }
      return "Nothing to do: what is bold is proven\(open > 0 ? ", what is open is not" : "")."
    case .equivalent: return "Nothing to do."
    case .undecided:
      let proven =
        document.metrics.contains(where: \.hasMoved)
        ? "What is bold is proven; for the rest" : "Nothing is proven either way;"
      guard let forecast = document.forecast else {
        let isOpen = document.metrics.judged.contains { $0.verdict == .undecided && $0.withheld == nil }
        if document.spending.budgetSeconds == nil || !isOpen { return "\(proven) more blocks may tell." }
        return "\(proven) no amount of time in sight would tell."
      }
      return "\(proven) about \(Duration.seconds(forecast.seconds).words) more may tell: \(forecast.option)."
    }
  }

  /// What the optimize run found otherwise than before, where that has this verdict: stands before the metrics.
  private static func findings(
    _ document: ComparisonDocument, _ verdict: ComparisonDocument.RunVerdict
  ) -> String {
    document.findings.filter { $0.verdict == verdict }.map {
      "codeflash now finds \(FindingFormatter.count($0.head)) opportunities, before \(FindingFormatter.count($0.base)); "
    }.joined()
  }

  /// What else has to be known before the table is read.
  static func remarks(_ document: ComparisonDocument, notes: [String]) -> [String] {
    var remarks: [String] = []
    if document.identical { remarks.append("Both sides are the same code: whatever differs is noise.") }
    if !document.complete { remarks.append("Part of what was planned has no result; see what is missing below.") }
    return remarks + [revisions(document)].compactMap { $0 } + document.method.caveats + notes
  }

  /// What was measured, where there is more to say than a release's name: `base main at 0123456789ab ("one"), its tip; head …`.
  private static func revisions(_ document: ComparisonDocument) -> String? {
    let words = [("Base", document.base), ("head", document.head)].compactMap { name, revision -> String? in
      guard let commit = revision.commit else { return nil }
      let place = revision.note ?? "\(revision.label) at \(commit.prefix(12))"
      return "\(name) \(place)" + (revision.subject.map { " (“\($0)”)" } ?? "")
    }
    return words.isEmpty ? nil : words.joined(separator: "; ") + "."
  }

  /// What a change of this kind is called: of times alone faster and slower, since memory is neither.
  private static func word(_ document: ComparisonDocument, _ verdict: ComparisonDocument.RunVerdict) -> String {
    let moved = document.metrics.judged.filter { $0.verdict == verdict }
    let isTime = moved.allSatisfy { $0.unit == MetricUnit.seconds.rawValue } && !moved.isEmpty
    return verdict == .improved ? (isTime ? "Faster" : "Better") : isTime ? "Slower" : "Worse"
  }

  /// `7 better, none worse, 8 the same, 8 open`, the verdict's own kind first.
  private static func counts(_ document: ComparisonDocument, first: ComparisonDocument.RunVerdict) -> String {
    let kinds: [(ComparisonDocument.RunVerdict, String)] = [
      (.improved, "better"), (.regressed, "worse"), (.equivalent, "the same"), (.undecided, "open"),
    ]
    let ordered = kinds.filter { $0.0 == first } + kinds.filter { $0.0 != first }
    return ordered.compactMap { verdict, word in
      let unmeasured = verdict == .undecided ? document.notMeasured.count : 0
      let count = document.metrics.judged.count { $0.verdict == verdict } + unmeasured
      if count > 0 { return "\(count) \(word)" }
      return verdict == .regressed || verdict == .improved ? "none \(word)" : nil
    }.joined(separator: ", ")
  }

  static func metrics(_ count: Int) -> String { count == 1 ? "1 metric" : "\(count) metrics" }

  /// What counts: `2%`, `2% (Full optimize run: 5%, layer micro: 3%)`.
  static func deltas(_ document: ComparisonDocument) -> String {
    let others = document.metrics.filter { $0.delta ?? document.method.delta != document.method.delta }
    let words = others.map { metric in
      let layer = document.metrics.filter { $0.layer == metric.layer }
      let isWholeLayer = layer.count > 1 && layer.allSatisfy { $0.delta == metric.delta }
      let name = isWholeLayer ? "layer \(metric.layer.rawValue)" : metric.name
      return "\(name): \(percent(metric.delta ?? 0))"
    }.uniqued()
    return percent(document.method.delta) + (words.isEmpty ? "" : " (\(listed(words, most: 3, rest: "others")))")
  }

  static func percent(_ fraction: Double) -> String { "\(compact(fraction * 100))%" }

  /// A setting as it was given: `2`, `0.5`.
  private static func compact(_ value: Double) -> String {
    let text = Numbers.fixed(value, 3)
    let trimmed = text.reversed().drop { $0 == "0" }.drop { $0 == "." }
    return trimmed.isEmpty ? "0" : String(trimmed.reversed())
  }

  /// A value in the metric's unit.
  static func value(_ value: Double, unit: String) -> String {
    switch MetricUnit(rawValue: unit) {
    case .seconds: Numbers.seconds(value)
    case .bytes where value.isFinite && abs(value) < 1e18: Numbers.bytes(Int(value))
    case .bytes, nil: "\(Numbers.digits(value, 3)) \(unit)"
    }
  }
}

extension ComparisonDocument {
  /// What stands in place of a verdict that is kept back, for a reason of the metric's own or because a control moved (the
  /// control's own stands).
  fileprivate func withheld(_ metric: Metric) -> String? {
    verdict == .void && metric.control == nil ? "withheld" : metric.withheld
  }

  /// The metrics in the order in which they are shown: those that matter most first.
  var shownMetrics: [Metric] { metrics.filter { $0.headline == true } + metrics.filter { $0.headline != true } }

  /// Controls that are worth a row: commands, and what moved of the rest.
  var shownControls: [Metric] { controls.filter { $0.control == .command || $0.hasMoved } }
}
