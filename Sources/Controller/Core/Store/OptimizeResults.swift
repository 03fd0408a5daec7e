import Shared
import Statistics

extension OptimizeDocument {
  /// Whether a metric is of codeflash at work: of layer 3, or the memory of such a run and not of a command (`Peak memory: …`).
  static func isOfRun(_ metric: String, in layer: LayerName) -> Bool {
    layer == .optimize || (layer == .memory && !metric.contains(":"))
  }

  /// Layer 3 of one side; `nil` when it did not run there.
  static func make(_ side: Side, from record: JobRecord) -> OptimizeDocument? {
    let results = record.pythons.compactMap { result(side, python: $0, record: record) }
    let skipped = record.skipped.filter { $0.layer == .optimize && $0.side != side.other }
    guard !results.isEmpty || !skipped.isEmpty else { return nil }
    return OptimizeDocument(revision: record.label(side), results: results, skipped: skipped)
  }

  private static func result(_ side: Side, python: String, record: JobRecord) -> Result? {
    let runs = record.optimizeRuns.filter { $0.side == side && $0.python == python }
    // A side that is broken from the start has its rehearsal only; it says so.
    let measured = runs.filter { $0.purpose == .measured }
    guard let first = measured.first ?? runs.first else { return nil }
    let all = runs.filter { $0.purpose == .findings }
    let telling = (measured.isEmpty ? runs.filter { $0.purpose == .rehearsal } : measured) + all
    let counted = measured.filter { $0.functions.allSatisfy { $0.finding != .broken } }
    let functions = (all.first ?? first).functions.map { function in
      FunctionFinding(telling.flatMap(\.functions).filter { $0.function == function.function }, of: function)
    }
    return Result(
      python: python, form: first.form, network: first.network, seconds: counted.map(\.seconds),
      medianSeconds: Quantile.median(counted.map(\.seconds)), cpuSeconds: counted.map(\.cpuSeconds),
      memory: telling.map(\.memory).max { $0.peakPSSBytes < $1.peakPSSBytes } ?? first.memory,
      findings: FindingCount(functions.map(\.asRun)), isStable: functions.allSatisfy { $0.counts.count == 1 },
      functions: functions,
      phases: record.profiledPhases.first { $0.side == side && $0.python == python }, runs: runs)
  }
}

extension FunctionFinding {
  /// From worst to best: what a person has to hear of.
  private static let order: [FunctionRun.Finding] = [.broken, .acceptedWrongly, .missed, .rejectedRightly, .found]

  fileprivate init(_ runs: [FunctionRun], of function: FunctionRun) {
    let worst = Self.order.first { finding in runs.contains { $0.finding == finding } } ?? function.finding
    let names = runs.flatMap { $0.phases.map(\.name) }.uniqued()
    self.init(
      function: function.function, kind: function.kind, finding: worst,
      counts: Dictionary(runs.map { ($0.finding.rawValue, 1) }, uniquingKeysWith: +),
      reason: runs.first { $0.finding == worst }?.reason, candidate: runs.lazy.compactMap(\.candidate).first,
      claimedSpeedup: Quantile.median(runs.compactMap(\.claimedSpeedup)),
      measuredSpeedup: Quantile.median(runs.compactMap(\.measuredSpeedup)), leastSpeedup: function.leastSpeedup,
      medianSeconds: Quantile.median(runs.map(\.seconds)) ?? function.seconds,
      phases: names.compactMap { name in
        Quantile.median(runs.compactMap { run in run.phases.first { $0.name == name }?.seconds })
          .map { RunPhase(name: name, seconds: $0) }
      })
  }

  /// As one run, for counting.
  fileprivate var asRun: FunctionRun {
    FunctionRun(function: function, kind: kind, finding: finding, seconds: medianSeconds)
  }

  var isStable: Bool { counts.count == 1 }

  /// Higher is better: wrong code that is taken is worse than right code that is not.
  var rank: Int {
    switch finding {
    case .found, .rejectedRightly: 3
    case .missed: 2
    case .acceptedWrongly: 1
    case .broken: 0
    }
  }
}

extension FindingComparison {
  /// One a Python that ran on both sides.
  static func all(from record: JobRecord) -> [FindingComparison] {
    guard let base = OptimizeDocument.make(.base, from: record), let head = OptimizeDocument.make(.head, from: record)
    else { return [] }
    return base.results.compactMap { result in
      head.results.first { $0.python == result.python }.map { FindingComparison(base: result, head: $0) }
    }
  }

  private init(base: OptimizeDocument.Result, head: OptimizeDocument.Result) {
    let pairs = base.functions.compactMap { function in
      head.functions.first { $0.function == function.function }.map { Pair(base: function, head: $0) }
    }
    self.init(
      python: base.python, form: base.form, base: FindingCount(pairs.map(\.base.asRun)),
      head: FindingCount(pairs.map(\.head.asRun)), verdict: Self.verdict(pairs), functions: pairs)
  }

  private static func verdict(_ pairs: [Pair]) -> ComparisonDocument.RunVerdict {
    guard pairs.allSatisfy({ $0.base.finding != .broken && $0.head.finding != .broken }) else { return .undecided }
    let lost = pairs.filter { $0.head.rank < $0.base.rank }
    let won = pairs.filter { $0.head.rank > $0.base.rank }
    // Runs that disagree among themselves prove neither.
    if lost.contains(where: { $0.head.isStable }) { return .regressed }
    if !lost.isEmpty || pairs.contains(where: { !$0.base.isStable || !$0.head.isStable }) { return .undecided }
    return won.isEmpty ? .equivalent : .improved
  }
}
