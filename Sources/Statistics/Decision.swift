/// What the samples of one metric say about head against base. Below 1 is less: faster, when the values are times.
public struct Decision: Equatable, Sendable {
  public enum Verdict: String, Sendable {
    /// More than the base.
    case regressed
    /// Less than the base.
    case improved
    /// Any difference is smaller than what counts.
    case equivalent
    /// The samples do not say.
    case undecided
  }
  public var verdict: Verdict
  /// Whether a difference of any size is proven, at the metric's share of the error. `regressed` and `improved` are; a proven one that is
  /// estimated to be within δ is `undecided` until it is shown to be within, and then `equivalent`.
  public var isProven: Bool
  /// The Hodges–Lehmann estimate of head over base.
  public var ratio: Double
  /// Ends of the interval of ``ratio``; `nil` where the samples set no bound on that side.
  public var low: Double?
  public var high: Double?
  /// The level of the interval, such as 0.99. For `equivalent` it is that of two one-sided tests, 1 − 2α (D. J. Schuirmann,
  /// J. Pharmacokinet. Biopharm. 15, 1987); for `undecided` it is ``DecisionRule/openLevel``, of this metric by itself.
  public var level: Double
  /// The number of blocks behind it; of pairs of a base's and a head's value where there are no blocks.
  public var blocks: Int
  /// The smallest relative difference that these samples could have shown, such as 0.015; `nil` where none could.
  public var resolution: Double?
  /// How many blocks it may take in all until the metric is decided, going by the evidence so far; `nil` where that is out
  /// of sight.
  public var blocksNeeded: Int?
}

/// A ratio of head over base, and the ends of its interval, `nil` where the samples set no bound.
public struct Estimate: Equatable, Sendable {
  public var ratio: Double
  public var low: Double?
  public var high: Double?
}

/// How errors are shared among the metrics of one family.
public enum Correction: String, CaseIterable, Sendable {
  /// S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979): the chance that any
  /// metric of identical code is called different is at most α.
  case holm
  /// Each metric has the whole of α.
  case none
}

/// The rule by which metrics are decided.
///
/// The metrics that matter most (``Question/isHeadline``) and the others are two families: ``headlineShare`` of α for the first,
/// the rest for the second, all of it for one that is alone. So the chance of calling identical code different anywhere is at most α.
/// "No difference" is another claim, which each metric makes at α by itself.
public struct DecisionRule: Equatable, Sendable {
  /// The chance of calling identical code different: of the family together with ``Correction/holm``.
  public var alpha: Double
  /// The smallest relative difference that counts, such as 0.02. "Within δ" is from 1/(1 + δ) to 1 + δ, so that swapping
  /// the sides mirrors the verdict.
  public var delta: Double
  public var correction: Correction

  /// How much of α the headline metrics have, where there are others too.
  public static let headlineShare = 0.8
  /// What the floor is taken for as long as it is being measured: 5 %. A plain difference does not wait for it.
  public static let unknownFloor = 0.05
  /// The level of the interval of what is undecided.
  public static let openLevel = 0.95

  /// The rule for blocks in words, for documents.
  public static let name = DecisionRule(alpha: 0.01, delta: 0.02).name(hasBlocks: true, hasUnpaired: false)

  /// The rule in words, for the kinds of samples that it was used on.
  public func name(hasBlocks: Bool, hasUnpaired: Bool) -> String {
    let blocks = "Hodges-Lehmann ratio of randomised blocks, bets on the order of each (valid at every look)"
    let unpaired = "Hodges-Lehmann ratio of unpaired samples, rank-sum test (valid at a fixed number of samples)"
    let parts = (hasBlocks || !hasUnpaired ? [blocks] : []) + (hasUnpaired ? [unpaired] : [])
    return parts.joined(separator: "; ")
      + (correction == .holm ? ", Holm over the metrics" : ", each metric on its own")
  }

