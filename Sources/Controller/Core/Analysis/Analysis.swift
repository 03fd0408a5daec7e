import Shared
import Statistics

/// The same estimates and verdicts as of a comparison, from samples that are there already.
enum Analysis {
  /// What a person may choose; `nil` is what the samples' folder says, or the default.
  struct Choices {
    var alpha: Double?
    var delta: Double?
    var correction = Correction.holm
    var replays = false
  }

  static let defaultAlpha = 0.01
  static let defaultDelta = 0.02

  /// - Throws: ``AnalysisError``
  static func report(of paths: [String], _ choices: Choices) throws -> ComparisonReport {
    var choices = choices
    switch try AnalysisInputs.read(paths) {
    case .comparisons(let folders): return try pooled(folders, choices)
    case .runs(let folders):
      if let first = folders.first {
        choices.alpha = choices.alpha ?? first.sides.alpha
        choices.delta = choices.delta ?? first.sides.delta
      }
      return report(try RunSources.sampleSet(folders, alpha: choices.alpha ?? defaultAlpha), choices)
    case .hyperfine(let files):
      let labels = FileLabels.of(files.map(\.path))
      let sources = try zip(files, labels).map { try HyperfineFile.read($0, label: $1) }
      return report(try unpaired(sources, choices), choices)
    case .pyperf(let files):
      let labels = FileLabels.of(files.map(\.path))
      let read = try zip(files, labels).map { try PyperfFile.read($0, label: $1) }
      var set = try unpaired(read.map(\.source), choices)
      set.caveats += try PyperfMachines.caveats(read, paths: files.map(\.path))
      return report(set, choices)
    case .table(let file):
      return report(try TableSamples.sampleSet(SampleTable(file), alpha: choices.alpha ?? defaultAlpha), choices)
    }
  }

  private static func unpaired(_ sources: [SampleSource], _ choices: Choices) throws(AnalysisError) -> SampleSet {
    try UnpairedSources.sampleSet(
      base: sources[0], heads: Array(sources.dropFirst()), alpha: choices.alpha ?? defaultAlpha, matchesSingles: true)
  }

  private static func report(_ set: SampleSet, _ choices: Choices) -> ComparisonReport {
    var set = set
    let alpha = choices.alpha ?? defaultAlpha
    set.caveats += uncorrected(set.series.count { !$0.key.isControl }, alpha: alpha, choices)
    let rule = DecisionRule(alpha: alpha, delta: choices.delta ?? defaultDelta, correction: choices.correction)
    return ComparisonReport(document: set.document(rule: rule, replays: choices.replays))
  }

  private static func pooled(_ folders: [RunFolder], _ choices: Choices) throws -> ComparisonReport {
    let pool = try PooledComparisons.read(folders)
    let other = pool.paths.dropFirst().first ?? ""
    guard let alpha = choices.alpha ?? pool.alpha else {
      throw AnalysisError.differentSettings(path: pool.paths[0], other: other, flag: "alpha")
    }
    guard let delta = choices.delta ?? pool.delta else {
      throw AnalysisError.differentSettings(path: pool.paths[0], other: other, flag: "delta")
    }
    let caveats =
      (folders.count > 1 ? [Caveat.pooled(folders.count)] : [])
      + (pool.isTunedOtherwise ? [Caveat.tunedOtherwise] : [])
      + uncorrected(pool.record.metrics.count { !$0.isControl }, alpha: alpha, choices)
    var record = pool.record
    // What is asked for here counts for every metric.
    if choices.delta != nil { record.started?.deltas = nil }
    var report = ComparisonReport(record: record, alpha: alpha, delta: delta)
    report.document = Comparison.make(
      from: record, alpha: alpha, delta: delta, correction: choices.correction, caveats: caveats,
      replays: choices.replays)
    return report
  }

  private static func uncorrected(_ metrics: Int, alpha: Double, _ choices: Choices) -> [String] {
    choices.correction == .none && metrics > 1 ? [Caveat.uncorrected(metrics, alpha: alpha)] : []
  }
}

/// Short names of files that still tell them apart.
enum FileLabels {
  static func of(_ paths: [String]) -> [String] {
    let names = paths.map { path in path.split(separator: "/").last.map(String.init) ?? path }
    return Set(names).count == names.count ? names : paths
  }
}

/// What pyperf's files say of the machines that they come from.
enum PyperfMachines {
  /// - Throws: ``AnalysisError/apart(path:other:difference:)`` for two machines.
  static func caveats(_ files: [PyperfFile.Read], paths: [String]) throws(AnalysisError) -> [String] {
    guard let first = files.first else { return [] }
    var caveats: [String] = []
    for (file, path) in zip(files, paths).dropFirst() {
      guard let one = first.hostname, let other = file.hostname else { continue }
      guard one == other else {
        throw .apart(
          path: paths[0], other: path, difference: "they were measured on two machines, '\(one)' and '\(other)'")
      }
      if let boot = first.bootTime, let otherBoot = file.bootTime, boot != otherBoot {
        caveats.append(
          "\(first.source.label) and \(file.source.label) name different boot times (\(boot) and \(otherBoot)): a new start"
            + " can change a machine's speed.")
      }
    }
    return caveats
  }
}
