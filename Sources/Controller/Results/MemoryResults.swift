import Shared
import Statistics

extension MemoryDocument {
  /// Layer 4 of one side; `nil` when nothing of it is known there.
  static func make(_ side: Side, from record: JobRecord) -> MemoryDocument? {
    let peaks = record.metrics.filter { $0.layer == .memory }.compactMap { key -> Peak? in
      let bytes = record.samples.filter { $0.side == side && $0.key == key }.map(\.value)
      guard let median = Quantile.median(bytes) else { return nil }
      let isTree = !key.metric.contains(":")
      return Peak(
        name: key.metric, python: key.python, measure: isTree ? "PSS of the process tree" : "RSS of the process",
        medianBytes: median, bytes: bytes)
    }
    let profiles = record.memoryProfiles.filter { $0.side == side }.map { record.completed($0) }
    let timelines = record.memoryTimelines.filter { $0.side == side }
    let skipped = record.skipped.filter { $0.layer == .memory && $0.side != side.other }
    guard !peaks.isEmpty || !profiles.isEmpty || !timelines.isEmpty || !skipped.isEmpty else { return nil }
    return MemoryDocument(
      revision: record.label(side), peaks: peaks, timelines: timelines, profiles: profiles, skipped: skipped)
  }
}

extension JobRecord {
  /// With the time of the same run without the tool, where layer 3 made such runs instead of layer 4.
  fileprivate func completed(_ profile: MemoryProfile) -> MemoryProfile {
    guard profile.plainSeconds == nil else { return profile }
    let plain = optimizeRuns.filter {
      $0.side == profile.side && $0.python == profile.python && $0.purpose == .measured
    }.flatMap(\.functions).filter { $0.function == profile.function && $0.finding != .broken }
    var completed = profile
    completed.plainSeconds = Quantile.median(plain.map(\.seconds))
    return completed
  }
}

extension MemoryLineChange {
  /// Differences below this are of the moment: which page a pool took next, what a cache held.
  private static let least = 256 << 10

  /// Lines that hold more on the head first, the largest growth on top; of each tool and Python that ran on both sides.
  static func all(from record: JobRecord) -> [MemoryLineChange] {
    record.memoryProfiles.filter { $0.side == .head }.flatMap { head -> [MemoryLineChange] in
      guard
        let base = record.memoryProfiles.first(where: {
          $0.side == .base && $0.python == head.python && $0.tool == head.tool
        })
      else { return [] }
      return changes(base: base, head: head)
    }
  }

  private struct Key: Hashable {
    var file: String
    /// The line's text, since numbers move between revisions; the number where the text is not known.
    var place: String
  }

  private static func changes(base: MemoryProfile, head: MemoryProfile) -> [MemoryLineChange] {
    let (before, after) = (summed(base), summed(head))
    return Set(before.keys).union(after.keys).map { key in
      let line = after[key] ?? before[key]
      return MemoryLineChange(
        tool: head.tool, python: head.python, file: key.file, line: line?.line ?? 0, text: line?.text ?? "",
        baseBytes: before[key]?.bytes ?? 0, headBytes: after[key]?.bytes ?? 0)
    }.filter { abs($0.differenceBytes) >= least }.sorted {
      ($0.differenceBytes, $1.file, $1.line) > ($1.differenceBytes, $0.file, $0.line)
    }
  }

  private static func summed(_ profile: MemoryProfile) -> [Key: MemoryProfile.Line] {
    Dictionary(
      profile.lines.map { (Key(file: $0.file, place: $0.text.isEmpty ? "\($0.line)" : $0.text), $0) }
    ) { first, second in
      var line = first
      line.bytes += second.bytes
      line.allocations += second.allocations
      return line
    }
  }
}
