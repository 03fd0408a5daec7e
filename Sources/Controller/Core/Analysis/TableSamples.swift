import Shared
import Statistics

/// Turns a table's rows into series, and looks at how they were measured.
struct TableSamples {
  private let table: SampleTable
  private var set: SampleSet
  private var unpaired: [String] = []
  private var unknownOrder: [String] = []
  private var fixedOrder: [String] = []
  /// Metrics with incomplete blocks; how many of those they have, and of all.
  private var cutShort: [String] = []
  private var incomplete = 0
  private var blocks = 0

  /// - Throws: ``AnalysisError`` for rows that contradict each other.
  static func sampleSet(_ table: SampleTable, alpha: Double) throws(AnalysisError) -> SampleSet {
    var samples = TableSamples(table)
    for metric in table.metrics { try samples.take(metric) }
    return samples.finished(alpha: alpha)
  }

  private init(_ table: SampleTable) {
    self.table = table
    set = SampleSet(
      base: .init(label: "base", commit: nil, identity: nil), head: .init(label: "head", commit: nil, identity: nil),
      caveats: table.caveats)
  }

  private mutating func take(_ metric: SampleTable.Metric) throws(AnalysisError) {
    try refuseGaps(metric)
    if let wrong = metric.rows.first(where: { $0.value <= 0 || !$0.value.isFinite }) {
      return refuse(
        metric, "line \(wrong.line) of \(table.path) holds \(wrong.value), of which no ratio can be made",
        fix: "look at how the value came about; take the line out together with its block")
    }
    for (arm, side) in [(Observation.Arm.base, "base"), (.head, "head")] {
      guard metric.rows.contains(where: { $0.arm == arm }) else {
        return refuse(
          metric, "\(table.path) holds no samples of its \(side)", fix: "measure it on both sides, under the same name")
      }
    }
    let isPaired = metric.rows.first?.block != nil
    if isPaired { try look(SampleOrder(metric, path: table.path), metric) } else { unpaired.append(metric.name) }
    let observations = metric.rows.enumerated().map { index, row in
      Observation(block: row.block ?? index, arm: row.arm, value: row.value)
    }
    let key = MetricKey(
      layer: metric.layer, metric: metric.name, python: SampleSource.unknownPython, unit: metric.unit, isControl: false)
    set.series.append(MetricSeries(key, observations: observations, isPaired: isPaired))
  }

  private mutating func look(_ order: SampleOrder, _ metric: SampleTable.Metric) {
    // Where no block is complete, the metric has no result, and that is said.
    if order.incomplete > 0, order.blocks > order.incomplete {
      cutShort.append(metric.name)
      incomplete += order.incomplete
      blocks += order.blocks
    }
    switch order.finding {
    case .balanced: break
    case .unknown: unknownOrder.append(metric.name)
    case .fixed: fixedOrder.append(metric.name)
    }
  }

  /// Numbers of blocks, and those of positions, stand in all rows of a metric or in none.
  private func refuseGaps(_ metric: SampleTable.Metric) throws(AnalysisError) {
    guard let first = metric.rows.first else { return }
    for row in metric.rows
    where (row.block == nil) != (first.block == nil) || (row.position == nil) != (first.position == nil) {
      let column = (row.block == nil) != (first.block == nil) ? "block" : "position"
      throw .wrongRow(
        path: table.path, line: row.line,
        fault: "'\(metric.name)' has a \(column) in some lines and none in others, such as line \(first.line)")
    }
  }

  private mutating func refuse(_ metric: SampleTable.Metric, _ reason: String, fix: String) {
    set.troubles.append(
      Trouble(layer: metric.layer, metric: metric.name, problem: .withoutResult(metric.name, reason, fix: fix)))
  }

  private func finished(alpha: Double) -> SampleSet {
    var set = set
    if !unpaired.isEmpty {
      set.caveats.insert(Caveat.unpaired(unpaired.count == table.metrics.count ? [] : unpaired, alpha: alpha), at: 0)
    }
    if !cutShort.isEmpty {
      set.caveats.append(
        "\(incomplete) of \(blocks) blocks of \(listed(cutShort)) do not hold both sides in full, and do not count."
      )
    }
    if !unknownOrder.isEmpty {
      set.caveats.append(
        "Which side stood first is not said of \(listed(unknownOrder)): it could not be checked.")
    }
    if !fixedOrder.isEmpty {
      set.caveats.append(
        "One side always stood first in the blocks of \(listed(fixedOrder)): an effect of the order would look"
          + " like a difference.")
    }
    return set
  }
}
