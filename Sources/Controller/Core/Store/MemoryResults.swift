import Shared
import Statistics

extension MemoryDocument {
  /// Layer 4 of one side; `nil` when nothing of it is known there.
  static func make(_ side: Side, from record: JobRecord) -> MemoryDocument? {
    let peaks = record.metrics.filter { $0.layer == .memory }.compactMap { key -> Peak? in
      let bytes = record.samples.filter { $0.side == side && $0.key == key }.map(\.value)
      guard let median = Quantile.median(bytes) else { return nil }
      let isTree = OptimizeDocument.isOfRun(key.metric, in: key.layer)
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

  /// Lines that hold more on the head first, the largest growth on top; of each tool and Python that ran on both sides. Where
  /// one tool says more and the other less of a line, neither is told.
  static func all(from record: JobRecord) -> [MemoryLineChange] {
    let changes = each(from: record)
    return changes.filter { change in
      !changes.contains { other in
        other.tool != change.tool && other.python == change.python && other.file == change.file
          && (other.text.isEmpty ? other.line == change.line : other.text == change.text)
          && other.differenceBytes.signum() != change.differenceBytes.signum()
      }
    }
  }

  private static func each(from record: JobRecord) -> [MemoryLineChange] {
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

  /// The listed lines of one key.
  private struct Place {
    var line: Int
    var text: String
    var bytes: Int
    var lines = 1
  }

  private static func changes(base: MemoryProfile, head: MemoryProfile) -> [MemoryLineChange] {
    let (before, after) = (places(base), places(head))
    let (leftOutBefore, leftOutAfter) = (mostLeftOut(base), mostLeftOut(head))
    return Set(before.keys).union(after.keys).map { key in
      let place = after[key] ?? before[key]
      return MemoryLineChange(
        tool: head.tool, python: head.python, file: key.file, line: place?.line ?? 0, text: place?.text ?? "",
        baseBytes: bytes(before[key], against: after[key], leftOut: leftOutBefore),
        headBytes: bytes(after[key], against: before[key], leftOut: leftOutAfter))
    }.filter { abs($0.differenceBytes) >= least }.sorted {
      ($0.differenceBytes, $1.file, $1.line) > ($1.differenceBytes, $0.file, $0.line)
    }
  }

  /// What a place holds on one side. A line that only the other side lists may have been left out of this side's list:
  /// it counts with the most that it can hold, up to the other side's, so that a cut list makes no difference.
  private static func bytes(_ place: Place?, against other: Place?, leftOut: Int) -> Int {
    let (own, others) = (place?.bytes ?? 0, other?.bytes ?? 0)
    let missing = max(0, (other?.lines ?? 0) - (place?.lines ?? 0))
    return max(own, min(others, own + leftOut * missing))
  }

  /// The most that a line can hold that is not in the list: 0 where all are, else its smallest.
  private static func mostLeftOut(_ profile: MemoryProfile) -> Int {
    let isWhole = profile.lines.reduce(0) { $0 + $1.bytes } >= profile.totalBytes
    return isWhole ? 0 : profile.lines.map(\.bytes).min() ?? 0
  }

  private static func places(_ profile: MemoryProfile) -> [Key: Place] {
    Dictionary(
      profile.lines.map { line in
        (
          Key(file: line.file, place: line.text.isEmpty ? "\(line.line)" : line.text),
          Place(line: line.line, text: line.text, bytes: line.bytes)
        )
      }
    ) { first, second in
      Place(
        line: first.line, text: first.text, bytes: first.bytes + second.bytes, lines: first.lines + second.lines)
    }
  }
}
