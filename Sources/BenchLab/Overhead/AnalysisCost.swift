import Calibration
import Statistics

/// What it costs to decide a comparison: from samples to verdicts, without reading files.
struct AnalysisCost {
  static let metrics = 40
  static let blocks = 200
  /// The same with more blocks for each metric, to see how the cost grows.
  static let growth = [1, 2, 4]

  /// Median seconds of a decision with 200, 400 and 800 blocks a metric.
  let seconds: [Double]

  /// - Parameter rounds: How often each size is decided, the sizes in turns.
  init(rounds: Int = 5) {
    let families = Self.growth.map { factor in (0..<Self.metrics).map { Self.samples($0, blocks: Self.blocks * factor) }
    }
    let rule = DecisionRule(alpha: 0.01, delta: 0.02)
    var times = families.map { _ in [Double]() }
    for round in -1..<rounds {
      for (index, family) in families.enumerated() {
        let start = ContinuousClock.now
        let questions = family.map { samples in
          // Samples of a simulation are above zero.
          Question(.blocks((try? Blocks.contrasts(samples)) ?? []))
        }
        let decided = rule.judge(questions).count { $0 != nil }
        precondition(decided == Self.metrics, "every metric has blocks")
        if round >= 0 { times[index].append((ContinuousClock.now - start).inSeconds) }
      }
    }
    seconds = times.map { Quantile.median($0) ?? .nan }
  }

  /// Time ratio over sample ratio from each size to the next: 1 where the cost grows in line with the samples.
  var growthFactors: [Double] {
    zip(zip(seconds, seconds.dropFirst()), zip(Self.growth, Self.growth.dropFirst())).map { times, sizes in
      times.1 / times.0 / (Double(sizes.1) / Double(sizes.0))
    }
  }

  /// Two runs a side and block on a drifting machine, every third metric of a slower head.
  private static func samples(_ metric: Int, blocks: Int) -> [Observation] {
    var random = SeededStream(seed: 1, UInt64(metric), UInt64(blocks))
    let effect = metric.isMultiple(of: 3) ? 0.03 : 0
    return NoiseCell.drift.series(4 * blocks, &random).enumerated().map { run, noise in
      let isHead = run % 4 == 1 || run % 4 == 2
      return Observation(
        block: run / 4, arm: isHead ? .head : .base,
        value: DecisionRule.change(ofLogRatio: noise + (isHead ? effect : 0)) + 1)
    }
  }
}
