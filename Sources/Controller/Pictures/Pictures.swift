import Shared

/// Which pictures and profile files a folder of results gets. Pure: a record in, names and contents out.
enum Pictures {
  struct File: Equatable {
    var name: String
    var content: String
  }

  /// Of one side: `optimize.svg`, `memory.svg` (flame graphs), `memory-timeline.svg`, and speedscope files.
  static func ofSide(_ side: Side, record: JobRecord) -> [File] {
    let graph = FlameGraph(importName: record.importName)
    let stacks = record.stacks.filter { $0.side == side }
    var files: [File] = []
    for layer in LayerName.allCases {
      let own = stacks.filter { $0.layer == layer }
      guard !own.isEmpty else { continue }
      let speedscope = Speedscope(own, name: "\(record.label(side)): \(layer.rawValue)", version: Version.current)
      files.append(
        File(name: "\(layer.rawValue).speedscope.json", content: speedscope.json))
      guard layer != .micro else { continue }
      files += own.map { File(name: "\(name($0, among: own)).svg", content: graph.svg($0, label: record.label(side))) }
    }
    let timelines = record.memoryTimelines.filter { $0.side == side }
    if !timelines.isEmpty {
      files.append(File(name: "memory-timeline.svg", content: TimelinePicture.svg(timelines, labels: record.labels)))
    }
    return files
  }

  /// Of a comparison: what changed, for the runs and for each micro target whose verdict says that it moved.
  static func ofComparison(_ document: ComparisonDocument, record: JobRecord) -> [File] {
    let graph = FlameGraph(importName: record.importName)
    let labels = (base: record.label(.base), head: record.label(.head))
    let moved = Set(document.metrics.filter(\.hasMoved).map { "\($0.name) \($0.python)" })
    let heads = record.stacks.filter {
      $0.side == .head && ($0.layer != .micro || moved.contains("\($0.metric) \($0.python)"))
    }
    var files = heads.compactMap { head -> File? in
      guard let base = record.stacks.first(where: { $0.side == .base && $0.isOf(head) }) else { return nil }
      return File(
        name: "\(name(head, among: heads))-diff.svg", content: graph.difference(base: base, head: head, labels: labels))
    }
    if Set(record.memoryTimelines.map(\.side)).count == 2 {
      files.append(
        File(name: "memory-timeline.svg", content: TimelinePicture.svg(record.memoryTimelines, labels: record.labels)))
    }
    return files
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
