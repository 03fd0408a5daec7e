import Shared
import Statistics

/// The metrics of a comparison and its controls, decided as two families.
struct JudgedFamilies {
  var metrics: [ComparisonDocument.Metric]
  var controls: [ComparisonDocument.Metric]
  /// Whether a control moved: then no metric keeps its verdict.
  var isVoid: Bool
  var troubles: [Trouble]

  /// What can't differ: the control commands among `series`, and the base against its own second installation.
  init(_ series: [MetricSeries], copies: [MetricSeries] = [], rule: DecisionRule) {
    let measured = Comparison.judge(series.filter { !$0.key.isControl }, by: rule)
    let unchanging = Comparison.judge(series.filter(\.key.isControl) + copies, by: rule)
    metrics = measured.metrics
    controls = unchanging.metrics
    troubles = measured.troubles + unchanging.troubles
    isVoid = controls.contains(where: \.hasMoved)
    if isVoid { for index in metrics.indices { metrics[index].withholdVerdict() } }
  }
}