  public init(alpha: Double, delta: Double, correction: Correction = .holm) {
    self.alpha = alpha
    self.delta = delta
    self.correction = correction
  }

  /// A logarithm of a ratio as a relative difference: 0.0198 is 0.02.
  public static func change(ofLogRatio logRatio: Double) -> Double { exponential(logRatio) - 1 }

  /// After how many blocks that plainly differ, all by the same, a metric is decided at `alpha`.
  /// - Parameter places: Runs of a block, whose order is drawn from all balanced ones; `nil` where there is only the coin.
  public static func leastBlocks(alpha: Double, places: Int? = 4) -> Int {
    let needed = naturalLog(2 / alpha)
    let block =
      places.map { places in
        let isHead = (0..<places).map { $0 < places / 2 }
        return BlockContrast(block: 0, logs: isHead.map { $0 ? 1 : 0 }, isHead: isHead)
      } ?? BlockContrast(block: 0, logRatio: 1)
    var count = 1
    while OrderEvidence([BlockContrast](repeating: block, count: count), against: 0).above < needed, count < 1000 {
      count += 1
    }
    return count
  }

  /// The error that the family of headline metrics has, or that of the others.
  public func familyAlpha(isHeadline: Bool, isAlone: Bool) -> Double {
    isAlone ? alpha : alpha * (isHeadline ? Self.headlineShare : 1 - Self.headlineShare)
  }
}

extension DecisionRule {
  /// Decides the metrics of one family. Metrics without a single block, or without a value on a side, have no answer.
  ///
  /// - `regressed`, `improved`: the interval excludes 1, and the estimate is beyond δ and beyond the floor;
  /// - `equivalent`: the interval lies within δ;
  /// - `undecided`: everything else.
  public func judge(_ family: [Question]) -> [Decision?] {
    let probes = family.map { Probe($0, margin: margin(of: $0)) }
    return zip(probes, alphas(probes)).map { probe, alpha in decide(probe, alpha: alpha) }
  }

  /// The ratio by itself with its interval at ``openLevel``, of what has no part in any verdict; `nil` for no values.
  public static func estimate(_ question: Question) -> Estimate? {
    guard let centre = question.centre else { return nil }
    let (low, high) = Probe(question, margin: 0).interval(around: centre, alpha: (1 - openLevel) / 2)
    return Estimate(ratio: exponential(centre), low: low.map(exponential), high: high.map(exponential))
  }

  /// Where each metric of a family would have stopped, had it been looked at after every block: the number of blocks, and
  /// the verdict there; `nil` for one that stayed undecided. Metrics without blocks are left open.
  public func replay(_ family: [Question]) -> [(blocks: Int, verdict: Decision.Verdict)?] {
    var stops: [(blocks: Int, verdict: Decision.Verdict)?] = family.map { _ in nil }
    let looks = family.map { Looks($0, margin: margin(of: $0)) }
    var current = looks.map { $0.probe(0) }
    for count in 1...max(1, looks.map(\.count).max() ?? 1) {
      for index in family.indices where stops[index] == nil && count <= looks[index].count {
        current[index] = looks[index].probe(count)
      }
      for (index, alpha) in alphas(current).enumerated() where stops[index] == nil {
        guard count <= looks[index].count, let verdict = verdict(current[index], alpha: alpha),
          verdict != .undecided
        else { continue }
        stops[index] = (count, verdict)
      }
    }
    return stops
  }

  /// The error that each metric may spend: of its family's, or without a correction the whole.
  private func alphas(_ probes: [Probe]) -> [Double] {
    var shares = probes.map { _ in alpha }
    guard correction == .holm else { return shares }
    let families = Dictionary(grouping: probes.indices) { probes[$0].question.isHeadline }
    for (isHeadline, members) in families {
      let own = familyAlpha(isHeadline: isHeadline, isAlone: families.count == 1)
      for (index, share) in zip(members, Self.holm(members.map { probes[$0].pValue }, alpha: own)) {
        shares[index] = share
      }
    }
    return shares
  }

