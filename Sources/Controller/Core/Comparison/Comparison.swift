import Shared
import Statistics

/// Holds the two sides of a job against each other. Pure: events in, document out.
enum Comparison {
  /// - Parameters:
  ///   - alpha: The chance, over all metrics of the run together, of calling identical code different.
  ///   - delta: The smallest relative difference that counts.
  ///   - caveats: What weakens the verdicts, in words.
  ///   - replays: Whether the document says where each metric would have stopped.
  static func make(
    from record: JobRecord, alpha: Double, delta: Double, correction: Correction = .holm, caveats: [String] = [],
    replays: Bool = false
  ) -> ComparisonDocument {
    let rule = DecisionRule(alpha: alpha, delta: delta, correction: correction)
    var unequal: [Trouble] = []
    var unrecorded: [MetricKey] = []
    let keys = record.metrics.filter { key in
      guard record.isOnBothSides(key) else { return false }
      switch EqualWork(key, in: record) {
      case .equal: break
      case .unrecorded: unrecorded.append(key)
      case .unequal(let difference):
        unequal.append(EqualWork.trouble(key, difference))
        return false
      }
      return true
    }
    let nothing = keys.filter { record.importsNothing($0) }
    let series = keys.filter { !nothing.contains($0) }.map { MetricSeries($0, in: record) }
    var all = JudgedFamilies(series, copies: series.compactMap(\.ofCopy), rule: rule)
    all.troubles += unequal
    for key in nothing {
      all.show(
        MetricSeries(key, in: record), by: rule, because: "imports nothing of \(record.started?.importName ?? "it")")
    }
    all.withhold(unrecorded, because: "not recorded whether both sides did equal work")
    all.note { record.note(of: $0) }
    let caveats = caveats + (unrecorded.isEmpty ? [] : [EqualWork.caveat(unrecorded.map(\.metric).uniqued())])
    // What ended the job stands among the troubles: a document that says "incomplete" has to say why.
    let failure = record.failure.map { [Trouble(problem: $0)] } ?? []
    let findings = FindingComparison.all(from: record).filter { finding in
      !unequal.contains { $0.layer == .optimize && $0.python == finding.python }
    }
    return ComparisonDocument(
      base: revision(.base, in: record), head: revision(.head, in: record),
      verdict: all.isVoid
        ? .void
        : verdict(
          metrics: all.metrics, findings: findings,
          isWhole: !record.skipped.contains { $0.secondsNeeded != nil }),
      identical: isIdentical(record),
      complete: record.finished?.outcome == .done && all.troubles.isEmpty && record.withoutResult.isEmpty,
      metrics: all.metrics, controls: all.controls,
      findings: findings, memoryLines: MemoryLineChange.all(from: record), host: record.host,
      hostAfter: record.hostAfter,
      spending: record.spending, seconds: record.finished?.seconds ?? 0,
      method: rule.method(
        for: series, design: record.design, caveats: caveats + (replays ? StopReplay.caveats(series) : [])),
      troubles: failure + record.troubles + record.withoutResult + all.troubles, skipped: record.skipped,
      replay: replays ? StopReplay.all(series, by: rule) : nil,
      effectiveSettings: record.effectiveSettings.isEmpty ? nil : record.effectiveSettings,
      forecast: all.isVoid ? nil : record.forecast(all.metrics))
  }

  /// The run's verdict: a regression if there is one; an improvement if something is proven better and nothing worse; then an open
  /// question; and `equivalent` only when every metric is.
  /// - Parameter isWhole: whether the budget had time for all.
  static func verdict(
    metrics: [ComparisonDocument.Metric], findings: [FindingComparison] = [], isWhole: Bool = true
  ) -> ComparisonDocument.RunVerdict {
    // The same findings on both sides decide nothing about a metric that is open.
    let verdicts = Set(metrics.judged.map(\.verdict) + findings.map(\.verdict).filter { $0 != .equivalent })
    for worst in [ComparisonDocument.RunVerdict.regressed, .improved, .undecided] where verdicts.contains(worst) {
      return worst
    }
    return verdicts.isEmpty || !isWhole ? .undecided : .equivalent
  }

  /// Decides one family of series together.
  static func judge(
    _ series: [MetricSeries], by rule: DecisionRule
  ) -> (metrics: [ComparisonDocument.Metric], troubles: [Trouble]) {
    var measurable: [(series: MetricSeries, question: Question)] = []
    var troubles: [Trouble] = []
    for one in series {
      do throws(Unmeasurable) { measurable.append((one, try one.question())) } catch {
        troubles.append(
          Trouble(layer: one.key.layer, metric: one.key.metric, python: one.key.python, problem: error.problem))
      }
    }
    let metrics = zip(measurable, rule.judge(measurable.map(\.question))).compactMap { one, decision in
      decision.flatMap { one.series.metric($0) }
    }
    return (metrics, troubles)
  }

  private static func revision(_ side: Side, in record: JobRecord) -> ComparisonDocument.Revision {
    let ready = record.ready(side).first
    return .init(
      label: record.label(side), commit: ready?.commit, identity: ready?.identity, subject: ready?.subject,
      note: ready?.note)
  }

  /// Whether both sides are the same code with every Python that has both.
  private static func isIdentical(_ record: JobRecord) -> Bool {
    let pairs = record.ready(.base).flatMap { base in
      record.ready(.head).filter { $0.python == base.python }.map { (base.identity, $0.identity) }
    }
    return !pairs.isEmpty && pairs.allSatisfy { $0.0 == $0.1 }
  }
}

extension Array<ComparisonDocument.Metric> {
  /// Those that the run's verdict is about.
  var judged: Self { filter { $0.informative != true } }
}

