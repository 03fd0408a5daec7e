import Shared

/// What the reader has to see, and what may be folded.
struct ShownRows {
  /// What changed or may have, and what is open of what matters most.
  var telling: [ComparisonDocument.Metric]
  /// What is open and has nothing to tell beyond that.
  var open: [ComparisonDocument.Metric] = []
  var same: [ComparisonDocument.Metric]

  init(_ document: ComparisonDocument) {
    telling = document.shownMetrics.filter { $0.verdict != .equivalent }
    same = document.shownMetrics.filter { $0.verdict == .equivalent }
    guard document.verdict != .void, telling.contains(where: { $0.headline == true }) else { return }
    func isQuiet(_ metric: ComparisonDocument.Metric) -> Bool {
      guard metric.headline != true, metric.verdict == .undecided, metric.withheld == nil, metric.proven != true
      else { return false }
      // Without an interval nothing is known either way.
      guard let low = metric.low, let high = metric.high else { return false }
      return low <= 1 && high >= 1
    }
    open = telling.filter(isQuiet)
    telling = telling.filter { !isQuiet($0) }
  }

  /// The rows of a terminal's table: all that matters most is among them, and the rest is named below where there are many.
  static func onTerminal(_ document: ComparisonDocument) -> (rows: [ComparisonDocument.Metric], below: [String]) {
    let shown = ShownRows(document)
    let all = document.shownMetrics
    guard document.verdict != .void, document.metrics.contains(where: { $0.headline == true }) else { return (all, []) }
    let same = shown.same.filter { $0.headline != true }
    func line(_ metrics: [ComparisonDocument.Metric], _ words: String) -> String? {
      guard metrics.count > 2 else { return nil }
      let names = metrics.map { $0.name + (document.hasSeveralPythons ? " (Python \($0.python))" : "") }
      return "\(words): \(names.joined(separator: ", "))."
    }
    let lines = [
      (shown.open, line(shown.open, "\(shown.open.count) open, with no sign of a change")),
      (same, line(same, "\(same.count) without a difference")),
    ]
    let folded = lines.filter { $0.1 != nil }.flatMap(\.0)
    return (all.filter { !folded.contains($0) }, lines.compactMap(\.1))
  }
}
