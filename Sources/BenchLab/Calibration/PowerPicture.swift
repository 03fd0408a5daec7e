import Calibration
import ControllerCore

/// What cf-bench says about a head that is slower by so much: a small diagram for each kind of noise.
enum PowerPicture {
  private static let columns = 4
  private static let panelWidth = 225.0
  private static let panelHeight = 190.0
  private static let left = 52.0
  private static let top = 78.0
  private static let plotWidth = 175.0
  private static let plotHeight = 110.0
  /// The largest slowdown of the axis.
  private static let most = 0.05

  static func svg(_ report: SimulationReport) -> String {
    let cells = NoiseCell.allCases
    let rows = (cells.count + columns - 1) / columns
    let (width, height) = (20 + panelWidth * Double(columns), top + panelHeight * Double(rows) + 6)
    var body = SVG.line("What cf-bench says of a slower head", x: 20, y: 30, width: width, style: "title", size: 16)
    body += SVG.line(
      "Share of simulated pairs by how much slower it really is; the rest is undecided after \(Trial.runsPerSide) runs a "
        + "side. Dotted: delta.", x: 20, y: 52, width: width - 20, style: "quiet")
    for (index, cell) in cells.enumerated() {
      let panel = Panel(
        x: left + panelWidth * Double(index % columns), y: top + 24 + panelHeight * Double(index / columns))
      body += panel.frame(cell.rawValue, delta: report.delta, isFirst: index % columns == 0)
      let entries = ([0] + Simulation.effects).compactMap { report.entry(cell, .shipped, effect: $0) }
      func shares(_ part: (SimulationReport.Entry) -> Int) -> [(effect: Double, share: Double)] {
        entries.map { ($0.effect, Double(part($0)) / Double(max(1, $0.trials))) }
      }
      body += panel.curve(shares(\.equivalent), style: "same")
      body += panel.curve(shares(\.regressed), style: "slower")
      // Both beside the flat right ends of their curves.
      body += panel.label("equivalent", effect: 0.0312, share: 0.06, style: "same")
      body += panel.label("regressed", effect: 0.0312, share: 0.86, style: "slower")
    }
    return SVG.document(
      width: width, height: height, name: "What cf-bench says of a slower head, by kind of noise", style: style,
      body: body)
  }

  private struct Panel {
    var x: Double
    var y: Double

    func across(_ effect: Double) -> Double { x + plotWidth * effect / most }
    func down(_ share: Double) -> Double { y + plotHeight * (1 - share) }

    func frame(_ name: String, delta: Double, isFirst: Bool) -> String {
      var text = "<text class=\"panel\" x=\"\(SVG.number(x))\" y=\"\(SVG.number(y - 12))\">\(SVG.text(name))</text>\n"
      for share in [0, 0.5, 1] {
        text += line("grid", x, down(share), x + plotWidth, down(share))
        guard isFirst else { continue }
        text += words("\(Numbers.fixed(100 * share, 0)) %", x: x - 6, y: down(share) + 4, anchor: "end")
      }
      for effect in [0, 0.01, 0.02, 0.03, 0.04, 0.05] {
        text += words(
          "\(Numbers.fixed(100 * effect, 0))\(effect == most ? " %" : "")", x: across(effect), y: y + plotHeight + 16,
          anchor: "middle")
      }
      return text + line("delta", across(delta), y, across(delta), y + plotHeight)
    }

    func curve(_ points: [(effect: Double, share: Double)], style: String) -> String {
      let places = points.map { "\(SVG.number(across($0.effect))),\(SVG.number(down($0.share)))" }
      let dots = points.map { point in
        "<circle class=\"\(style)\" cx=\"\(SVG.number(across(point.effect)))\" cy=\"\(SVG.number(down(point.share)))\" "
          + "r=\"2.5\"/>\n"
      }
      return "<polyline class=\"\(style) curve\" points=\"\(places.joined(separator: " "))\"/>\n" + dots.joined()
    }

    func label(_ name: String, effect: Double, share: Double, style: String) -> String {
      "<text class=\"\(style)\" x=\"\(SVG.number(across(effect)))\" y=\"\(SVG.number(down(share)))\">\(name)</text>\n"
    }

    private func words(_ words: String, x: Double, y: Double, anchor: String) -> String {
      "<text class=\"quiet\" text-anchor=\"\(anchor)\" x=\"\(SVG.number(x))\" y=\"\(SVG.number(y))\">"
        + "\(SVG.text(words))</text>\n"
    }

    private func line(_ style: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
      "<line class=\"\(style)\" x1=\"\(SVG.number(x1))\" y1=\"\(SVG.number(y1))\" x2=\"\(SVG.number(x2))\" "
        + "y2=\"\(SVG.number(y2))\"/>\n"
    }
  }

  private static let style = """
    .panel { font-weight: 600 }
    .grid { stroke: #d1d9e0 }
    .delta { stroke: #59636e; stroke-dasharray: 2 3 }
    .slower { fill: #bc4c00 }
    .same { fill: #0969da }
    .curve { fill: none; stroke-width: 2 }
    polyline.slower { stroke: #bc4c00 }
    polyline.same { stroke: #0969da }
    @media (prefers-color-scheme: dark) {
      .grid { stroke: #2f3742 }
      .delta { stroke: #9aa4af }
      .slower { fill: #f0883e }
      .same { fill: #58a6ff }
      .curve { fill: none }
      polyline.slower { stroke: #f0883e }
      polyline.same { stroke: #58a6ff }
    }

    """
}
