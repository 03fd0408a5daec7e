import Shared

/// Memory of the runs' process trees over time, as a picture: a line for each side with its peak, and the number of
/// processes below, which explains most steps.
enum TimelinePicture {
  private static let width = 960.0
  private static let plot = (left: 70.0, right: 930.0, top: 108.0, bottom: 388.0)
  private static let counts = (top: 436.0, bottom: 476.0)

  /// A whole SVG file.
  /// - Parameters:
  ///   - timelines: Of one metric; usually one for each side.
  ///   - labels: The sides' names in every table.
  ///   - title: What ran.
  static func svg(_ timelines: [MemoryTimeline], labels: [Side: String], title: String) -> String {
    let lines = TimelineLine.all(timelines, labels: labels)
    let scale = Scale(lines)
    var body = SVG.line(title, x: 10, y: 24, width: 940, style: "title", size: 16)
    body += SVG.line(
      "Memory of all processes of the run together (PSS: a page that several share counts once)", x: 10, y: 43,
      width: 940, style: "quiet")
    body += legend(lines)
    guard lines.contains(where: { !$0.points.isEmpty }) else {
      body += SVG.line("Memory was not looked at.", x: 10, y: 130, width: 940, style: "title", size: 16)
      return SVG.document(width: width, height: 150, name: "Memory over time: \(title)", style: style, body: body)
    }
    body += scale.grid + lines.map { drawn($0, scale) }.joined() + peaks(lines, scale) + processes(lines, scale)
    return SVG.document(width: width, height: 520, name: "Memory over time: \(title)", style: style, body: body)
  }

  private static func legend(_ lines: [TimelineLine]) -> String {
    lines.enumerated().map { number, line in
      let x = 10 + 470 * Double(number % 2)
      let y = 66 + 17 * Double(number / 2)
      return "<line class=\"line \(line.style)\" x1=\"\(SVG.number(x))\" x2=\"\(SVG.number(x + 26))\" "
        + "y1=\"\(SVG.number(y - 4))\" y2=\"\(SVG.number(y - 4))\"/>\n"
        + SVG.line(line.words, x: x + 34, y: y, width: 425, style: "plain")
    }.joined()
  }

  private static func drawn(_ line: TimelineLine, _ scale: Scale) -> String {
    let places = line.points.map { scale.place($0) }
    let path = places.map { "\(SVG.number($0.x)),\(SVG.number($0.y))" }.joined(separator: " ")
    return "<g><title>\(SVG.text(line.words))</title>"
      + "<polyline class=\"line \(line.style)\" points=\"\(path)\"/></g>\n"
  }

  /// A dot and the value at each side's peak. The highest has its words above the dot; another one just below it, under
  /// its own, where no line is.
  private static func peaks(_ lines: [TimelineLine], _ scale: Scale) -> String {
    var taken: [(x: Double, y: Double)] = []
    return lines.compactMap { line in line.peak.map { (line, $0) } }
      .sorted { $0.1.pssBytes > $1.1.pssBytes }
      .map { line, peak in
        let place = scale.place(peak)
        let x = min(max(place.x, plot.left + 50), plot.right - 50)
        let isClose = taken.contains { abs($0.x - x) < 110 && abs($0.y - place.y) < 60 }
        var y = isClose ? place.y + 18 : place.y - 8
        while taken.contains(where: { abs($0.x - x) < 110 && abs($0.y - y) < 14 }) { y += 7 }
        taken.append((x, y))
        return
          "<circle class=\"dot \(line.style)\" cx=\"\(SVG.number(place.x))\" cy=\"\(SVG.number(place.y))\" r=\"4\">"
          + "<title>\(SVG.text(line.words))</title></circle>\n"
          + "<text class=\"peak \(line.style)\" text-anchor=\"middle\" x=\"\(SVG.number(x))\" y=\"\(SVG.number(y))\">"
          + "\(line.side.rawValue) \(Numbers.bytes(peak.pssBytes))</text>\n"
      }.joined()
  }

