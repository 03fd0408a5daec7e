import Shared
import Statistics

/// Passes events on, and keeps the samples among them for the rule that decides when to stop.
final class SampleAccumulator: EventSink {
  private let next: any EventSink
  private var observations: [String: [Observation]] = [:]
  private var copies: [String: [Observation]] = [:]
  /// Metrics that are there to stand still.
  private var controls: Set<String> = []
  private let headline: Set<String>
  private let deltas: [MetricDelta]
  private let hasCopyArm: Bool
  private var layers: [String: LayerName] = [:]
  /// What the block in progress has brought.
  private var pending: [Sample] = []

  /// - Parameters:
  ///   - stopping: Which metrics matter most, and what counts of each.
  ///   - hasCopyArm: Whether the base is measured a second time.
  init(_ next: any EventSink, stopping: StoppingPlan?, hasCopyArm: Bool) {
    self.next = next
    self.hasCopyArm = hasCopyArm
    headline = Set(stopping?.headline ?? [])
    deltas = stopping?.deltas ?? []
  }

  func emit(_ event: JobEvent) throws {
    if case .sample(let sample) = event { pending.append(sample) }
    try next.emit(event)
  }

  /// Takes in what the block brought, or drops it when the block does not count.
  /// - Returns: the metrics that were measured in it.
  func endBlock(counts: Bool, design: BlockDesign?) -> [String] {
    defer { pending.removeAll(keepingCapacity: true) }
    let measured = Set(pending.map(\.metric)).sorted()
    guard counts else { return measured }
    for sample in pending {
      let isCopy = sample.isCopy == true
      if sample.isControl { controls.insert(sample.metric) }
      layers[sample.metric] = sample.layer
      let value = Observation(
        block: sample.block, arm: sample.side == .base ? .base : .head, value: sample.value,
        place: design == .balanced ? sample.position : nil)
      if isCopy {
        copies[sample.metric, default: []].append(value)
      } else {
        observations[sample.metric, default: []].append(value)
      }
    }
    return measured
  }

  /// Takes in blocks that were measured before and told of then.
  func restore(_ blocks: [EarlierBlock]) {
    for block in blocks {
      pending = block.content.samples
      _ = endBlock(counts: block.finished.disturbance == nil, design: block.finished.design)
    }
  }

  /// The metrics of a comparison that were measured.
  var metrics: [String] { observations.keys.filter { !controls.contains($0) }.sorted() }

  /// What is known of a metric.
  func question(_ metric: String) -> Question {
    let values = observations[metric] ?? []
    // Without blocks where a value has no logarithm: the comparison says so at the end, and the budget is not spent on it.
    var question =
      (try? Question(values, copies: copies[metric] ?? [], hasCopyArm: hasCopyArm)) ?? Question(.blocks([]))
    question.isHeadline = headline.contains(metric)
    question.delta = deltas.delta(of: metric, in: layers[metric])
    return question
  }
}
