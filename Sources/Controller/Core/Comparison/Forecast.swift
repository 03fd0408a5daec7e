import Shared
import Statistics

extension JobRecord {
  /// What it would take to decide the open ones among `metrics`: of those that matter most, else of all.
  func forecast(_ metrics: [ComparisonDocument.Metric]) -> ComparisonDocument.Forecast? {
    let spending = spending
    guard let budget = spending.budgetSeconds else { return nil }
    let open = metrics.judged.filter { $0.verdict == .undecided && $0.withheld == nil && $0.secondsNeeded != nil }
    let headline = open.filter { $0.headline == true }
    let unmeasured = skipped.filter { $0.secondsNeeded != nil }
    let wanted = headline.isEmpty && unmeasured.isEmpty ? open : headline
    guard !wanted.isEmpty || !unmeasured.isEmpty else { return nil }
    // Metrics of the same blocks wait for the same time.
    var groups: [BlockGroup: Double] = [:]
    func wait(_ group: BlockGroup, _ seconds: Double?) { groups[group] = max(groups[group] ?? 0, seconds ?? 0) }
    for metric in wanted {
      wait(BlockGroup(layer: layerOfBlocks(metric), python: metric.python), metric.secondsNeeded)
    }
    for skipped in unmeasured {
      wait(BlockGroup(layer: skipped.layer, python: skipped.python), skipped.secondsNeeded)
    }
    let seconds = groups.values.reduce(0, +)
    return .init(
      seconds: seconds, metrics: (unmeasured.map(\.metric) + wanted.map(\.name)).uniqued(),
      option: option(for: groups, seconds: seconds, spent: spending.spentSeconds, budget: budget))
  }

  private struct BlockGroup: Hashable {
    var layer: LayerName
    var python: String
  }

  /// `Peak memory` is measured in the blocks of layer 3.
  private func layerOfBlocks(_ metric: ComparisonDocument.Metric) -> LayerName {
    blocks.first { $0.python == metric.python && $0.metrics.contains(metric.name) }?.layer ?? metric.layer
  }

  /// More blocks where somebody said how many there are at most, more minutes elsewhere.
  private func option(for groups: [BlockGroup: Double], seconds: Double, spent: Double, budget: Double) -> String {
    let ended = groups.filter { group, _ in
      layersFinished.contains {
        $0.layer == group.layer && $0.python == group.python && $0.reachedMostBlocks == true
      }
    }.max { ($0.value, $1.key.layer.rawValue, $1.key.python) < ($1.value, $0.key.layer.rawValue, $0.key.python) }
    if let (group, seconds) = ended {
      let measured = blocks.filter { $0.layer == group.layer && $0.python == group.python }
      let more = seconds / max(Quantile.median(measured.map(\.seconds)) ?? 0, 1e-6)
      let most = Double(Settings.mostBlocks(of: group.layer))
      return "--set \(group.layer.rawValue).blocks=\(Int(min(most, Double(measured.count) + more.rounded(.up))))"
    }
    let minutes = max((spent + seconds) / 60, budget / 60 + 0.01).rounded(.up)
    return "--budget \(Int(min(minutes, Settings.longestBudget / .seconds(60))))"
  }
}

extension ComparisonDocument.Spending {
  /// What was measured in all, warming up and profiles included, in seconds.
  var spentSeconds: Double { layers.reduce(0) { $0 + $1.blockSeconds + ($1.otherSeconds ?? 0) } }
}

extension ComparisonDocument {
  /// Metrics that the budget had no time for: rows without numbers.
  var notMeasured: [Skipped] { skipped.filter { $0.secondsNeeded != nil } }

  /// The same as rows, a name and the reason: those of a layer together where they are many.
  var notMeasuredRows: [(name: String, reason: String)] {
    struct Group: Hashable {
      var layer: LayerName
      var python: String
    }
    let groups = notMeasured.map { Group(layer: $0.layer, python: $0.python) }.uniqued()
    let severalPythons = hasSeveralPythons || Set(groups.map(\.python)).count > 1
    return groups.flatMap { group -> [(name: String, reason: String)] in
      let own = notMeasured.filter { $0.layer == group.layer && $0.python == group.python }
      let python = severalPythons ? " (Python \(group.python))" : ""
      if own.count > 3, let reason = own.first?.reason {
        return [("\(own.count) metrics of layer \(group.layer.rawValue)\(python)", reason)]
      }
      return own.map { ($0.metric + python, $0.reason) }
    }
  }
}
