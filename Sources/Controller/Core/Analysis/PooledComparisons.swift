import Shared
import Statistics
import SystemPackage

/// One or more comparison folders as one record.
enum PooledComparisons {
  /// The record, blocks of later jobs numbered on, and the settings that its folders agree on.
  struct Pool {
    var record: JobRecord
    /// `nil` where the folders do not agree.
    var alpha: Double?
    var delta: Double?
    var paths: [String]
    /// Whether some jobs turned other knobs of the machine than the rest.
    var isTunedOtherwise: Bool
  }

  /// - Throws: ``AnalysisError``
  static func read(_ folders: [RunFolder]) throws -> Pool {
    let read = try folders.map { folder in (folder: folder, record: try FolderRecord.read(folder)) }
      .sorted {
        ($0.record.startedAt ?? "", $0.folder.path.string) < ($1.record.startedAt ?? "", $1.folder.path.string)
      }
    guard let first = read.first else { throw AnalysisError.empty(path: "the list of folders") }
    var record = first.record
    for (index, other) in read.enumerated().dropFirst() {
      for earlier in read[..<index] {
        let (path, otherPath) = (earlier.folder.path.string, other.folder.path.string)
        try FolderRecord.requireSameBoot(earlier.record, path, other.record, otherPath)
        try requireSameCode(earlier.record, path, other.record, otherPath)
        try requireSameBlocks(earlier.record, path, other.record, otherPath)
      }
      record.append(other.record)
    }
    func agreed(_ field: KeyPath<SidesDocument, Double>) -> Double? {
      let values = Set(folders.map { $0.sides[keyPath: field] })
      return values.count == 1 ? values.first : nil
    }
    return Pool(
      record: record, alpha: agreed(\.alpha), delta: agreed(\.delta), paths: read.map(\.folder.path.string),
      isTunedOtherwise: read.contains { $0.record.knobs != first.record.knobs })
  }

  private static func requireSameCode(
    _ one: JobRecord, _ path: String, _ other: JobRecord, _ otherPath: String
  ) throws(AnalysisError) {
    for side in [Side.base, .head] {
      guard !one.ready(side).isEmpty, !other.ready(side).isEmpty else {
        throw .apart(
          path: path, other: otherPath,
          difference:
            "which code the \(side.rawValue) is, is not known of \(one.ready(side).isEmpty ? path : otherPath)")
      }
      for mine in one.ready(side) {
        // Every Python of a job has the same code, so that jobs of two Pythons are held against each other too.
        for theirs in other.ready(side) where theirs.identity != mine.identity {
          throw .apart(
            path: path, other: otherPath,
            difference: "the \(side.rawValue) is \(mine.identity) in the one, and \(theirs.identity) in the other")
        }
        for theirs in other.ready(side)
        where theirs.python == mine.python
          && (theirs.interpreterVersion != mine.interpreterVersion || theirs.distributions != mine.distributions)
        {
          throw .apart(
            path: path, other: otherPath,
            difference: "the \(side.rawValue) has another interpreter or other packages beside it: "
              + "\(packages(mine, theirs)) in the one, \(packages(theirs, mine)) in the other")
        }
      }
    }
  }

  /// What one environment has and the other has not.
  private static func packages(_ one: SideReady, _ other: SideReady) -> String {
    let own = ["Python \(one.interpreterVersion)"] + one.distributions
    let names = own.filter { !(["Python \(other.interpreterVersion)"] + other.distributions).contains($0) }
    return names.isEmpty ? "nothing more" : listed(names)
  }

  /// A block counts when it is as full as the fullest: shorter ones of another job would be left out in silence.
  private static func requireSameBlocks(
    _ one: JobRecord, _ path: String, _ other: JobRecord, _ otherPath: String
  ) throws(AnalysisError) {
    for key in one.metrics {
      guard let mine = one.fullest(key), let theirs = other.fullest(key), mine != theirs else { continue }
      throw .apart(
        path: path, other: otherPath,
        difference: "a block of \(key.metric) has \(mine) samples a side in the one, and \(theirs) in the other")
    }
  }
}

extension JobRecord {
  /// How the machine's knobs stood while it measured, as far as the job looked at them.
  fileprivate var knobs: Set<String> { Set(tuning.map { "\($0.knob.rawValue) \($0.after ?? "unknown")" }) }

  /// Samples of a side in the fullest block.
  fileprivate func fullest(_ key: MetricKey) -> Int? {
    Dictionary(grouping: samples.filter { $0.key == key && $0.side == .base }, by: \.block).values.map(\.count).max()
  }

  /// A setting that stood otherwise in the other job has both values; one that only one of them knows has none.
  private mutating func addSettings(of other: JobRecord) {
    for index in effectiveSettings.indices {
      let mine = effectiveSettings[index]
      let theirs = other.effectiveSettings.first { $0.side == mine.side && $0.python == mine.python }
      for place in mine.settings.indices {
        let (own, value) = (
          mine.settings[place].value, theirs?.settings.first { $0.name == mine.settings[place].name }?.value
        )
        guard own != value else { continue }
        effectiveSettings[index].settings[place].value = own.flatMap { own in value.map { "\(own), then \($0)" } }
      }
    }
  }

  /// Takes in a later job of the same code on the same machine; its blocks come after those that are there.
  mutating func append(_ other: JobRecord) {
    let next = 1 + ((samples + copySamples).map(\.block) + blocks.map(\.block)).reduce(-1, max)
    func moved(_ sample: Sample) -> Sample {
      var sample = sample
      sample.block += next
      return sample
    }
    samples += other.samples.map(moved)
    copySamples += other.copySamples.map(moved)
    blocks += other.blocks.map { block in
      var block = block
      block.block += next
      return block
    }
    addSettings(of: other)
    sides += other.sides.filter { new in !sides.contains { $0.side == new.side && $0.python == new.python } }
    layers += other.layers.filter { new in !layers.contains { $0.layer == new.layer && $0.python == new.python } }
    addSeconds(of: other.layersFinished)
    hostAfter = other.hostAfter
    tuning += other.tuning.filter { !tuning.contains($0) }
    importTrees += other.importTrees
    profiles += other.profiles
    stacks += other.stacks
    optimizeRuns += other.optimizeRuns
    profiledPhases += other.profiledPhases
    memoryTimelines += other.memoryTimelines
    memoryProfiles += other.memoryProfiles
    skipped += other.skipped.filter { !skipped.contains($0) }
    troubles += other.troubles
    withoutResult += other.withoutResult
    // Without the final event of one of them, the whole has none.
    finished = finished.flatMap { mine in
      other.finished.map { theirs in
        let worse = mine.outcome == .done ? theirs : mine
        return Finished(outcome: worse.outcome, problem: worse.problem, seconds: mine.seconds + theirs.seconds)
      }
    }
    if let budget = started?.budgetSeconds { started?.budgetSeconds = budget + (other.started?.budgetSeconds ?? 0) }
  }

  private mutating func addSeconds(of others: [LayerFinished]) {
    for other in others {
      if let place = layersFinished.firstIndex(where: { $0.layer == other.layer && $0.python == other.python }) {
        layersFinished[place].seconds += other.seconds
      } else {
        layersFinished.append(other)
      }
    }
  }
}
