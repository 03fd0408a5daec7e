import Statistics

/// Runs the rules on simulated comparisons, on all cores.
public struct Simulation: Sendable {
  public static let usualSeed: UInt64 = 20_260_729
  /// Real differences that are looked for: the head takes that much longer.
  public static let effects = [0.005, 0.01, 0.015, 0.02, 0.03, 0.05]
  /// The effects, and identical code, for which it is told how long a decision takes.
  public static let timedEffects = [0, 0.02, 0.05, 0.1, 0.3]
  /// The effects that the other rules are tried with too.
  public static let peerEffects = [0.02, 0.05]
  public static let familySize = 20

  public var seed: UInt64
  /// Pairs of identical code for each cell; a quarter of it for each real effect, and families.
  public var trials: Int

  public init(seed: UInt64 = usualSeed, trials: Int = 4000) {
    self.seed = seed
    self.trials = trials
  }

  var powerTrials: Int { max(1, trials / 4) }

  public func run() async -> SimulationReport {
    let pieces = self.pieces()
    let found = await withTaskGroup(of: Found.self) { group in
      for (index, piece) in pieces.enumerated() { group.addTask { Found(index: index, tallies: tally(piece)) } }
      for (index, range) in ranges(powerTrials).enumerated() {
        group.addTask { Found(index: pieces.count + index, tallies: [tallyFamilies(range)]) }
      }
      var found: [Int: [Tally]] = [:]
      for await one in group { found[one.index] = one.tallies }
      return found
    }
    var sums: [Place: [Tally]] = [:]
    for (index, piece) in pieces.enumerated() {
      let own = found[index] ?? []
      sums[piece.place] = sums[piece.place].map { zip($0, own).map { $0.adding($1) } } ?? own
    }
    let entries = places.flatMap { place in
      zip(rules(place.effect), sums[place] ?? []).map { rule, tally in
        SimulationReport.Entry(
          cell: place.cell, rule: rule, effect: place.effect, trials: tally.trials, regressed: tally.regressed,
          improved: tally.improved, equivalent: tally.equivalent, undecided: tally.undecided,
          medianRuns: tally.medianRuns)
      }
    }
    var families = Tally()
    for index in pieces.count..<found.count { for tally in found[index] ?? [] { families.add(tally) } }
    let speeds = await speeds()
    return SimulationReport(
      seed: seed, alpha: Rule.alpha, delta: Rule.delta, blocks: Trial.blocks, entries: entries,
      families: .init(
        cell: .drift, metrics: Self.familySize, alarms: Share(families.regressed, of: families.trials)),
      speeds: speeds)
  }

  private struct Place: Hashable {
    var cell: NoiseCell
    var effect: Double
  }

  /// What one task gives back.
  private struct Found {
    var index: Int
    var tallies: [Tally]
  }

  /// Some trials of one cell at one effect: what one task does.
  private struct Piece {
    var place: Place
    var numbers: Range<Int>
  }

  private var places: [Place] {
    NoiseCell.allCases.flatMap { cell in ([0] + Self.effects).map { Place(cell: cell, effect: $0) } }
  }

  private func pieces() -> [Piece] {
    places.flatMap { place in
      ranges(place.effect == 0 ? trials : powerTrials).map { Piece(place: place, numbers: $0) }
    }
  }

  private func ranges(_ count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: 250).map { $0..<min($0 + 250, count) }
  }

  private func rules(_ effect: Double) -> [Rule] {
    effect == 0 || Self.peerEffects.contains(effect) ? Rule.allCases : [.shipped]
  }

  /// One tally a rule.
  private func tally(_ piece: Piece) -> [Tally] {
    let rules = self.rules(piece.place.effect)
    var tallies = rules.map { _ in Tally() }
    for number in piece.numbers {
      let trial = Trial(piece.place.cell, effect: piece.place.effect, number: number, seed: seed)
      let ratios = trial.blockRatios()
      for (index, rule) in rules.enumerated() { tallies[index].add(rule.judge(trial, ratios: ratios)) }
    }
    return tallies
  }

  /// Families of identical metrics, each with a machine of its own, which gives more room for a false alarm than one
  /// machine for all. A family with an alarm counts as `regressed`.
  private func tallyFamilies(_ numbers: Range<Int>) -> Tally {
    let rule = DecisionRule(alpha: Rule.alpha, delta: Rule.delta)
    var tally = Tally()
    for number in numbers {
      let family = family(.drift, effect: 0, number: number).enumerated().map { metric, trial in
        // A quarter of the metrics matters most.
        Question(.blocks(trial.contrasts()), isHeadline: metric < Self.familySize / 4)
      }
      let hasAlarm = rule.replay(family).contains { $0?.verdict == .regressed || $0?.verdict == .improved }
      tally.add(Rule.Outcome(verdict: hasAlarm ? .regressed : .equivalent, runs: Trial.runsPerSide))
    }
    return tally
  }
}

extension Simulation {
  /// One metric with the effect, and others of identical code.
  fileprivate func family(
    _ cell: NoiseCell, effect: Double, number: Int, metrics: Int = Simulation.familySize
  ) -> [Trial] {
    (0..<metrics).map { metric in
      // Numbers that no trial of a single metric has.
      Trial(
        cell, effect: metric == 0 ? effect : 0, number: 1_000_000 + number * Self.familySize + metric, seed: seed)
    }
  }

  /// How long decisions take, by the rule of now and the former one.
  func speeds() async -> [SimulationReport.Speed] {
    let places = NoiseCell.allCases.flatMap { cell in
      Self.timedEffects.flatMap { effect in [1, Self.familySize].map { (cell, effect, $0) } }
    }
    return await withTaskGroup(of: (Int, [SimulationReport.Speed]).self) { group in
      for (index, place) in places.enumerated() {
        group.addTask { (index, speeds(place.0, place.1, place.2)) }
      }
      var found: [Int: [SimulationReport.Speed]] = [:]
      for await (index, some) in group { found[index] = some }
      return places.indices.flatMap { found[$0] ?? [] }
    }
  }

  private func speeds(_ cell: NoiseCell, _ effect: Double, _ metrics: Int) -> [SimulationReport.Speed] {
    var tallies = [Rule.shipped: Tally(), .former: Tally()]
    let rule = DecisionRule(alpha: Rule.alpha, delta: Rule.delta)
    for number in 0..<max(1, trials / 8) {
      let family = family(cell, effect: effect, number: number, metrics: metrics)
      let now = rule.replay(family.map { Question(.blocks($0.contrasts())) })[0]
      tallies[.shipped]?.add(Rule.outcome(now))
      tallies[.former]?.add(Rule.outcome(FormerRule.replay(family.map { $0.blockRatios() })[0]))
    }
    return [Rule.shipped, .former].compactMap { rule in
      tallies[rule].map { tally in
        SimulationReport.Speed(
          cell: cell, rule: rule, effect: effect, metrics: metrics, medianRuns: 2 * tally.medianRuns,
          right: Share(effect == 0 ? tally.equivalent : tally.regressed, of: tally.trials),
          wrong: Share(
            effect == 0 ? tally.regressed + tally.improved : tally.equivalent + tally.improved, of: tally.trials))
      }
    }
  }
}

extension Tally {
  func adding(_ other: Tally) -> Tally {
    var sum = self
    sum.add(other)
    return sum
  }
}
