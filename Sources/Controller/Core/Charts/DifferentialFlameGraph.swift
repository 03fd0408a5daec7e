import Shared

/// What head spends differently from base, as a picture: head's calls, coloured by how each changed, and below them the
/// calls that only base has.
///
/// After Brendan Gregg's differential flame graphs
/// (https://www.brendangregg.com/blog/2014-11-09/differential-flame-graphs.html), which show one side's shape and lose
/// what is gone from it: hence the second strip. Weights are compared as they are, not as shares: a call that stays the
/// same while others grow is not blue.
enum DifferentialFlameGraph {
  private static let headLimit = 3000
  private static let goneLimit = 1000

  /// A whole SVG file.
  /// - Parameters:
  ///   - base: Of the same metric and unit as `head`, and of as many runs.
  ///   - labels: The sides' names in every table.
  static func svg(base: StackProfile, head: StackProfile, labels: [Side: String]) -> String {
    let picture = Picture(base: base, head: head)
    let words = DifferenceFormatter(base: base, head: head, labels: labels)
    return SVG.document(
      width: IcicleChart.width, height: picture.height, name: words.title,
      style: IcicleChart.style + style, body: picture.body(words), script: IcicleChart.script)
  }

  private struct Picture {
    let tree: CallTree
    let noise: FrameChange.Noise
    let totals: FrameChange
    let head: Icicle
    let gone: Icicle
    private let headY = 176.0

    init(base: StackProfile, head profile: StackProfile) {
      let tree = CallTree([base, profile])
      self.tree = tree
      noise = FrameChange.Noise([base, profile])
      totals = FrameChange(base: tree.nodes[0].values[0], head: tree.nodes[0].values[1])
      let cutOff = FlameGraph.cutOff * max(totals.base, totals.head)
      head = Icicle(tree, roots: totals.head > 0 ? [0] : [], cutOff: cutOff, limit: headLimit) {
        tree.nodes[$0].values[1]
      }
      gone = Icicle(tree, roots: Self.gone(tree, drawn: head.drawn, cutOff: cutOff), cutOff: cutOff, limit: goneLimit) {
        tree.nodes[$0].values[0]
      }
    }

    /// Calls without a box in head's strip, whose caller has one, and that weigh less than half of what they did in
    /// base: the heaviest first.
    private static func gone(_ tree: CallTree, drawn: Set<Int>, cutOff: Double) -> [Int] {
      let callers = drawn.isEmpty ? [0] : Array(drawn)
      let gone = callers.flatMap { tree.calls(of: $0) { tree.nodes[$0].values[0] } }
        .filter { !drawn.contains($0) && tree.nodes[$0].values[0] >= cutOff && cutOff > 0 }
        .filter { tree.nodes[$0].values[1] < 0.5 * tree.nodes[$0].values[0] }
      return tree.sorted(gone) { tree.nodes[$0].values[0] }
    }

    private var goneWeight: Double { gone.boxes.filter { $0.row == 0 }.reduce(0) { $0 + $1.weight } }
    private var goneY: Double { headY + Double(max(1, head.rows)) * IcicleChart.rowHeight + 40 }
    var height: Double { goneY + Double(gone.rows) * IcicleChart.rowHeight + 12 }

    func body(_ words: DifferenceFormatter) -> String {
      var body = SVG.line(words.title, x: 10, y: 24, width: IcicleChart.inner, style: "title", size: 16)
      body += SVG.line(words.tools, x: 10, y: 43, width: IcicleChart.inner, style: "quiet")
      body += bars(words)
      body += SVG.line(words.verdict(totals, noise), x: 10, y: 103, width: IcicleChart.inner, style: "strong", size: 13)
      body += IcicleChart.legend(words.legend, y: 126)
      body += SVG.line(words.noise, x: 10, y: 145, width: IcicleChart.inner, style: "quiet")
      body += SVG.line(
        words.headStrip(head, isCutInDepth: tree.isCutInDepth), x: 10, y: headY - 8, width: 950, style: "strong")
      body += IcicleChart.hint(y: headY - 8)
      body += strip(head, of: .head, y: headY, scale: totals.head > 0 ? IcicleChart.inner / totals.head : 0, words)
      // The same scale as above as long as that fits.
      let shrink = totals.head > 0 ? min(1, totals.head / max(goneWeight, totals.head)) : nil
      let scale = goneWeight > 0 ? IcicleChart.inner / max(goneWeight, totals.head) : 0
      body += SVG.line(
        words.goneStrip(goneWeight, shrink), x: 10, y: goneY - 8, width: IcicleChart.inner, style: "strong")
      return body + strip(gone, of: .base, y: goneY, scale: scale, words)
    }

    /// Both sides' totals at one scale: the strips below show shapes, these the sum.
    private func bars(_ words: DifferenceFormatter) -> String {
      let longest = max(totals.base, totals.head)
      return [(Side.base, totals.base, 52.0), (.head, totals.head, 70.0)].map { side, total, y in
        SVG.line(words.total(side, total), x: 10, y: y + 12, width: 440, style: "plain")
          + SVG.rectangle(
            "\(side.rawValue)Total", x: 460, y: y + 2, width: longest > 0 ? 730 * total / longest : 0, height: 12)
      }.joined()
    }

    private func strip(_ icicle: Icicle, of side: Side, y: Double, scale: Double, _ words: DifferenceFormatter)
      -> String
    {
      IcicleChart.strip(icicle, y: y, scale: scale) { box in
        guard case .node(let node) = box.content else {
          return .init(style: "rest", lines: words.smaller(box, of: side))
        }
        let change = FrameChange(base: tree.nodes[node].values[0], head: tree.nodes[node].values[1])
        let whole = tree.nodes[node].function.map {
          FrameChange(base: tree.everywhere[$0][0], head: tree.everywhere[$0][1])
        }
        let name = tree.function(of: node)?.words ?? "all"
        // The strip of what is gone starts in the middle of things.
        let caller = side == .base && box.row == 0 ? tree.nodes[node].caller.flatMap(tree.function) : nil
        return .init(
          style: change.step(noise).rawValue,
          lines: [name] + words.tooltip(change, of: totals, everywhere: whole, caller: caller))
      }
    }
  }

  /// Red and blue are told apart by people who don't see red or green well; the darker, the larger the change.
  private static let style = """
    .strong { font-weight: 600 }
    .same rect { fill: #e3e5e8 }
    .aLittleMore rect { fill: #fbd3c8 }
    .more rect { fill: #f49a83 }
    .muchMore rect { fill: #e35d48 }
    .aLittleLess rect { fill: #d3e5f8 }
    .less rect { fill: #94c1ee }
    .muchLess rect { fill: #5198dd }
    .baseTotal { fill: #a5acb4 }
    .headTotal { fill: #4d5660 }
    @media (prefers-color-scheme: dark) {
      .same rect { fill: #3a4048 }
      .aLittleMore rect { fill: #5f3a34 }
      .more rect { fill: #8f3f33 }
      .muchMore rect { fill: #c23a2b }
      .aLittleLess rect { fill: #2d4763 }
      .less rect { fill: #2a5f96 }
      .muchLess rect { fill: #2673c6 }
      .baseTotal { fill: #5b636d }
      .headTotal { fill: #b6bec8 }
    }

    """
}