  /// The error that each member of one family may spend of `alpha` by Holm's procedure, going by the p-values of "no difference".
  /// What is rejected gets the share at which it was; all others that of the first one that was not.
  public static func holm(_ pValues: [Double], alpha: Double) -> [Double] {
    var shares = pValues.map { _ in alpha }
    var share = alpha
    var stopped = false
    for (place, index) in pValues.indices.sorted(by: { pValues[$0] < pValues[$1] }).enumerated() {
      if !stopped {
        share = alpha / Double(pValues.count - place)
        stopped = pValues[index] > share
      }
      shares[index] = share
    }
    return shares
  }

  private func margin(of question: Question) -> Double { naturalLog(1 + (question.delta ?? delta)) }

  /// Whether a difference is proven, whatever its size.
  private func isProven(_ probe: Probe, alpha: Double) -> Bool {
    guard let centre = probe.centre else { return false }
    return probe.pValue <= alpha && abs(centre) > naturalLog(1 + probe.question.floor)
  }

  private func verdict(_ probe: Probe, alpha: Double) -> Decision.Verdict? {
    guard probe.count > 0 else { return nil }
    if probe.isWithin(alpha: self.alpha) { return .equivalent }
    guard isProven(probe, alpha: alpha), let centre = probe.centre, abs(centre) > probe.margin else {
      return .undecided
    }
    return centre > 0 ? .regressed : .improved
  }

  private func decide(_ probe: Probe, alpha: Double) -> Decision? {
    guard let centre = probe.question.centre, let verdict = verdict(probe, alpha: alpha) else { return nil }
    let side =
      switch verdict {
      case .equivalent: self.alpha
      case .undecided: (1 - Self.openLevel) / 2
      case .improved, .regressed: alpha / 2
      }
    let (low, high) = probe.interval(around: centre, alpha: side)
    let resolution: Double? = if let low, let high { exponential((high - low) / 2) - 1 } else { nil }
    return Decision(
      verdict: verdict, isProven: isProven(probe, alpha: alpha), ratio: exponential(centre), low: low.map(exponential),
      high: high.map(exponential), level: 1 - 2 * side, blocks: probe.question.count, resolution: resolution,
      blocksNeeded: verdict == .undecided ? probe.blocksNeeded(difference: alpha / 2, equivalence: self.alpha) : nil)
  }
}

/// A metric's evidence at the three places that a verdict asks about.
private struct Probe {
  var question: Question
  var margin: Double
  var atZero: (above: Double, below: Double)
  /// Against a ratio of 1/(1 + δ): that it lies above.
  var aboveLowerMargin: Double
  /// Against a ratio of 1 + δ: that it lies below.
  var belowUpperMargin: Double
  /// How many of the question's blocks were seen by then; `nil` for all.
  var seen: Int?

  var count: Int { seen ?? question.count }
  var centre: Double? { seen.map { question.prefix($0).centre } ?? question.centre }

  init(_ question: Question, margin: Double) {
    self.init(
      question: question, margin: margin, atZero: question.pValues(against: 0),
      aboveLowerMargin: question.pValues(against: -margin).above,
      belowUpperMargin: question.pValues(against: margin).below)
  }

  init(
    question: Question, margin: Double, atZero: (above: Double, below: Double), aboveLowerMargin: Double,
    belowUpperMargin: Double, seen: Int? = nil
  ) {
    self.seen = seen
    self.question = question
    self.margin = margin
    self.atZero = atZero
    self.aboveLowerMargin = aboveLowerMargin
    self.belowUpperMargin = belowUpperMargin
  }

  /// Of "no difference", two-sided.
  var pValue: Double { min(1, 2 * min(atZero.above, atZero.below)) }

  func isWithin(alpha: Double) -> Bool { max(aboveLowerMargin, belowUpperMargin) <= alpha }

