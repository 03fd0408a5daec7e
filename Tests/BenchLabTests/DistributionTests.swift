import Foundation
import Testing

@testable import Calibration

/// Expected numbers are SciPy 1.17's, where no other source is named.
@Suite("Distributions and tests of other tools")
struct DistributionTests {
  private let first = [27.5, 21, 19, 23.6, 17, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19, 21.7, 21.4]
  private let second = [27.1, 22, 20.8, 23.4, 23.4, 23.5, 25.8, 22, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 24.4]

  @Test(
    "incomplete beta",
    arguments: [
      (0.3, 2.5, 0.5, 0.018927124071945658), (0.01, 0.5, 59, 0.7228331230266775),
      (0.01, 30, 4000, 0.9613513776277808), (0, 1, 1, 0), (1, 1, 1, 1), (0.25, 1, 1, 0.25),
    ])
  func beta(_ x: Double, _ a: Double, _ b: Double, _ expected: Double) {
    #expect(abs(IncompleteBeta.regularised(x, a, b) - expected) < 1e-12)
  }

  @Test(
    "Student's t",
    arguments: [
      (2.228, 10, 0.05001177181711132), (1.984, 118, 0.04957722562173677), (12.706, 1, 0.05000080235813319),
      (-0.5, 3.7, 0.6453356333199318), (0, 5, 1),
    ])
  func student(_ t: Double, _ freedom: Double, _ expected: Double) {
    #expect(abs(IncompleteBeta.studentPValue(t, degreesOfFreedom: freedom) - expected) < 1e-12)
  }

  @Test("Welch's t, pooled t and U on a published example")
  func tests() {
    #expect(abs(TwoSampleTests.welch(first, second) - 0.008071938172194903) < 1e-12)
    #expect(abs(TwoSampleTests.pooledT(first, second) + 2.8529548701715215) < 1e-12)
    #expect(abs(TwoSampleTests.mannWhitney(first, second) - 0.005788641486744119) < 1e-12)
    #expect(TwoSampleTests.mannWhitney(second, first) == TwoSampleTests.mannWhitney(first, second))
  }

  @Test("U without ties, with SciPy's correction and with asv's formula")
  func rankSum() {
    let lower = (1...30).map(Double.init)
    let upper = lower.map { $0 + 6.5 }
    #expect(abs(TwoSampleTests.mannWhitney(lower, upper) - 0.010314672402337998) < 1e-12)
    #expect(abs(TwoSampleTests.mannWhitneyOfASV(lower, upper) - 0.01009698661285166) < 1e-12)
    #expect(abs(TwoSampleTests.mannWhitneyOfASV(upper, lower) - 0.01009698661285166) < 1e-12)
  }

  @Test("samples that say nothing")
  func nothing() {
    let same = [Double](repeating: 3, count: 30)
    #expect(TwoSampleTests.welch(same, same) == 1)
    #expect(TwoSampleTests.pooledT(same, same) == 0)
    #expect(TwoSampleTests.mannWhitney(same, same) == 1)
    #expect(TwoSampleTests.mannWhitneyOfASV(same, same) == 1)
  }

  @Test(
    "interval of Clopper and Pearson",
    arguments: [
      (0, 4000, 0, 0.0009217947496064361), (12, 4000, 0.0015510748538565232, 0.005234526285947699),
      (40, 4000, 0.007153487302440669, 0.01359250478102977), (4000, 4000, 0.9990782052503936, 1),
      (3, 10, 0.06673951117773447, 0.652452850060008),
    ])
  func interval(_ count: Int, _ trials: Int, _ low: Double, _ high: Double) {
    let share = Share(count, of: trials)
    #expect(abs(share.low - low) < 1e-9 && abs(share.high - high) < 1e-9)
  }
}
