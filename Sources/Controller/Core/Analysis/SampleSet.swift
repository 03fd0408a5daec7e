import Shared
import Statistics

/// Samples of two sides that no job of ours holds, ready to be judged.
struct SampleSet {
  var base: ComparisonDocument.Revision
  var head: ComparisonDocument.Revision
  /// Whether both sides are known to be the same code.
  var identical = false
  var series: [MetricSeries] = []
  var troubles: [Trouble] = []
  var skipped: [Skipped] = []
  var caveats: [String] = []
  var host: HostInfo?

  func document(rule: DecisionRule, replays: Bool) -> ComparisonDocument {
    let all = JudgedFamilies(series, rule: rule)
    return ComparisonDocument(
      base: base, head: head, verdict: all.isVoid ? .void : Comparison.verdict(metrics: all.metrics),
      identical: identical, complete: troubles.isEmpty && all.troubles.isEmpty, metrics: all.metrics,
      controls: all.controls, host: host, spending: .init(), seconds: 0,
      method: rule.method(for: series, caveats: caveats + (replays ? StopReplay.caveats(series) : [])),
      troubles: troubles + all.troubles, skipped: skipped, replay: replays ? StopReplay.all(series, by: rule) : nil)
  }
}

/// The sentences that say what weakens a verdict.
enum Caveat {
  /// - Parameter names: The metrics that it is about; empty for all.
  static func unpaired(_ names: [String] = [], alpha: Double) -> String {
    let which = names.isEmpty ? "No block pairs the samples" : "No block pairs the samples of \(listed(names))"
    return
      "\(which): what drifted between measuring the two sides (heat, neighbours, caches) can look like a difference"
      + " of the code. The chance of \(VerdictFormatter.percent(alpha)) holds only when the number of runs was fixed"
      + " beforehand and the machine stood still."
  }

  static func pooled(_ count: Int) -> String {
    "\(count) comparisons are pooled: the verdicts hold when these are all that were made, not a choice of them."
  }

  static let tunedOtherwise =
    "The pooled comparisons tuned the machine in different ways: the medians mix both, the ratios hold within each."

  static func uncorrected(_ metrics: Int, alpha: Double) -> String {
    "Each of \(metrics) metrics has the whole error of \(VerdictFormatter.percent(alpha)): among many of identical code one is"
      + " soon called different."
  }
}
