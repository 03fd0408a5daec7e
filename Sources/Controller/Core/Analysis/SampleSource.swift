import Shared

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
