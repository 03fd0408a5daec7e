import Calibration
import ControllerCore

/// How often each rule called identical code different: a row a rule, a dot a kind of noise.
enum AlarmPicture {
  private static let width = 940.0
  private static let left = 190.0
  private static let right = 200.0
  private static let top = 92.0
  private static let row = 34.0
  private static let marks = [0, 0.01, 0.05, 0.10, 0.20, 0.40, 0.60, 0.80, 1]

  static func svg(_ report: SimulationReport) -> String {
    let bottom = top + row * Double(Rule.allCases.count)
    let trials = CalibrationTables.count(report.entry(.drift, .shipped, effect: 0)?.trials ?? 0)
    var body = SVG.line("Identical code called different", x: 20, y: 30, width: width, style: "title", size: 16)
    body += SVG.line(
      "Share of \(trials) simulated pairs, a dot for each of \(NoiseCell.allCases.count) kinds of noise; the worst one is "
        + "named. Square-root axis.", x: 20, y: 52, width: width - 20, style: "quiet")
    for mark in marks {
      let x = place(mark)
      body += line(mark == report.alpha ? "level" : "grid", x, top - 8, x, bottom)
      body += centred("\(Numbers.fixed(100 * mark, 0)) %", x: x, y: bottom + 18)
    }
    for (index, rule) in Rule.allCases.enumerated() {
      body += dots(rule, report, y: top + row * (Double(index) + 0.5))
    }
    body += centred(
      "promised by cf-bench: at most \(Numbers.fixed(100 * report.alpha, 0)) %", x: place(report.alpha) + 60,
      y: top - 14)
    let finds = "finds \(CalibrationTables.percent(report.delta)) slower (drift)"
    body += "<text class=\"quiet power\" x=\"\(SVG.number(width - 24))\" y=\"\(SVG.number(top - 14))\">"
    body += "\(SVG.text(finds))</text>\n"
    return SVG.document(
      width: width, height: bottom + 34, name: "How often each rule called identical code different", style: style,
      body: body)
  }

  private static func dots(_ rule: Rule, _ report: SimulationReport, y: Double) -> String {
    let rates = NoiseCell.allCases.compactMap { cell in
      report.entry(cell, rule, effect: 0).map { (cell: cell, rate: $0.alarms.value) }
    }
    guard let worst = rates.max(by: { $0.rate < $1.rate }), let least = rates.map(\.rate).min() else { return "" }
    var text =
      "<text class=\"name\" x=\"\(SVG.number(left - 16))\" y=\"\(SVG.number(y + 4))\">\(SVG.text(rule.name))</text>\n"
    text += line("span", place(least), y, place(worst.rate), y)
    let style = rule == .shipped ? "own" : "other"
    for one in rates {
      text += "<circle class=\"\(style)\" cx=\"\(SVG.number(place(one.rate)))\" cy=\"\(SVG.number(y))\" r=\"5\">"
      text +=
        "<title>\(SVG.text("\(rule.name), \(one.cell.rawValue): \(CalibrationTables.percent(one.rate))"))</title></circle>\n"
    }
    // A rule that never says anything raises no alarm either.
    if let found = report.entry(.drift, rule, effect: report.delta)?.found.value {
      text += "<text class=\"power\" x=\"\(SVG.number(width - 24))\" y=\"\(SVG.number(y + 4))\">"
      text += "\(SVG.text(CalibrationTables.percent(found)))</text>\n"
    }
    let words = worst.rate == 0 ? "0 %" : "\(CalibrationTables.percent(worst.rate)), \(worst.cell.rawValue)"
    return text + SVG.line(words, x: place(worst.rate) + 12, y: y + 4, width: 200, style: "label")
  }

  /// A square root spreads the small shares and still has a place for 0.
  private static func place(_ share: Double) -> Double { left + (width - left - right) * share.squareRoot() }

  private static func centred(_ words: String, x: Double, y: Double) -> String {
    "<text class=\"quiet\" text-anchor=\"middle\" x=\"\(SVG.number(x))\" y=\"\(SVG.number(y))\">\(SVG.text(words))</text>\n"
  }

  private static func line(_ style: String, _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
    "<line class=\"\(style)\" x1=\"\(SVG.number(x1))\" y1=\"\(SVG.number(y1))\" x2=\"\(SVG.number(x2))\" "
      + "y2=\"\(SVG.number(y2))\"/>\n"
  }

  private static let style = """
    .name, .power { text-anchor: end }
    .label { paint-order: stroke; stroke: #ffffff; stroke-width: 4px }
    .grid { stroke: #d1d9e0 }
    .level { stroke: #1a7f37; stroke-dasharray: 4 3 }
    .span { stroke: #8c959f; stroke-width: 2 }
    .own { fill: #1a7f37; fill-opacity: 0.75 }
    .other { fill: #bc4c00; fill-opacity: 0.65 }
    @media (prefers-color-scheme: dark) {
      .label { stroke: #0d1117 }
      .grid { stroke: #2f3742 }
      .level { stroke: #3fb950 }
      .span { stroke: #59636e }
      .own { fill: #3fb950 }
      .other { fill: #f0883e }
    }

    """
}
