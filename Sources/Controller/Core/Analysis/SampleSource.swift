import Shared
import Statistics

/// One side's samples: a file of another tool, or a run of ours.
struct SampleSource: Equatable {
  /// What the document calls it.
  var label: String
  var results: [Result]
  /// Results that can't be used.
  var troubles: [Trouble] = []
  /// What this side does not have, with the reason.
  var skipped: [Skipped] = []
  var caveats: [String] = []
  var identity: String?
  var commit: String?

  /// The values of one benchmark: each counts as one unit of its own.
  struct Result: Equatable {
    var name: String
    /// Tells apart results of one name, such as those of two Pythons.
    var variant = ""
    var layer: LayerName
    /// The interpreter's version; ``SampleSource/unknownPython`` where the file does not say.
    var python = SampleSource.unknownPython
    var unit = MetricUnit.seconds
    var isControl = false
    var values: [Double]

    var match: String { "\(name)\u{0}\(variant)" }
  }

  static let unknownPython = "unknown"

  /// Takes in a result when each of its values is a positive number, else the reason why not.
  mutating func add(_ result: Result) {
    guard !result.values.isEmpty else { return refuse(result, "\(label) holds no values of it") }
    if let place = result.values.firstIndex(where: { $0 <= 0 || !$0.isFinite }) {
      return refuse(
        result,
        "value \(place + 1) in \(label) is \(result.values[place]), of which no ratio can be made")
    }
    results.append(result)
  }

  mutating func refuse(_ result: Result, _ reason: String) {
    troubles.append(Trouble(layer: result.layer, metric: result.name, problem: .withoutResult(result.name, reason)))
  }
}

extension Problem {
  /// A metric that samples are there of, and no answer.
  static func withoutResult(
    _ name: String, _ reason: String, fix: String = "look at how the value came about, then measure again"
  ) -> Problem {
    Problem(what: "\(name) has no result", why: reason, fix: fix, exitStatus: .partial)
  }
}

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
