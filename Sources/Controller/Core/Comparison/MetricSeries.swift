import Foundation
import Shared
import Statistics

/// The values of one metric on both sides, ready to be judged.
struct MetricSeries {
  var key: MetricKey
  /// What the metric is called in the document.
  var name: String
  var observations: [Observation]
  /// Whether blocks hold both sides; without, an observation's block says nothing.
  var isPaired = true
  /// Values of the base's second installation.
  var copies: [Observation] = []
  /// CPU seconds of the runs behind the observations; empty where they were not told.
  var cpu: [Observation] = []
  var setAside: Int
  var control: ComparisonDocument.Control?
  /// Whether it is one of the metrics that matter most.
  var isHeadline = false
  /// Whether the base was to be measured a second time.
  var hasCopyArm = false
  /// The smallest relative difference that counts of it; `nil` for the run's.
  var delta: Double?
  /// What one block of the metric's layer takes, in seconds.
  var blockSeconds: Double?

  init(_ key: MetricKey, in record: JobRecord) {
    self.key = key
    name = key.metric
    control = key.isControl ? .command : nil
    let balanced = record.balancedBlocks(key)
    func observation(_ sample: Sample) -> Observation {
      Observation(
        block: sample.block, arm: sample.side == .base ? .base : .head, value: sample.value,
        place: balanced.contains(sample.block) ? sample.position : nil)
    }
    let samples = record.samples.filter { $0.key == key }
    observations = samples.map(observation)
    cpu = samples.compactMap { sample in
      guard let user = sample.userSeconds, let system = sample.systemSeconds, user + system > 0 else { return nil }
      var observation = observation(sample)
      observation.value = user + system
      return observation
    }
    copies = record.copySamples.filter { $0.key == key }.map(observation)
    isHeadline = record.started?.headline?.contains(key.metric) ?? false
    delta = record.started?.deltas?.delta(of: key.metric, in: key.layer)
    hasCopyArm = record.started?.hasCopyArm ?? false
    setAside = record.setAside(key)
    let seconds = record.blocks.filter { $0.python == key.python && $0.metrics.contains(key.metric) }.map(\.seconds)
    blockSeconds = Quantile.median(seconds)
  }

  /// Samples that come from elsewhere than a job.
  init(_ key: MetricKey, observations: [Observation], isPaired: Bool) {
    self.key = key
    name = key.metric
    control = key.isControl ? .command : nil
    self.observations = observations
    self.isPaired = isPaired
    setAside = 0
  }

  /// The same metric's A/A control; `nil` where the base was not measured a second time.
  var ofCopy: MetricSeries? {
    guard !copies.isEmpty else { return nil }
    var series = self
    series.name += " (base again)"
    series.control = .copy
    series.isHeadline = false
    series.observations = Blocks.control(observations, copies: copies)
    series.copies = []
    series.cpu = []
    series.hasCopyArm = false
    return series
  }

  /// By how much the base differed from its own second installation, as a ratio above 1, less 1.
  private var floor: Double? { Blocks.floor(observations, copies: copies) }

  func question() throws(Unmeasurable) -> Question {
    guard isPaired else { return try unpairedQuestion() }
    do {
      var question = try Question(observations, copies: copies, hasCopyArm: hasCopyArm)
      question.isHeadline = isHeadline
      question.delta = delta
      guard question.observed != .blocks([]) else { throw Unmeasurable.noCompleteBlock(metric: name) }
      return question
    } catch let error as Unmeasurable { throw error } catch StatisticsError.notPositive(let value, let block, _) {
      throw .notPositive(metric: name, value: value, unit: key.unit, block: block)
    } catch { throw .noCompleteBlock(metric: name) }
  }

  /// Logarithms in ascending order: the rank-sum test looks at them many times, and sorting what is sorted costs little.
  private func unpairedQuestion() throws(Unmeasurable) -> Question {
    if let wrong = observations.first(where: { $0.value <= 0 || !$0.value.isFinite }) {
      throw .notPositive(metric: name, value: wrong.value, unit: key.unit, block: wrong.block)
    }
    func logarithms(_ arm: Observation.Arm) -> [Double] {
      observations.filter { $0.arm == arm }.map { log($0.value) }.sorted()
    }
    return Question(.unpaired(base: logarithms(.base), head: logarithms(.head)))
  }

  private var processorTime: ComparisonDocument.Metric.CPU? {
    // Every value is above zero: none is refused.
    guard isPaired, !cpu.isEmpty, cpu.count == observations.count,
      let question = try? Question(cpu), let estimate = DecisionRule.estimate(question)
    else { return nil }
    func median(_ arm: Observation.Arm) -> Double? { Quantile.median(cpu.filter { $0.arm == arm }.map(\.value)) }
    guard let base = median(.base), let head = median(.head) else { return nil }
    return .init(base: base, head: head, ratio: estimate.ratio, low: estimate.low, high: estimate.high)
  }

  /// What the document says of the metric; `nil` where a side has no value in a block that counts.
  func metric(_ decision: Decision) -> ComparisonDocument.Metric? {
    let counted = isPaired ? Blocks.completeBlocks(observations) : []
    func median(_ arm: Observation.Arm) -> Double? {
      Quantile.median(
        observations.filter { $0.arm == arm && (!isPaired || counted.contains($0.block)) }.map(\.value))
    }
    guard let base = median(.base), let head = median(.head) else { return nil }
    let further = decision.blocksNeeded.map { Double($0 - decision.blocks) }
    return ComparisonDocument.Metric(
      name: name, layer: key.layer, python: key.python, unit: key.unit.rawValue, base: base, head: head,
      ratio: decision.ratio, low: decision.low, high: decision.high, level: decision.level,
      verdict: decision.verdict.ofRun, proven: decision.isProven ? true : nil, blocks: decision.blocks,
      setAside: setAside, resolution: decision.resolution,
      floor: floor, control: control,
      secondsNeeded: further.flatMap { further in blockSeconds.map { $0 * further } },
      unpaired: isPaired ? nil : true, headline: isHeadline && control == nil ? true : nil, delta: delta,
      cpu: processorTime)
  }
}

/// Why a metric that has samples on both sides has no result all the same.
enum Unmeasurable: UserFacingError {
  case noCompleteBlock(metric: String)
  case notPositive(metric: String, value: Double, unit: MetricUnit, block: Int)

  var what: String {
    switch self {
    case .noCompleteBlock(let metric), .notPositive(let metric, _, _, _): "\(metric) has no result"
    }
  }
  var why: String? {
    switch self {
    case .noCompleteBlock: "no block holds both sides in full: the measurement was cut short"
    case .notPositive(_, let value, let unit, let block):
      "block \(block) holds \(value) \(unit.rawValue), of which no ratio can be made"
    }
  }
  var fix: String {
    switch self {
    case .noCompleteBlock: "see the other troubles for what stopped it, then measure again"
    case .notPositive(_, _, let unit, _):
      unit == .seconds
        ? "measure again with a longer running command, and check the clock of the machine"
        : "measure again; report it if it stays"
    }
  }
  var exitStatus: ExitStatus { .partial }
}

extension Decision.Verdict {
  var ofRun: ComparisonDocument.RunVerdict {
    switch self {
    case .regressed: .regressed
    case .improved: .improved
    case .equivalent: .equivalent
    case .undecided: .undecided
    }
  }
}
