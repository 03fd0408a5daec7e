import Shared

/// The memory of a run's process tree over time as self-contained SVG, a line a side.
enum TimelinePicture {
  private static let (width, height) = (1000.0, 360.0)
  private static let (left, right, top, bottom) = (70.0, 20.0, 64.0, 40.0)

  /// - Parameter labels: what the person called each side.
  static func svg(_ timelines: [MemoryTimeline], labels: [Side: String]) -> String {
    let points = timelines.flatMap(\.points)
    let seconds = max(1e-3, points.map(\.seconds).max() ?? 0)
    let bytes = max(1, points.map(\.pssBytes).max() ?? 0)
    let step = tick(Double(bytes) / 1_048_576, 5)
    let highest = (Double(bytes) / 1_048_576 / step).rounded(.up) * step
    func x(_ value: Double) -> Double { left + value / seconds * (width - left - right) }
    func y(_ mebibytes: Double) -> Double { height - bottom - mebibytes / highest * (height - top - bottom) }

    var content = SVGText.text("Memory of the optimize run over time", x: 10, y: 22, class: "title")
    content += SVGText.text(
      "all processes of the run together, shared pages counted once (PSS); first measured run of each side", x: 10,
      y: 39,
      class: "quiet")
    for number in 0...Int((highest / step).rounded()) {
      let at = y(Double(number) * step)
      content += line(left, at, width - right, at, class: "grid")
      content += SVGText.text(
        "\(SVGText.number(Double(number) * step)) MiB", x: left - 8, y: at + 4, class: "quiet", anchor: "end")
    }
    let pace = tick(seconds, 8)
    for number in 0...Int(seconds / pace) {
      let at = x(Double(number) * pace)
      content += line(at, height - bottom, at, height - bottom + 4, class: "grid")
      content += SVGText.text(
        "\(SVGText.number(Double(number) * pace)) s", x: at, y: height - bottom + 18, class: "quiet", anchor: "middle")
    }
    for (index, timeline) in timelines.enumerated() {
      content += curve(
        timeline, index: index, labels: labels, severalPythons: Set(timelines.map(\.python)).count > 1, x, y)
    }
    if points.isEmpty { content += SVGText.text("Nothing was seen.", x: left + 10, y: top + 20, class: "quiet") }
    return SVGText.document(
      width: width, height: height, title: "Memory of the optimize run over time", style: style, content: content)
  }

  private static func curve(
    _ timeline: MemoryTimeline, index: Int, labels: [Side: String], severalPythons: Bool, _ x: (Double) -> Double,
    _ y: (Double) -> Double
  ) -> String {
    guard let peak = timeline.points.max(by: { $0.pssBytes < $1.pssBytes }) else { return "" }
    let kind = timeline.side == .base ? "base" : "head"
    let dash = index > 1 ? " stroke-dasharray=\"\(3 + index) 3\"" : ""
    let path = timeline.points.map { "\(SVGText.number(x($0.seconds))),\(SVGText.number(y(mebibytes($0))))" }
    var content = "<polyline class=\"\(kind)\"\(dash) points=\"\(path.joined(separator: " "))\"/>\n"
    let (peakX, peakY) = (x(peak.seconds), y(mebibytes(peak)))
    content +=
      "<circle cx=\"\(SVGText.number(peakX))\" cy=\"\(SVGText.number(peakY))\" r=\"4\" class=\"\(kind)-peak\">"
      + "<title>\(Numbers.bytes(peak.pssBytes)) in \(peak.processes) processes</title></circle>\n"
    let label = labels[timeline.side] ?? timeline.side.rawValue
    let words =
      "\(timeline.side.rawValue) \(label)" + (severalPythons ? ", Python \(timeline.python)" : "")
      + ": peak \(Numbers.bytes(peak.pssBytes)) at \(Numbers.seconds(peak.seconds))"
    let at = 10 + Double(index % 2) * 490
    let row = 56.0 + Double(index / 2) * 14
    content +=
      "<rect x=\"\(SVGText.number(at))\" y=\"\(SVGText.number(row - 8))\" width=\"14\" height=\"4\" class=\"\(kind)-peak\"/>"
    return content + SVGText.text(words, x: at + 20, y: row, class: "quiet")
  }

  private static func mebibytes(_ point: MemoryTimeline.Point) -> Double { Double(point.pssBytes) / 1_048_576 }

  private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, class name: String) -> String {
    "<line x1=\"\(SVGText.number(x1))\" y1=\"\(SVGText.number(y1))\" x2=\"\(SVGText.number(x2))\" "
      + "y2=\"\(SVGText.number(y2))\" class=\"\(name)\"/>\n"
  }

  /// A round distance (1, 2 or 5 times a power of ten) that makes about `count` of `range`.
  private static func tick(_ range: Double, _ count: Double) -> Double {
    var step = 1.0
    while step * count * 10 <= range { step *= 10 }
    while step * count > range * 10 { step /= 10 }
    return [1.0, 2, 5, 10].map { $0 * step }.first { $0 * count >= range } ?? step * 10
  }

  // Orange and blue are told apart by nearly everybody.
  private static let style = """
    polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
    .base { stroke: #d9822b; } .head { stroke: #2f6fed; } .base-peak { fill: #d9822b; } .head-peak { fill: #2f6fed; }
    .grid { stroke: #d0d7de; stroke-width: 1; }
    @media (prefers-color-scheme: dark) { .grid { stroke: #30363d; } .head { stroke: #6ea8fe; } .head-peak { fill: #6ea8fe; } }
    """
}
