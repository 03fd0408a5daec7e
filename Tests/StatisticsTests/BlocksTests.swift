import Testing

@testable import Statistics

@Suite("Blocks: one number from each")
struct BlocksTests {
  private func block(_ number: Int, base: [Double], head: [Double]) -> [Observation] {
    base.map { Observation(block: number, arm: .base, value: $0) }
      + head.map { Observation(block: number, arm: .head, value: $0) }
  }

  @Test("a block's log-ratio is the mean log of the head minus the mean log of the base")
  func ratio() throws {
    let ratios = try Blocks.contrasts(block(7, base: [1, 4], head: [2, 8]))
    let only = try #require(ratios.first)
    #expect(ratios.count == 1 && only.block == 7)
    #expect(abs(only.logRatio - 0.6931471805599453) < 1e-15)
  }

  @Test("slow drift that hits both sides of a block alike leaves no trace")
  func drift() throws {
    let observations = (0..<10).flatMap { number in
      let slowdown = 1 + Double(number) / 3
      return block(number, base: [slowdown, slowdown], head: [0.9 * slowdown, 0.9 * slowdown])
    }
    for ratio in try Blocks.contrasts(observations) { #expect(abs(ratio.logRatio - -0.10536051565782628) < 1e-12) }
  }

  @Test("a block that was cut short is left out, and the others keep their order")
  func incomplete() throws {
    let observations =
      block(2, base: [1, 1], head: [1, 1]) + block(0, base: [1, 1], head: [1]) + block(1, base: [1, 1], head: [1, 1])
      + block(3, base: [1], head: [1]) + block(4, base: [], head: [1, 1])
    #expect(try Blocks.contrasts(observations).map(\.block) == [1, 2])
    #expect(try Blocks.contrasts([]).isEmpty)
  }

  @Test("with places, a block knows what the same values would have said in each order that was as likely")
  func orders() throws {
    let logs = [0.10, 0.12, 0.13, 0.09]
    let arms: [Observation.Arm] = [.base, .head, .head, .base]
    let observations = zip(arms, logs).enumerated().map { place, run in
      Observation(block: 0, arm: run.0, value: exponential(run.1), place: place)
    }
    let block = try #require(try Blocks.contrasts(observations.shuffled()).first)
    #expect(block.orders.count == 6 && abs(block.logRatio - 0.03) < 1e-12)
    let shares = block.orders.map(\.share).sorted()
    #expect(shares == [-1, 0, 0, 0, 0, 1] && block.orders[0].share == 1)
    // B B A A, A A B B: (0.13 + 0.09 - 0.10 - 0.12) / 2 is 0.
    #expect(block.orders.map { ($0.contrast * 1e6).rounded() / 1e6 }.sorted() == [-0.03, -0.01, 0, 0, 0.01, 0.03])
    let unknown = try #require(
      try Blocks.contrasts(observations.map { Observation(block: 0, arm: $0.arm, value: $0.value) }).first)
    #expect(unknown.orders.count == 2 && abs(unknown.logRatio - block.logRatio) < 1e-12)
  }

  @Test(
    "a value that has no logarithm is named with its block and side",
    arguments: [0, -1, Double.infinity])
  func notPositive(value: Double) {
    #expect(throws: StatisticsError.notPositive(value: value, block: 3, arm: .head)) {
      try Blocks.contrasts(block(3, base: [1], head: [value]))
    }
  }

  @Test("not-a-number is refused, in an incomplete block too")
  func notANumber() {
    #expect(throws: StatisticsError.self) { try Blocks.contrasts(block(0, base: [.nan], head: [])) }
  }
}

@Suite("Quantiles")
struct QuantileTests {
  @Test(
    "quantiles are those of NumPy's default", arguments: [(0.0, 1.0), (0.05, 1.15), (0.5, 2.5), (0.9, 7.9), (1, 10)])
  func known(fraction: Double, expected: Double) throws {
    let value = try #require(Quantile.of([10, 1, 3, 2], fraction))
    #expect(abs(value - expected) < 1e-12)
  }

  @Test("median, mean and deviation of few values")
  func few() throws {
    #expect(Quantile.median([]) == nil && Quantile.mean([]) == nil)
    #expect(Quantile.median([3]) == 3 && Quantile.standardDeviation([3]) == nil)
    #expect(Quantile.median([3, 1, 2]) == 2)
    let deviation = try #require(Quantile.standardDeviation([2, 4, 4, 4, 5, 5, 7, 9]))
    #expect(abs(deviation - 2.138089935299395) < 1e-12)
  }
}

@Suite("The floor: by how much identical code differed in this run")
struct FloorTests {
  private func values(_ block: Int, _ arm: Observation.Arm, _ values: [Double]) -> [Observation] {
    values.map { Observation(block: block, arm: arm, value: $0) }
  }

  @Test("it is how far the base lay from its own second installation, in the blocks that hold both")
  func floor() throws {
    let sides = (0..<6).flatMap { values($0, .base, [1, 1]) + values($0, .head, [2, 2]) }
    let copies = [1, 4].flatMap { values($0, .head, [0.9, 0.9]) }
    let question = try Question(sides, copies: copies)
    #expect(abs(question.floor - (1 / 0.9 - 1)) < 1e-12)
    #expect(question.observed == (try Question(sides)).observed, "the copies are no evidence about the head")
    #expect(try Question(sides).floor == 0)
    #expect(Blocks.floor(sides, copies: copies) == question.floor)
    #expect(Blocks.control(sides, copies: copies).count == 8)
  }

  @Test("one block, or a value without a logarithm, is no floor")
  func none() {
    let sides = (0..<3).flatMap { values($0, .base, [1, 1]) + values($0, .head, [1, 1]) }
    #expect(Blocks.floor(sides, copies: values(1, .head, [1, 1])) == nil)
    #expect(Blocks.floor(sides, copies: values(1, .head, [1, 0]) + values(2, .head, [1, 1])) == nil)
    #expect(Blocks.floor(sides, copies: []) == nil)
  }
}
