import Shared

/// Where the time or memory of one side went, as a picture: callers on top, a box as wide as its call weighs.
///
/// After Brendan Gregg's flame graphs (https://www.brendangregg.com/flamegraphs.html), turned over so that the top of a
/// long picture says the most.
enum FlameGraph {
  /// The share of the whole under which calls have no box of their own: about one pixel.
  static let cutOff = 0.001
  static let boxLimit = 4000

  /// A whole SVG file.
  /// - Parameters:
  ///   - label: The side's name in every table.
  ///   - importName: The package under test as it is imported: its code has a colour of its own.
  static func svg(_ profile: StackProfile, label: String, importName: String) -> String {
    let tree = CallTree([profile])
    let total = tree.nodes[0].values[0]
    let icicle = Icicle(tree, roots: total > 0 ? [0] : [], cutOff: cutOff * total, limit: boxLimit) {
      tree.nodes[$0].values[0]
    }
    let first = 96.0
    var body = SVG.line(profile.metric, x: 10, y: 24, width: IcicleChart.inner, style: "title", size: 16)
    body += SVG.line(subtitle(profile, label, total), x: 10, y: 44, width: IcicleChart.inner, style: "quiet")
    body += SVG.line(notes(profile, tree, icicle, total), x: 10, y: 61, width: IcicleChart.inner, style: "quiet")
    body += IcicleChart.legend(legend(importName), y: 82) + IcicleChart.hint(y: 82)
    if total > 0 {
      body += IcicleChart.strip(icicle, y: first, scale: IcicleChart.inner / total) {
        face($0, tree: tree, profile: profile, total: total, importName: importName)
      }
    } else {
      body += SVG.line(
        "No stacks were taken.", x: 10, y: first + 14, width: IcicleChart.inner, style: "title", size: 16)
    }
    return SVG.document(
      width: IcicleChart.width, height: first + Double(max(2, icicle.rows)) * IcicleChart.rowHeight + 10,
      name: "Flame graph: \(profile.metric), \(label)", style: IcicleChart.style + style, body: body,
      script: IcicleChart.script)
  }

  private static func subtitle(_ profile: StackProfile, _ label: String, _ total: Double) -> String {
    let kind = profile.unit == .seconds ? "time" : "memory"
    return
      "\(profile.side.rawValue): \(TerminalText.clean(label, limit: 80)) · Python \(profile.python) · \(profile.tool)"
      + " · \(kind) in total: \(profile.unit.words(total))"
  }

  /// What the picture does not show.
  private static func notes(_ profile: StackProfile, _ tree: CallTree, _ icicle: Icicle, _ total: Double) -> String {
    var notes: [String] = []
    if icicle.leftOut > 0 {
      let share = Numbers.digits(100 * icicle.cutOff / total, 1)
      notes.append("\(icicle.leftOut) calls under \(share)% of the whole have no box of their own")
    }
    if profile.drawableLeftOut > 0 {
      notes.append("stacks left out for size: \(profile.unit.words(profile.drawableLeftOut)), blank on the right")
    }
    if tree.isCutInDepth { notes.append("calls deeper than \(CallTree.maximumDepth) count for the last one drawn") }
    return notes.isEmpty ? "Every call has a box." : "Not drawn: " + notes.joined(separator: "; ") + "."
  }

  private static func legend(_ importName: String) -> [(styles: [String], words: String)] {
    [
      (["target"], TerminalText.clean(importName, limit: 40)), (["package"], "other packages"),
      (["standard"], "standard library and interpreter"), (["rest"], "all, and what is too small for a box"),
    ]
  }

  private static func face(
    _ box: Icicle.Box, tree: CallTree, profile: StackProfile, total: Double, importName: String
  ) -> IcicleChart.Face {
    let weight = "\(profile.unit.words(box.weight)), \(Numbers.digits(100 * box.weight / total, 3))% of the whole"
    switch box.content {
    case .smaller(let calls): return .init(style: "rest", lines: ["\(calls) smaller", weight])
    case .node(let node):
      guard let function = tree.function(of: node) else { return .init(style: "rest", lines: ["all", weight]) }
      let origin = FrameOrigin(file: function.file, importName: importName)
      return .init(style: origin.rawValue, lines: [function.words, weight])
    }
  }

  private static let style = """
    .target rect { fill: #f2a93b }
    .package rect { fill: #8cc4ea }
    .standard rect { fill: #c5cfc8 }
    @media (prefers-color-scheme: dark) {
      .target rect { fill: #8f5a00 }
      .package rect { fill: #1f5f8b }
      .standard rect { fill: #48534d }
    }

    """
}

extension CallTree.Function {
  /// `parse (codeflash/code_utils/parser.py)`, both ends kept of a name that is too long.
  var words: String { file.isEmpty ? name.shortened : "\(name.shortened) (\(file.shortened))" }
}

extension String {
  /// At most 120 characters on one line: the start and, as files tell more by their end, that too.
  fileprivate var shortened: String {
    let clean = TerminalText.clean(self, limit: 5000)
    return clean.count <= 120 ? clean : "\(clean.prefix(40))…\(clean.suffix(79))"
  }
}
