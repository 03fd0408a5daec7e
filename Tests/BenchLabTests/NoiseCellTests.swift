import Foundation
import Statistics
import Testing

@testable import Calibration

@Suite("Noise: each kind is what it is said to be")
struct NoiseCellTests {
  private func series(_ cell: NoiseCell, _ count: Int, label: UInt64 = 0) -> [Double] {
    var random = SeededStream(seed: 5, label)
    return cell.series(count, &random)
  }

  /// Correlation of values `lag` apart.
  private func correlation(_ values: [Double], lag: Int) -> Double {
    let mean = Quantile.mean(values) ?? 0
    let products = zip(values, values.dropFirst(lag)).map { ($0 - mean) * ($1 - mean) }
    let squares = values.map { ($0 - mean) * ($0 - mean) }
    return products.reduce(0, +) / squares.reduce(0, +)
  }

  private func variance(_ values: [Double]) -> Double {
    let deviation = Quantile.standardDeviation(values) ?? 0
    return deviation * deviation
  }

  @Test("the generator gives what Vigna's reference code gives")
  func generator() {
    // prng.di.unimi.it/splitmix64.c with the state 1234567.
    var random = SeededStream(state: 1_234_567)
    #expect(random.next() == 6_457_827_717_110_365_317)
    #expect(random.next() == 3_203_168_211_198_807_973)
  }

  @Test("neighbouring labels give unrelated streams, equal ones the same")
  func streams() {
    var (one, two, again) = (
      SeededStream(seed: 1, 2, 3), SeededStream(seed: 1, 2, 4), SeededStream(seed: 1, 2, 3)
    )
    let values = (0..<2000).map { _ in (one.normal(), two.normal(), again.normal()) }
    #expect(values.allSatisfy { $0.0 == $0.2 })
    #expect(abs(values.map { $0.0 * $0.1 }.reduce(0, +) / 2000) < 0.1)
    #expect(abs(variance(values.map(\.0)) - 1) < 0.1)
  }

  @Test("independent: 1 % a run, no memory")
  func independent() {
    let values = series(.independent, 50_000)
    #expect(abs(variance(values) / 1e-4 - 1) < 0.03)
    #expect(abs(correlation(values, lag: 1)) < 0.02)
  }

  @Test("drift: variances add up, and the memory is 0.98 a run")
  func drift() {
    let values = series(.drift, 400_000)
    // 1 %² + 1.5 %²
    #expect(abs(variance(values) / 3.25e-4 - 1) < 0.06)
    // The share of the wandering in the variance, times 0.98 a lag.
    let share = 2.25 / 3.25
    #expect(abs(correlation(values, lag: 1) - share * 0.98) < 0.03)
    #expect(abs(correlation(values, lag: 20) / correlation(values, lag: 1) - pow(0.98, 19)) < 0.04)
  }

  @Test("drift is as strong at the first run as later")
  func stationary() {
    let first = (0..<4000).map { series(.drift, 1, label: UInt64($0)).first ?? 0 }
    #expect(abs(variance(first) / 3.25e-4 - 1) < 0.1)
  }

  @Test("step and tails: 3 % of the runs are lengthened, by 10 % in the mean")
  func tails() {
    let pairs = (0..<400).map {
      (series(.drift, 120, label: UInt64($0)), series(.stepAndTails, 120, label: UInt64($0)))
    }
    // The tail adds 3 % × E[log(1 + X)] ≈ 0.03 × 0.0916 to the mean; steps and drift have the mean 0.
    let mean = Quantile.mean(pairs.flatMap(\.1)) ?? 0
    #expect(abs(mean - 0.00275) < 0.0025)
    let long = pairs.flatMap(\.1).count { $0 > 0.11 }
    // P(X > 0.12) ≈ 0.3 of the 3 %.
    #expect(long > 200 && long < 800)
  }

  @Test("position: every place in a group of four costs more by the same")
  func position() {
    for (cell, cost) in [(NoiseCell.position010, 0.001), (.position025, 0.0025), (.position050, 0.005)] {
      let (with, without) = (series(cell, 8, label: 9), series(.drift, 8, label: 9))
      for (run, pair) in zip(with, without).enumerated() {
        #expect(abs(pair.0 - pair.1 - Double(run % 4) * cost) < 1e-12)
      }
    }
  }

  @Test("quantised: every time is a whole number of ticks, above zero")
  func quantised() {
    let trial = Trial(.quantised, effect: 0.02, number: 3, seed: 1)
    let (base, head) = trial.sides(Array(repeating: .base, count: 60) + Array(repeating: .head, count: 60))
    #expect(base.count == 60 && head.count == 60)
    for time in base + head {
      #expect(time > 0 && abs(time * 100 - (time * 100).rounded()) < 1e-9)
    }
    #expect(Set(base).count < 25)
  }

  @Test("bimodal: three of ten runs take 5 % longer")
  func bimodal() {
    let values = series(.bimodal5, 50_000)
    #expect(abs((Quantile.mean(values) ?? 0) - 0.3 * log(1.05)) < 0.0005)
    #expect(abs(variance(values) / (1e-4 + 0.21 * pow(log(1.05), 2)) - 1) < 0.03)
    #expect(abs(correlation(values, lag: 1)) < 0.02)
  }

  @Test("the effect is a factor of every run of the head, on the same machine")
  func effect() {
    let (same, slower) = (
      Trial(.drift, effect: 0, number: 1, seed: 1), Trial(.drift, effect: 0.03, number: 1, seed: 1)
    )
    let order: [Observation.Arm] = (0..<120).map { $0.isMultiple(of: 3) ? .head : .base }
    for (arm, pair) in zip(order, zip(same.times(order), slower.times(order))) {
      #expect(abs(pair.1 / pair.0 - (arm == .head ? 1.03 : 1)) < 1e-12)
    }
    #expect(same.blockRatios().count == 30 && same.contrasts().count == 30)
    #expect(
      zip(same.contrasts(), slower.contrasts()).allSatisfy { abs($1.logRatio - $0.logRatio - log(1.03)) < 1e-12 })
    #expect(zip(same.blockRatios(), slower.blockRatios()).allSatisfy { abs($1 - $0 - log(1.03)) < 1e-12 })
  }

  @Test("the coin is fair, and another one for each trial")
  func coin() {
    let coins = (0..<400).flatMap { Trial(.drift, effect: 0, number: $0, seed: 1).headFirst }
    #expect(abs(Double(coins.count { $0 }) / 12_000 - 0.5) < 0.02)
  }
}