  private static func processes(_ lines: [TimelineLine], _ scale: Scale) -> String {
    let most = lines.flatMap(\.points).map(\.processes).max() ?? 0
    let axis = Axis(largest: Double(most), marks: 1)
    let height = counts.bottom - counts.top
    var text = SVG.line("Processes (at most \(most))", x: plot.left, y: counts.top - 8, width: 400, style: "quiet")
    text += scale.horizontal(counts.bottom, "0") + scale.horizontal(counts.top, axis.words(axis.end))
    for (number, line) in lines.enumerated() {
      // Equal counts would hide each other: the second line is drawn a little lower.
      let shift = 1.5 * Double(number)
      var path = ""
      var before: Double?
      for point in line.points {
        let (x, y) = (scale.place(point).x, counts.bottom - height * Double(point.processes) / axis.end + shift)
        if let before { path += "\(SVG.number(x)),\(SVG.number(before)) " }
        path += "\(SVG.number(x)),\(SVG.number(y)) "
        before = y
      }
      text += "<polyline class=\"step \(line.style)\" points=\"\(path.dropLast())\"/>\n"
    }
    return text
  }

  /// From seconds and bytes to places in the picture.
  struct Scale {
    private let time: Axis
    private let memory: Axis
    /// The unit of the marks, in bytes.
    private let unit: (bytes: Double, name: String)

    init(_ lines: [TimelineLine]) {
      let points = lines.flatMap(\.points)
      let most = Double(points.map(\.pssBytes).max() ?? 0)
      let mebibyte = 1048576.0
      unit = most >= 8192 * mebibyte ? (1024 * mebibyte, "GiB") : (mebibyte, "MiB")
      // A little room above the highest peak for its words.
      memory = Axis(largest: 1.06 * most / unit.bytes, marks: 5)
      time = Axis(largest: points.map(\.seconds).max() ?? 0, marks: 10)
    }

    func place(_ point: MemoryTimeline.Point) -> (x: Double, y: Double) {
      (x: x(point.seconds), y: y(Double(point.pssBytes) / unit.bytes))
    }

    private func x(_ seconds: Double) -> Double { plot.left + (plot.right - plot.left) * seconds / time.end }
    private func y(_ value: Double) -> Double { plot.bottom - (plot.bottom - plot.top) * value / memory.end }

    var grid: String {
      var text = ""
      for mark in memory.marks { text += horizontal(y(mark), "\(memory.words(mark)) \(unit.name)") }
      for mark in time.marks {
        text += "<line class=\"grid\" x1=\"\(SVG.number(x(mark)))\" x2=\"\(SVG.number(x(mark)))\" "
        text += "y1=\"\(SVG.number(plot.top))\" y2=\"\(SVG.number(plot.bottom))\"/>\n"
        text += words("\(time.words(mark)) s", x: x(mark), y: plot.bottom + 17, anchor: "middle")
        text += words("\(time.words(mark)) s", x: x(mark), y: counts.bottom + 17, anchor: "middle")
      }
      return text + words("since the start of the run", x: plot.right, y: counts.bottom + 34, anchor: "end")
    }

    func horizontal(_ y: Double, _ mark: String) -> String {
      "<line class=\"grid\" x1=\"\(SVG.number(plot.left))\" x2=\"\(SVG.number(plot.right))\" y1=\"\(SVG.number(y))\" "
        + "y2=\"\(SVG.number(y))\"/>\n" + words(mark, x: plot.left - 6, y: y + 4, anchor: "end")
    }

    private func words(_ words: String, x: Double, y: Double, anchor: String) -> String {
      "<text class=\"quiet\" text-anchor=\"\(anchor)\" x=\"\(SVG.number(x))\" y=\"\(SVG.number(y))\">\(words)</text>\n"
    }
  }

  /// Blue and vermilion of Okabe and Ito's palette, which people with any colour vision tell apart
  /// (https://jfly.uni-koeln.de/color/).
  private static let style = """
    .grid { stroke: #d8dde2; stroke-width: 1 }
    .line, .step { fill: none; stroke-width: 2; stroke-linejoin: round }
    .step { stroke-width: 1.5 }
    .peak { font-weight: 600; paint-order: stroke; stroke: #ffffff; stroke-width: 4; stroke-linejoin: round }
    .line.base, .step.base { stroke: #0072b2 }
    .line.head, .step.head { stroke: #d55e00 }
    .dot.base { fill: #0072b2 }
    .dot.head { fill: #d55e00 }
    .again { stroke-dasharray: 6 4 }
    .dot { stroke: #ffffff; stroke-width: 1.5; stroke-dasharray: none }
    @media (prefers-color-scheme: dark) {
      .grid { stroke: #2a3038 }
      .line.base, .step.base { stroke: #56b4e9 }
      .line.head, .step.head { stroke: #f08a3c }
      .dot.base { fill: #56b4e9 }
      .dot.head { fill: #f08a3c }
      .dot, .peak { stroke: #0d1117 }
    }

    """
}
