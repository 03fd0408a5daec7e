import Glibc
import Shared
import Statistics

/// Which metrics of a comparison are still open, and how much it may take to decide them.
struct StoppingRule {
  private let rule: DecisionRule
  let plan: StoppingPlan
  let design: BlockDesign
  /// The metrics that matter most.
  let headline: Set<String>
  /// Metrics of earlier interpreters, as they stood at their end: one family with those measured now.
  private var earlier: [Question] = []
  /// How many interpreters are still to come, each with as many metrics as this one.
  private var laterInterpreters: Int

  init(_ plan: StoppingPlan, interpreters: Int) {
    rule = DecisionRule(alpha: plan.alpha, delta: plan.delta)
    self.plan = plan
    design = plan.design ?? .mirrored
    headline = Set(plan.headline ?? [])
    laterInterpreters = interpreters
  }

  /// What is known of an open metric.
  struct Open {
    /// How many blocks it may take in all; `nil` where that is out of sight.
    var blocksNeeded: Int?
    /// How many it has by now.
    var blocks = 0
    /// Whether its estimate is worth telling: the ends of its interval are less than a fifth apart.
    var isTold = false
  }

  /// After how many blocks one of `metrics`, which are measured now, can be called different at all.
  func leastBlocks(_ metrics: [String], isHeadline: Bool) -> Int {
    let own =
      metrics.count { headline.contains($0) == isHeadline } * (1 + laterInterpreters)
      + earlier.count { $0.isHeadline == isHeadline }
    let all = metrics.count * (1 + laterInterpreters) + earlier.count
    let alpha = rule.familyAlpha(isHeadline: isHeadline, isAlone: own == all) / Double(max(1, own))
    return DecisionRule.leastBlocks(alpha: alpha, places: design == .balanced ? 4 : nil)
  }

  /// The open ones among `metrics`.
  func open(_ metrics: [String], in tally: SampleAccumulator) -> [String: Open] {
    let now = metrics.map { tally.question($0) }
    // Not measured yet: nothing is known of them, and they take their share of the error.
    let unmeasured = metrics.map { Question(.blocks([]), isHeadline: headline.contains($0)) }
    let later = (0..<laterInterpreters).flatMap { _ in unmeasured }
    let decisions = rule.judge(now + earlier + later)
    var open: [String: Open] = [:]
    for (metric, decision) in zip(metrics, decisions) {
      guard let decision else {
        open[metric] = Open(blocksNeeded: leastBlocks(metrics, isHeadline: headline.contains(metric)))
        continue
      }
      guard decision.verdict == .undecided else { continue }
      var width = Double.infinity
      if let low = decision.low, let high = decision.high { width = high - low }
      open[metric] = Open(blocksNeeded: decision.blocksNeeded, blocks: decision.blocks, isTold: width < 0.2)
    }
    return open
  }

  /// The metrics that moved, or are open and a tenth apart: of these a profile may tell why.
  func telling(_ metrics: [String], in tally: SampleAccumulator) -> Set<String> {
    let decisions = rule.judge(metrics.map { tally.question($0) } + earlier)
    return Set(
      zip(metrics, decisions).compactMap { metric, decision in
        guard let decision, decision.verdict != .equivalent else { return nil }
        let isApart = decision.verdict != .undecided || abs(log(decision.ratio)) > log(1.1)
        return isApart ? metric : nil
      })
  }

  var isFirstInterpreter: Bool { earlier.isEmpty }
  /// This one among them.
  var interpretersLeft: Int { 1 + laterInterpreters }

  /// To be called before an interpreter's metrics are measured.
  mutating func beginInterpreter() { laterInterpreters -= 1 }

  /// To be called with what they brought.
  mutating func endInterpreter(_ questions: [Question]) { earlier += questions }
}

/// The measuring time of a job, shared evenly among the interpreters that are still to come.
struct Budget {
  private(set) var rule: StoppingRule?
  private var secondsLeft: Double
  private var interpreters: Int

  init(_ manifest: JobManifest) {
    interpreters = manifest.python.versions.count
    let stopping = manifest.sides.count == 2 ? manifest.stopping : nil
    rule = stopping.map { StoppingRule($0, interpreters: manifest.python.versions.count) }
    secondsLeft = stopping?.budgetSeconds ?? .infinity
  }

  /// What the interpreter at hand may spend, in seconds.
  var share: Double { secondsLeft / Double(interpreters + 1) }

  mutating func beginInterpreter() {
    interpreters -= 1
    rule?.beginInterpreter()
  }

  mutating func endInterpreter(_ questions: [Question], seconds: Double) {
    rule?.endInterpreter(questions)
    secondsLeft -= seconds
  }
}