  /// The interval of the logarithm with an error of `alpha` at each end, which agrees with the probes.
  func interval(around centre: Double, alpha: Double) -> (low: Double?, high: Double?) {
    (low: end(alpha, from: centre, towards: -1) { $0.above }, high: end(alpha, from: centre, towards: 1) { $0.below })
  }

  /// The last value that the data do not exclude, going from the centre in one direction; halved 40 times.
  private func end(
    _ alpha: Double, from centre: Double, towards direction: Double,
    _ side: ((above: Double, below: Double)) -> Double
  ) -> Double? {
    func isExcluded(_ theta: Double) -> Bool { side(question.pValues(against: theta)) <= alpha }
    // What was once excluded stays so, even if the estimate moved there later: the interval then ends at the estimate.
    guard !isExcluded(centre) else { return centre }
    var inside = centre
    var outside = centre + direction * question.reach
    guard isExcluded(outside) else { return nil }
    // The places of the verdict first, so that the interval can't contradict it.
    for place in [-margin, 0, margin] where (place - inside) * direction > 0 && (outside - place) * direction > 0 {
      if isExcluded(place) { outside = place } else { inside = place }
    }
    for _ in 0..<40 {
      let middle = (inside + outside) / 2
      if isExcluded(middle) { outside = middle } else { inside = middle }
    }
    return inside
  }

  /// Evidence grows about evenly with blocks; a bet can at best multiply its capital by the number of orders with each.
  /// - Parameters:
  ///   - difference: What either gambler against "no difference" has to pass.
  ///   - equivalence: What both against the ends of δ have to.
  func blocksNeeded(difference: Double, equivalence: Double) -> Int? {
    guard case .blocks(let blocks) = question.observed, let last = blocks.last, let centre else { return nil }
    let cost = OrderEvidence.splitCost
    let most = naturalLog(Double(last.orders.count))
    func needed(_ pValue: Double, _ alpha: Double) -> Double {
      // The first blocks say little of a rate: hope for the best.
      let rate = blocks.count > 2 ? min(most, (cost - naturalLog(pValue)) / Double(blocks.count)) : most
      return (naturalLog(1 / alpha) + cost) / max(rate, 1e-9)
    }
    let byEquivalence = needed(max(aboveLowerMargin, belowUpperMargin), equivalence)
    // An estimate within δ or the floor is no difference, however well it is proven.
    let byDifference =
      abs(centre) > max(margin, naturalLog(1 + question.floor)) || blocks.count <= 2
      ? needed(min(atZero.above, atZero.below), difference) : .infinity
    let least = min(byDifference, byEquivalence).rounded(.up)
    return least < 10_000 ? max(Int(least), blocks.count + 1) : nil
  }
}

/// A metric's evidence after each of its blocks.
private struct Looks {
  let question: Question
  let margin: Double
  let blocks: [BlockContrast]
  private let zero: [OrderEvidence]
  private let lower: [OrderEvidence]
  private let upper: [OrderEvidence]

  var count: Int { blocks.count }

  init(_ question: Question, margin: Double) {
    self.question = question
    self.margin = margin
    if case .blocks(let blocks) = question.observed { self.blocks = blocks } else { blocks = [] }
    zero = OrderEvidence.trajectory(blocks, against: 0)
    lower = OrderEvidence.trajectory(blocks, against: -margin)
    upper = OrderEvidence.trajectory(blocks, against: margin)
  }

  func probe(_ count: Int) -> Probe {
    guard count > 0 else {
      return Probe(
        question: question, margin: margin, atZero: (1, 1), aboveLowerMargin: 1, belowUpperMargin: 1, seen: 0)
    }
    return Probe(
      question: question, margin: margin, atZero: zero[count - 1].pValues,
      aboveLowerMargin: lower[count - 1].pValues.above, belowUpperMargin: upper[count - 1].pValues.below, seen: count)
  }
}
