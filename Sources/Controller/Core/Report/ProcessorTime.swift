import Shared

/// CPU seconds beside the wall clock: user and system time of a run's whole process tree. They scatter far less, and where only one of
/// the two moved, that says where to look.
enum ProcessorTime {
  /// `+1.2% (-0.5…+3.0%)`; `nil` where there is no interval.
  static func change(_ metric: ComparisonDocument.Metric) -> String? {
    guard let cpu = metric.cpu, let low = cpu.low, let high = cpu.high, low <= high else { return nil }
    let ratio = RatioFormatter(ratio: cpu.ratio, interval: low...high)
    return ratio.range.map { "\(ratio.percent) (\($0))" }
  }

  /// What it means that the wall clock and the processor disagree; `nil` where they do not.
  static func meaning(_ metric: ComparisonDocument.Metric) -> String? {
    guard let cpu = metric.cpu, let low = cpu.low, let high = cpu.high else { return nil }
    let (wallLow, wallHigh) = (metric.low ?? 0, metric.high ?? .infinity)
    // Where both may be the same, one of them is only less sure.
    guard low > wallHigh || high < wallLow else { return nil }
    let wall = wallHigh < 1 ? -1 : wallLow > 1 ? 1 : 0
    let work = high < 1 ? -1 : low > 1 ? 1 : 0
    return switch (wall, work) {
    case (-1, 0), (1, 0): "the work is the same: what changed is waiting, or how many cores share it"
    case (0, -1): "less work, of which the wall clock shows nothing: it was done beside something that takes longer"
    case (0, 1): "more work, of which the wall clock shows nothing: it is done beside something that takes longer"
    case (-1, 1): "more work in less time: it is spread over more cores"
    case (1, -1): "less work in more time: it waits more, or runs on fewer cores"
    default: nil
    }
  }

  /// One line for each metric of which the two disagree.
  static func sentences(_ document: ComparisonDocument) -> [String] {
    guard document.verdict != .void else { return [] }
    return document.shownMetrics.compactMap { metric in
      guard let change = change(metric), let meaning = meaning(metric) else { return nil }
      return "\(metric.label(in: document)): CPU seconds \(change), \(meaning)."
    }
  }

  /// The table of a comment; `nil` where no metric has CPU seconds.
  static func markdown(_ report: ComparisonReport) -> String? {
    let document = report.document
    let rows = document.shownMetrics.compactMap { metric -> [String]? in
      guard let cpu = metric.cpu, let change = change(metric) else { return nil }
      return [
        Comment.name(metric, report), Numbers.seconds(cpu.base), Numbers.seconds(cpu.head), change,
        document.verdict == .void ? "" : meaning(metric) ?? "",
      ]
    }
    guard !rows.isEmpty else { return nil }
    return Comment.fold(
      "Processor time",
      "User and system time of the same runs, whole process tree, with intervals at 95% by themselves: no verdict rests on them.\n\n"
        + Markdown.table(["Metric", "Base", "Head", "Delta", "Beside the wall clock"], rows))
  }
}
