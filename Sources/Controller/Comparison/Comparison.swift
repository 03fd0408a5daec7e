import Shared
import Statistics

/// Holds the two sides of a job against each other. Pure: events in, document out.
enum Comparison {
  /// - Parameters:
  ///   - alpha: The chance, over all metrics of the run together, of calling identical code different.
  ///   - delta: The smallest relative difference that counts.
  static func make(from record: JobRecord, alpha: Double, delta: Double) -> ComparisonDocument {
    let keys = record.metrics.filter { record.isOnBothSides($0) }
    let measured = judge(keys.filter { !$0.isControl }, in: record, alpha: alpha, delta: delta)
    let controls = judge(keys.filter(\.isControl), in: record, alpha: alpha, delta: delta)
    // What ended the job stands among the troubles: a document that says "incomplete" has to say why.
    let failure = record.failure.map { [Trouble(problem: $0)] } ?? []
    let troubles = failure + record.troubles + measured.troubles + controls.troubles
    let isComplete = record.finished?.outcome == .done && measured.troubles.isEmpty && controls.troubles.isEmpty
    let findings = FindingComparison.all(from: record)
    return ComparisonDocument(
      base: revision(.base, in: record), head: revision(.head, in: record),
      verdict: verdict(metrics: measured.metrics, controls: controls.metrics, findings: findings),
      identical: isIdentical(record), complete: isComplete, metrics: measured.metrics, controls: controls.metrics,
      findings: findings, memoryLines: MemoryLineChange.all(from: record), host: record.host,
      seconds: record.finished?.seconds ?? 0,
      method: .init(name: FixedBlocksRule.name, alpha: alpha, delta: delta), troubles: troubles,
      skipped: record.skipped)
  }

  /// The run's verdict: `void` when a control moved, since then the machine or the rig did. Otherwise the worst that a
  /// person would want to hear of first: a regression; then an open question; then an improvement; and `equivalent`
  /// only when every metric is.
  static func verdict(
    metrics: [ComparisonDocument.Metric], controls: [ComparisonDocument.Metric], findings: [FindingComparison] = []
  ) -> ComparisonDocument.RunVerdict {
    if controls.contains(where: \.hasMoved) { return .void }
    // The same findings on both sides decide nothing about a metric that is open.
    let verdicts = Set(metrics.map(\.verdict) + findings.map(\.verdict).filter { $0 != .equivalent })
    for worst in [ComparisonDocument.RunVerdict.regressed, .undecided, .improved] where verdicts.contains(worst) {
      return worst
    }
    return verdicts.isEmpty ? .undecided : .equivalent
  }

  private static func judge(
    _ keys: [MetricKey], in record: JobRecord, alpha: Double, delta: Double
  ) -> (metrics: [ComparisonDocument.Metric], troubles: [Trouble]) {
    let level = FixedBlocksRule.level(alpha: alpha, count: keys.count)
    var metrics: [ComparisonDocument.Metric] = []
    var troubles: [Trouble] = []
    for key in keys {
      do throws(Unmeasurable) { metrics.append(try metric(key, in: record, level: level, delta: delta)) } catch {
        troubles.append(
          Trouble(layer: key.layer, metric: key.metric, python: key.python, problem: error.problem))
      }
    }
    return (metrics, troubles)
  }

  private static func metric(
    _ key: MetricKey, in record: JobRecord, level: Double, delta: Double
  ) throws(Unmeasurable) -> ComparisonDocument.Metric {
    let observations = record.samples.filter { $0.key == key }.map {
      Observation(block: $0.block, arm: $0.side == .base ? .base : .head, value: $0.value)
    }
    let ratios: [BlockRatio]
    do { ratios = try Blocks.logRatios(observations) } catch {
      switch error {
      case .notPositive(let value, let block, _): throw .notATime(metric: key.metric, seconds: value, block: block)
      }
    }
    let counted = Set(ratios.map(\.block))
    func median(_ arm: Arm) -> Double? {
      Quantile.median(observations.filter { $0.arm == arm && counted.contains($0.block) }.map(\.value))
    }
    guard let decision = FixedBlocksRule.decide(blocks: ratios.map(\.logRatio), level: level, delta: delta),
      let base = median(.base), let head = median(.head)
    else { throw .noCompleteBlock(metric: key.metric) }
    return ComparisonDocument.Metric(
      name: key.metric, layer: key.layer, python: key.python, unit: key.unit.rawValue, base: base, head: head,
      ratio: decision.ratio, low: decision.interval?.lowerBound, high: decision.interval?.upperBound,
      verdict: decision.verdict.ofRun, blocks: decision.blocks)
  }

  private static func revision(_ side: Side, in record: JobRecord) -> ComparisonDocument.Revision {
    let ready = record.ready(side).first
    return .init(label: record.label(side), commit: ready?.commit, identity: ready?.identity)
  }

  /// Whether both sides are the same code with every Python that has both.
  private static func isIdentical(_ record: JobRecord) -> Bool {
    let pairs = record.ready(.base).flatMap { base in
      record.ready(.head).filter { $0.python == base.python }.map { (base.identity, $0.identity) }
    }
    return !pairs.isEmpty && pairs.allSatisfy { $0.0 == $0.1 }
  }
}

/// Why a metric that has samples on both sides has no result all the same.
private enum Unmeasurable: UserFacingError {
  case noCompleteBlock(metric: String)
  case notATime(metric: String, seconds: Double, block: Int)

  var what: String {
    switch self {
    case .noCompleteBlock(let metric), .notATime(let metric, _, _): "\(metric) has no result"
    }
  }
  var why: String? {
    switch self {
    case .noCompleteBlock: "no block holds both sides in full: the measurement was cut short"
    case .notATime(_, let seconds, let block): "block \(block) holds \(seconds) s, which is no duration"
    }
  }
  var fix: String {
    switch self {
    case .noCompleteBlock: "see the other troubles for what stopped it, then measure again"
    case .notATime: "measure again with a longer running command, and check the clock of the machine"
    }
  }
  var exitStatus: ExitStatus { .partial }
}

extension ComparisonDocument.Metric {
  /// Whether the verdict says that there is a difference.
  var hasMoved: Bool { verdict == .improved || verdict == .regressed }
}

extension Decision.Verdict {
  fileprivate var ofRun: ComparisonDocument.RunVerdict {
    switch self {
    case .regressed: .regressed
    case .improved: .improved
    case .equivalent: .equivalent
    case .undecided: .undecided
    }
  }
}

extension JobRecord {
  fileprivate func isOnBothSides(_ key: MetricKey) -> Bool {
    Set(samples.lazy.filter { $0.key == key }.map(\.side)).count == 2
  }
}
