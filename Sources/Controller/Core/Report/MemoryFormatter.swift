import Shared

/// Memory by line, in words and tables.
enum MemoryFormatter {
  private static let top = 8

  static func signed(_ bytes: Int) -> String { (bytes > 0 ? "+" : bytes < 0 ? "-" : "") + Numbers.bytes(abs(bytes)) }

  /// `nil` when no memory profile was taken on both sides.
  static func markdown(_ report: ComparisonReport) -> String? {
    guard !report.memoryProfiles.isEmpty else { return nil }
    let parts = report.memoryProfiles.map { pair in
      let (base, head) = (pair.base, pair.head)
      let changes = report.document.memoryLines.filter { $0.tool == head.tool && $0.python == head.python }
      let python = report.hasSeveralPythons ? ", Python \(Markdown.text(head.python))" : ""
      let measure = head.tool == .memray ? "held at the highest moment" : "still held at the end"
      return "**\(head.tool.rawValue)\(python)**: \(measure), \(Numbers.bytes(base.totalBytes)) → "
        + "\(Numbers.bytes(head.totalBytes)).\n\n" + table(changes)
    }
    let method =
      "Lines of codeflash's own process on `\(report.memoryProfiles[0].head.function)` that hold more or less than before, "
      + "by each tool in a pass of its own. `memory.json` has all of them.\n"
    return Comment.fold("Memory by line", ([method] + parts).joined(separator: "\n"))
  }

  private static func table(_ changes: [MemoryLineChange]) -> String {
    guard !changes.isEmpty else { return "No line differs by 256 KiB or more.\n" }
    // Growth first, and of what shrank the most, each up to the same number of rows.
    let grew = changes.filter { $0.differenceBytes > 0 }.prefix(top)
    let shrank = changes.filter { $0.differenceBytes < 0 }.suffix(top)
    let rows = (grew + shrank).map { change in
      [
        place(change.file, change.line), Markdown.code(change.text.isEmpty ? "–" : String(change.text.prefix(80))),
        Numbers.bytes(change.baseBytes), Numbers.bytes(change.headBytes), signed(change.differenceBytes),
      ]
    }
    let rest = changes.count - rows.count
    return Markdown.table(["Line", "Code", "Base", "Head", "Difference"], rows)
      + (rest > 0 ? "\nand \(rest) more, in `comparison.json`\n" : "")
  }

  private static func place(_ file: String, _ line: Int) -> String { Markdown.code("\(file):\(line)") }

  // MARK: One side

  static func summary(_ memory: MemoryDocument, naming python: Bool) -> String {
    var text = ""
    if !memory.peaks.isEmpty {
      text += Markdown.table(
        ["Peak", "Median", "Least", "Most", "Runs", "Of what"],
        memory.peaks.map { peak in
          [
            Markdown.text(peak.name) + (python ? " (Python \(Markdown.text(peak.python)))" : ""),
            bytes(peak.medianBytes),
            bytes(peak.bytes.min() ?? 0), bytes(peak.bytes.max() ?? 0), String(peak.bytes.count), peak.measure,
          ]
        })
    }
    for profile in memory.profiles {
      text += "\n" + title(profile, naming: python) + "\n\n"
      text += Markdown.table(
        ["Line", "Code", "Held", "Allocations"],
        profile.lines.prefix(10).map {
          [
            place($0.file, $0.line), Markdown.code($0.text.isEmpty ? "–" : String($0.text.prefix(80))),
            Numbers.bytes($0.bytes), String($0.allocations),
          ]
        })
      let modules = profile.modules.prefix(6).map { "\(Markdown.text($0.name)) \(Numbers.bytes($0.bytes))" }
      if !modules.isEmpty { text += "\nBy module: \(modules.joined(separator: ", ")).\n" }
    }
    return text
  }

  private static func title(_ profile: MemoryProfile, naming python: Bool) -> String {
    let measure = profile.tool == .memray ? "held at the highest moment" : "still held at the end"
    var cost = "took \(Numbers.elapsed(profile.seconds))"
    if let plain = profile.plainSeconds, plain > 0 {
      cost += " (\(Numbers.digits(profile.seconds / plain, 2))x of a plain run)"
    }
    return "**\(profile.tool.rawValue) \(Markdown.text(profile.version))**"
      + (python ? ", Python \(Markdown.text(profile.python))" : "")
      + ": \(Numbers.bytes(profile.totalBytes)) \(measure), peak \(Numbers.bytes(profile.peakBytes)); \(cost), "
      + "with \(Numbers.bytes(profile.peakRSSBytes)) resident."
  }

  private static func bytes(_ bytes: Double) -> String {
    VerdictFormatter.value(bytes, unit: MetricUnit.bytes.rawValue)
  }
}
