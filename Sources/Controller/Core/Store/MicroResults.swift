import Shared
import Statistics

extension MicroDocument {
  /// Layer 2 of one side; `nil` when it was neither measured nor skipped there.
  static func make(_ side: Side, from record: JobRecord) -> MicroDocument? {
    let targets = record.metrics.filter { $0.layer == .micro }.compactMap { key -> Target? in
      let seconds = record.samples.filter { $0.side == side && $0.key == key }.map(\.value)
      guard let median = Quantile.median(seconds), let least = seconds.min(), let most = seconds.max() else {
        return nil
      }
      return Target(
        name: key.metric, python: key.python, medianSeconds: median, minSeconds: least, maxSeconds: most,
        seconds: seconds, profile: record.profile(side, metric: key.metric, python: key.python))
    }
    let skipped = record.skipped.filter { $0.layer == .micro && $0.side != side.other }
    guard !targets.isEmpty || !skipped.isEmpty else { return nil }
    return MicroDocument(revision: record.label(side), targets: targets, skipped: skipped)
  }
}

extension JobRecord {
  func profile(_ side: Side, metric: String, python: String) -> FunctionProfile? {
    profiles.first { $0.side == side && $0.metric == metric && $0.python == python }
  }
}
