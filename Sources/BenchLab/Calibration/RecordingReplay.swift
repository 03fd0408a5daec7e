import Calibration
import Foundation
import Shared
import Statistics

/// Decides comparisons that are made of recordings: orders are drawn, a difference is multiplied in, and each rule looks after every block.
struct RecordingReplay {
  /// How a block's order is drawn.
  enum Design: String, CaseIterable, Codable, Sendable {
    case former = "one coin"
    case six = "six orders"
    case twenty = "twenty orders"

    var runsPerBlock: Int { self == .twenty ? 6 : 4 }
  }

  /// What became of one difference under one design.
  struct Entry: Codable, Sendable {
    var design: Design
    var effect: Double
    var metrics: Int
    var trials: Int
    /// Decided rightly within the series, as a share.
    var right: Double
    /// Identical code called different, or a difference called none or the wrong way round.
    var wrong: Double
    /// Of both sides until the right verdict, median.
    var medianRuns: Int?
    /// How wide the 95 % interval of an open row is after twelve runs a side, median.
    var width: Double?
  }

  /// What the control `python -c pass` of the same places says of a command: how much of the variance of a block's contrast it explains.
  struct ControlVariate: Codable, Sendable {
    var metric: String
    var explained: Double
  }

  static let effects = [0, 0.02, 0.05, 0.10, 0.25]
  static let drawsPerSeries = 20
  let recordings: Recordings
  let seed: UInt64

  func run() async -> [Entry] {
    let places = Design.allCases.flatMap { design in
      Self.effects.flatMap { effect in [1, Simulation.familySize].map { (design, effect, $0) } }
    }
    return await withTaskGroup(of: (Int, Entry).self) { group in
      for (index, place) in places.enumerated() {
        group.addTask { (index, entry(place.0, effect: place.1, metrics: place.2)) }
      }
      var found: [Int: Entry] = [:]
      for await (index, one) in group { found[index] = one }
      return places.indices.compactMap { found[$0] }
    }
  }

  private func entry(_ design: Design, effect: Double, metrics: Int) -> Entry {
    var runs: [Int] = []
    var widths: [Double] = []
    var (right, wrong, trials) = (0, 0, 0)
    for (place, series) in recordings.series.enumerated() {
      for draw in 0..<Self.drawsPerSeries {
        var random = SeededStream(seed: seed, 7, UInt64(place), UInt64(draw))
        let observations = imposed(design, on: series.logs, effect: effect, &random)
        guard let stop = stop(design, observations, metrics: metrics) else {
          trials += 1
          continue
        }
        trials += 1
        let isRight = stop.verdict == (effect == 0 ? .equivalent : .regressed)
        if isRight { right += 1 } else { wrong += 1 }
        if isRight { runs.append(stop.blocks * design.runsPerBlock) }
      }
      // A series whose first runs give no interval has no width.
      if design != .former, metrics == 1, effect == 0 {
        var random = SeededStream(seed: seed, 8, UInt64(place), 0)
        let first = imposed(design, on: Array(series.logs.prefix(24)), effect: effect, &random)
        if let blocks = try? Blocks.contrasts(first), let estimate = DecisionRule.estimate(Question(.blocks(blocks))),
          let low = estimate.low, let high = estimate.high
        {
          widths.append(high - low)
        }
      }
    }
    return Entry(
      design: design, effect: effect, metrics: metrics, trials: trials, right: Double(right) / Double(max(1, trials)),
      wrong: Double(wrong) / Double(max(1, trials)), medianRuns: Quantile.median(runs.map(Double.init)).map { Int($0) },
      width: Quantile.median(widths))
  }

  private func imposed(
    _ design: Design, on logs: [Double], effect: Double, _ random: inout SeededStream
  ) -> [Observation] {
    let size = design.runsPerBlock
    return (0..<(logs.count / size)).flatMap { block -> [Observation] in
      let isHead: [Bool]
      switch design {
      case .former:
        let first = Bool.random(using: &random)
        isHead = [first, !first, !first, first]
      case .six, .twenty:
        isHead = (0..<size).map { $0 < size / 2 }.shuffled(using: &random)
      }
      return isHead.enumerated().map { place, isHead in
        Observation(
          block: block, arm: isHead ? .head : .base,
          value: exp(logs[block * size + place] + (isHead ? log(1 + effect) : 0)),
          place: design == .former ? nil : place)
      }
    }
  }

  private func stop(
    _ design: Design, _ observations: [Observation], metrics: Int
  ) -> (blocks: Int, verdict: Decision.Verdict)? {
    // Times are exponentials, above zero: no value is refused.
    guard let blocks = try? Blocks.contrasts(observations) else { return nil }
    if design == .former {
      return FormerRule.replay([blocks.map(\.logRatio)] + Array(repeating: [], count: metrics - 1))[0]
    }
    // The others are open: Holm's first share.
    let others = Array(repeating: Question(.blocks([])), count: metrics - 1)
    return DecisionRule(alpha: Rule.alpha, delta: Rule.delta).replay([Question(.blocks(blocks))] + others)[0]
  }

  /// With the best weight there is, chosen with hindsight: what could be won at most.
  func controlVariates() -> [ControlVariate] {
    guard let control = recordings.series.first(where: { $0.metric == "python -c pass" }) else { return [] }
    return recordings.series.filter { $0.layer == .startup && $0.metric != control.metric }.compactMap { series in
      guard series.logs.count == control.logs.count else { return nil }
      var random = SeededStream(seed: seed, 9, 0, 0)
      var same = random
      func contrasts(_ logs: [Double], _ random: inout SeededStream) -> [Double] {
        // No value is refused.
        ((try? Blocks.contrasts(imposed(.six, on: logs, effect: 0, &random))) ?? []).map(\.logRatio)
      }
      let (mine, theirs) = (contrasts(series.logs, &random), contrasts(control.logs, &same))
      let products = zip(mine, theirs).reduce(0) { $0 + $1.0 * $1.1 }
      let squares = mine.reduce(0) { $0 + $1 * $1 } * theirs.reduce(0) { $0 + $1 * $1 }
      return ControlVariate(metric: series.metric, explained: squares > 0 ? products * products / squares : 0)
    }
  }
}
