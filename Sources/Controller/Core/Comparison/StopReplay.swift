import Shared
import Statistics

/// Where each metric would have stopped, had it been looked at after every block.
enum StopReplay {
  /// One entry a metric with blocks. A metric that stayed open has all its blocks and `undecided`.
  static func all(_ series: [MetricSeries], by rule: DecisionRule) -> [ComparisonDocument.Replay] {
    let family = series.filter { !$0.key.isControl }.compactMap { one in
      (try? one.question()).map { (series: one, question: $0) }  // Why one has no question is among the troubles.
    }
    return zip(family, rule.replay(family.map(\.question))).compactMap { one, stop in
      guard case .blocks(let blocks) = one.question.observed else { return nil }
      return .init(
        name: one.series.name, layer: one.series.key.layer, python: one.series.key.python,
        blocks: stop?.blocks ?? blocks.count, verdict: stop?.verdict.ofRun ?? .undecided)
    }
  }

  /// What a replay leaves out.
  static func caveats(_ series: [MetricSeries]) -> [String] {
    let left = series.filter { !$0.isPaired && !$0.key.isControl }.map(\.name)
    guard !left.isEmpty else { return [] }
    return ["The replay leaves out what has no blocks: \(listed(left))."]
  }
}
