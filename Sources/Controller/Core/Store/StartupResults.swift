import Shared
import Statistics

extension StartupDocument {
  /// Layer 1 of one side; `nil` when it has no sample there. Controls stand among the commands.
  ///
  /// One result a command and Python, in the order measured; the Python is a hyperfine parameter, and is named only
  /// when there are several.
  static func make(_ side: Side, from record: JobRecord) -> StartupDocument? {
    let samples = record.samples.filter { $0.side == side && $0.layer == .startup }
    let pythons = samples.map(\.python).uniqued()
    let results = record.metrics.compactMap { key in
      Result(
        command: key.metric, samples: samples.filter { $0.key == key },
        parameters: pythons.count > 1 ? ["python": key.python] : nil)
    }
    return results.isEmpty ? nil : StartupDocument(results: results)
  }
}

extension StartupDocument.Result {
  /// `nil` for no samples.
  fileprivate init?(command: String, samples: [Sample], parameters: [String: String]?) {
    let times = samples.map(\.value)
    guard let mean = Quantile.mean(times), let median = Quantile.median(times), let least = times.min(),
      let most = times.max()
    else { return nil }
    self.init(
      command: command, mean: mean, stddev: Quantile.standardDeviation(times), median: median,
      user: Quantile.mean(samples.compactMap(\.userSeconds)) ?? 0,
      system: Quantile.mean(samples.compactMap(\.systemSeconds)) ?? 0, min: least, max: most, times: times,
      exit_codes: samples.map { $0.exitCode ?? 0 }, parameters: parameters)
  }
}
