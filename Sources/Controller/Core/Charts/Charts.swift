import Shared

/// Which pictures and profile files a folder of results gets. Pure: a record in, names and contents out.
enum Charts {
  struct File: Equatable {
    var name: String
    var content: String
  }

  /// Of one side: `optimize.svg`, `memory.svg` (flame graphs), `memory-timeline.svg`, and speedscope files.
  static func ofSide(_ side: Side, record: JobRecord) -> [File] {
    let stacks = record.stacks.filter { $0.side == side }
    var files: [File] = []
    for layer in LayerName.allCases {
      let own = stacks.filter { $0.layer == layer }
      guard !own.isEmpty else { continue }
      let title = "\(record.label(side)): \(layer.rawValue)"
      // Texts and numbers can always be encoded.
      if let speedscope = try? Speedscope.json(own, labels: record.labels, name: title) {
        files.append(
          File(name: "\(layer.rawValue).speedscope.json", content: String(decoding: speedscope, as: UTF8.self)))
      }
      guard layer != .micro else { continue }
      files += own.map { profile in
        let content = FlameGraph.svg(profile, label: record.label(side), importName: record.importName)
        return File(name: "\(name(profile, among: own)).svg", content: content)
      }
    }
    let timelines = record.memoryTimelines.filter { $0.side == side }
    if !timelines.isEmpty {
      files.append(timeline(timelines, record))
    }
    return files
  }

  /// Of a comparison: what changed, for the runs and for each micro target whose verdict says that it moved.
  static func ofComparison(_ document: ComparisonDocument, record: JobRecord) -> [File] {
    let moved = Set(document.metrics.filter(\.hasMoved).map { "\($0.name) \($0.python)" })
    let heads = record.stacks.filter {
      $0.side == .head && ($0.layer != .micro || moved.contains("\($0.metric) \($0.python)"))
    }
    var files = heads.compactMap { head -> File? in
      guard let base = record.stacks.first(where: { $0.side == .base && $0.isOf(head) }) else { return nil }
      return File(
        name: "\(name(head, among: heads))-diff.svg",
        content: DifferentialFlameGraph.svg(base: base, head: head, labels: record.labels))
    }
    if Set(record.memoryTimelines.map(\.side)).count == 2 {
      files.append(timeline(record.memoryTimelines, record))
    }
    return files
  }

  private static func timeline(_ timelines: [MemoryTimeline], _ record: JobRecord) -> File {
    let title = "Memory of the optimize run over time"
    return File(
      name: "memory-timeline.svg", content: TimelinePicture.svg(timelines, labels: record.labels, title: title))
  }

  /// `optimize`, `memory`, `micro-parse-markdown-code`; with the Python behind it where there are several.
  private static func name(_ profile: StackProfile, among all: [StackProfile]) -> String {
    var name = profile.layer.rawValue
    if profile.layer == .micro { name += "-" + word(String(profile.metric.trimmingPrefix("micro: "))) }
    let isAlone = Set(all.filter { $0.layer == profile.layer }.map(\.python)).count == 1
    return isAlone ? name : "\(name)-\(word(profile.python))"
  }

  /// A name that is safe for a file.
  private static func word(_ text: String) -> String {
    let kept = text.lowercased().map { character in
      character.isASCII && (character.isLetter || character.isNumber || character == ".") ? character : "-"
    }
    return String(kept.drop { $0 == "." || $0 == "-" }.prefix(80))
  }
}

extension StackProfile {
  fileprivate func isOf(_ other: StackProfile) -> Bool {
    layer == other.layer && metric == other.metric && python == other.python && unit == other.unit && tool == other.tool
  }
}

extension JobRecord {
  /// The module whose import is taken apart: what the sides' own code is called.
  fileprivate var importName: String {
    started?.importName ?? "codeflash"
  }
}
