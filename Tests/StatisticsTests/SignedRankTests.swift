import Testing

@testable import Statistics

@Suite("Signed ranks: estimate and interval")
struct SignedRankTests {
  private let sample = [0.12, -0.03, 0.08, 0.21, 0.05, -0.11, 0.17, 0.02, 0.09, 0.14]

  @Test("the null distribution is the one in the tables")
  func distribution() {
    // Ways to pick ranks of 1…10 with a sum up to k, over 1024.
    let ten = SignedRank.cumulativeProbabilities(count: 10)
    #expect(ten.prefix(9).map { $0 * 1024 } == [1, 2, 3, 5, 7, 10, 14, 19, 25])
    // Critical values of the two-sided test in every table: n = 25 at 5 % is 89; n = 50 is 434 at 5 % and 373 at 1 %.
    #expect(SignedRank.cumulativeProbabilities(count: 25).lastIndex { $0 <= 0.025 } == 89)
    #expect(SignedRank.cumulativeProbabilities(count: 50).lastIndex { $0 <= 0.025 } == 434)
    #expect(SignedRank.cumulativeProbabilities(count: 50).lastIndex { $0 <= 0.005 } == 373)
    #expect(SignedRank.cumulativeProbabilities(count: 60).lastIndex { $0 <= 0.0005 } == 476)
  }

  @Test(
    "intervals are those of an independent calculation",
    arguments: [(0.95, 0.005, 0.145), (0.99, -0.03, 0.17), (0.998, -0.11, 0.21)])
  func intervals(level: Double, low: Double, high: Double) throws {
    let interval = try #require(SignedRank.interval(sample, level: level))
    #expect(abs(interval.lowerBound - low) < 1e-12)
    #expect(abs(interval.upperBound - high) < 1e-12)
  }

  @Test("the estimate is the median of pairwise means, and one wild value hardly moves it")
  func estimate() throws {
    #expect(abs(try #require(SignedRank.hodgesLehmann(sample)) - 0.08) < 1e-12)
    let wild = try #require(SignedRank.hodgesLehmann(sample + [1000]))
    #expect(wild > 0.08 && wild < 0.12)
    #expect(SignedRank.hodgesLehmann([]) == nil)
    #expect(SignedRank.hodgesLehmann([4]) == 4)
  }

  @Test("too few values for a level give no interval, and the least number that does is said", arguments: 1...20)
  func tooFew(count: Int) {
    let values = (0..<count).map(Double.init)
    for level in [0.9, 0.95, 0.99, 0.999, 1 - 0.01 / 13] {
      #expect((SignedRank.interval(values, level: level) != nil) == (count >= SignedRank.leastCount(level: level)))
    }
  }

  @Test("the least number of values follows from powers of two")
  func least() {
    #expect(SignedRank.leastCount(level: 0.5) == 2)
    #expect(SignedRank.leastCount(level: 0.95) == 6)
    #expect(SignedRank.leastCount(level: 0.99) == 8)
    #expect(SignedRank.leastCount(level: 1) == .max)
  }

  @Test("where the normal law takes over from counting, nothing jumps")
  func seam() throws {
    var random = SeededNoise(seed: 5)
    let values = (0..<61).map { _ in random.normal() }
    let exact = try #require(SignedRank.interval(Array(values.prefix(60)), level: 0.99))
    let normal = try #require(SignedRank.interval(values, level: 0.99))
    #expect(abs(exact.lowerBound - normal.lowerBound) < 0.1)
    #expect(abs(exact.upperBound - normal.upperBound) < 0.1)
  }

  @Test("normal quantiles are right into the tails")
  func normalQuantiles() {
    for (probability, z) in [(0.5, 0.0), (0.025, -1.959963985), (0.995, 2.575829304), (1e-6, -4.753424309)] {
      #expect(abs(Normal.quantile(probability) - z) < 1e-8)
    }
    #expect(Normal.quantile(0) == -.infinity && Normal.quantile(1) == .infinity)
  }
}
