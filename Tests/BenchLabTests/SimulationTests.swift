import Statistics
import Testing

@testable import Calibration

@Suite("Simulation: the same seed gives the same numbers, and they add up")
struct SimulationTests {
  @Test("two runs agree in every number, another seed does not")
  func reproducible() async {
    let one = await Simulation(seed: 3, trials: 40).run()
    #expect(await Simulation(seed: 3, trials: 40).run() == one)
    #expect(await Simulation(seed: 4, trials: 40).run().entries != one.entries)
    for entry in one.entries {
      #expect(entry.regressed + entry.improved + entry.equivalent + entry.undecided == entry.trials)
      #expect(entry.trials == (entry.effect == 0 ? 40 : 10))
      #expect(entry.medianRuns > 0 && entry.medianRuns <= 60)
    }
    let places = NoiseCell.allCases.count
    #expect(one.entries.count == places * (3 * Rule.allCases.count + 4))
    #expect(one.families.alarms.trials == 10)
  }

  @Test("a rule's verdicts turn round with the sides")
  func mirrored() {
    let trial = Trial(.independent, effect: 0.2, number: 1, seed: 1)
    for rule in Rule.allCases { #expect(rule.judge(trial).verdict == .regressed, "\(rule.name)") }
    let faster = Trial(.independent, effect: -0.2, number: 1, seed: 1)
    for rule in Rule.allCases { #expect(rule.judge(faster).verdict == .improved, "\(rule.name)") }
  }

  @Test("our rule keeps its promise; runs one side after the other on a drifting machine break that of a t-test")
  func promise() {
    var tallies = [Rule.shipped: Tally(), .hyperfine: Tally(), .fixedInterval: Tally()]
    for number in 0..<400 {
      let trial = Trial(.drift, effect: 0, number: number, seed: 8)
      for rule in tallies.keys { tallies[rule]?.add(rule.judge(trial)) }
    }
    func alarms(_ rule: Rule) -> Int { tallies[rule].map { $0.regressed + $0.improved } ?? -1 }
    #expect(alarms(.shipped) <= 8 && alarms(.fixedInterval) <= 12 && alarms(.hyperfine) > 100)
  }

  @Test("tallies add up in any order, and the median is one of the numbers")
  func tally() {
    var (one, two) = (Tally(), Tally())
    one.add(.init(verdict: .equivalent, runs: 20))
    one.add(.init(verdict: .undecided, runs: 60))
    two.add(.init(verdict: .regressed, runs: 12))
    #expect(one.adding(two) == two.adding(one))
    let sum = one.adding(two)
    #expect(sum.trials == 3 && sum.medianRuns == 20 && sum.undecided == 1 && sum.regressed == 1)
  }
}