extension ComparisonDocument.Metric {
  /// Whether the verdict says that there is a difference.
  var hasMoved: Bool { verdict == .improved || verdict == .regressed }

  /// A run whose control moved decides nothing.
  /// - Parameter reason: what is wrong with this metric alone.
  mutating func withholdVerdict(because reason: String? = nil) {
    withheld = reason
    verdict = .undecided
    secondsNeeded = nil
  }
}

extension DecisionRule {
  /// The rule as documents have it.
  func method(
    for series: [MetricSeries], design: BlockDesign? = nil, caveats: [String]
  ) -> ComparisonDocument.Method {
    .init(
      name: name(
        hasBlocks: series.contains { $0.isPaired }, hasUnpaired: series.contains { !$0.isPaired }),
      alpha: alpha, delta: delta, correction: correction.rawValue, caveats: caveats,
      design: design)
  }
}

extension JobRecord {
  /// How much of the project a run of codeflash works on, where it is not all.
  fileprivate func note(of metric: ComparisonDocument.Metric) -> String? {
    guard OptimizeDocument.isOfRun(metric.name, in: metric.layer),
      let run = optimizeRuns.first(where: { $0.python == metric.python && $0.purpose == .measured }),
      let listed = run.listed, run.functions.count < listed
    else { return nil }
    return "\(run.functions.count) of \(listed) functions"
  }

  /// The design that all blocks have; `nil` for none, or several.
  fileprivate var design: BlockDesign? {
    let designs = Set(blocks.map { $0.design ?? .mirrored })
    return designs.count == 1 ? designs.first : nil
  }

  fileprivate func isOnBothSides(_ key: MetricKey) -> Bool {
    Set(samples.lazy.filter { $0.key == key }.map(\.side)).count == 2
  }

  /// What the measuring time went into.
  var spending: ComparisonDocument.Spending {
    let layers = layers.map { started in
      let blocks = blocks.filter { $0.layer == started.layer && $0.python == started.python }
      let seconds = blocks.reduce(0) { $0 + $1.seconds }
      let finished = layersFinished.first { $0.layer == started.layer && $0.python == started.python }
      return ComparisonDocument.Spending.Layer(
        layer: started.layer, python: started.python, blocks: blocks.count,
        setAside: blocks.count { $0.disturbance != nil }, blockSeconds: seconds,
        otherSeconds: finished.map { max(0, $0.seconds - seconds) })
    }
    return .init(budgetSeconds: started?.budgetSeconds, layers: layers)
  }
}

/// The metrics of a comparison and its controls, decided as two families.
struct JudgedFamilies {
  var metrics: [ComparisonDocument.Metric]
  var controls: [ComparisonDocument.Metric]
  /// Whether a control moved: then no metric keeps its verdict.
  var isVoid: Bool
  var troubles: [Trouble]

  /// What can't differ: the control commands among `series`, and the base against its own second installation.
  init(_ series: [MetricSeries], copies: [MetricSeries] = [], rule: DecisionRule) {
    let measured = Comparison.judge(series.filter { !$0.key.isControl }, by: rule)
    // The commands are in every block, and few; the copies are as many as the metrics.
    let commands = series.filter(\.key.isControl).map { command in
      var command = command
      command.isHeadline = true
      return command
    }
    let unchanging = Comparison.judge(commands + copies, by: rule)
    metrics = measured.metrics
    controls = unchanging.metrics
    troubles = measured.troubles + unchanging.troubles
    isVoid = controls.contains(where: \.hasMoved)
    if isVoid { for index in metrics.indices { metrics[index].withholdVerdict() } }
  }

  mutating func note(_ words: (ComparisonDocument.Metric) -> String?) {
    for index in metrics.indices { metrics[index].note = words(metrics[index]) }
  }

  /// Adds a row that decides nothing.
  mutating func show(_ series: MetricSeries, by rule: DecisionRule, because reason: String) {
    let shown = Comparison.judge([series], by: rule)
    metrics += shown.metrics.map { metric in
      var metric = metric
      metric.withholdVerdict(because: reason)
      metric.informative = true
      return metric
    }
    troubles += shown.troubles
  }

  mutating func withhold(_ keys: [MetricKey], because reason: String) {
    for index in metrics.indices {
      let metric = metrics[index]
      guard keys.contains(where: { $0.metric == metric.name && $0.python == metric.python }) else { continue }
      metrics[index].withholdVerdict(because: reason)
    }
  }
}

/// Where each metric would have stopped, had it been looked at after every block.
enum StopReplay {
  /// One entry a metric with blocks. A metric that stayed open has all its blocks and `undecided`.
  static func all(_ series: [MetricSeries], by rule: DecisionRule) -> [ComparisonDocument.Replay] {
    let family = series.filter { !$0.key.isControl }.compactMap { one in
      (try? one.question()).map { (series: one, question: $0) }  // Why one has no question is among the troubles.
    }
    return zip(family, rule.replay(family.map(\.question))).compactMap { one, stop in
      guard case .blocks(let blocks) = one.question.observed else { return nil }
      return .init(
        name: one.series.name, layer: one.series.key.layer, python: one.series.key.python,
        blocks: stop?.blocks ?? blocks.count, verdict: stop?.verdict.ofRun ?? .undecided)
    }
  }

  /// What a replay leaves out.
  static func caveats(_ series: [MetricSeries]) -> [String] {
    let left = series.filter { !$0.isPaired && !$0.key.isControl }.map(\.name)
    guard !left.isEmpty else { return [] }
    return ["The replay leaves out what has no blocks: \(listed(left))."]
  }
}
