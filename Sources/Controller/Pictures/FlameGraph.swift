import Shared

/// Flame graphs as self-contained SVG: the outermost call on top, each box as wide as what it and its callees weigh.
/// Form: Brendan Gregg's flame graphs and their differential kind (brendangregg.com/flamegraphs.html).
///
/// A click on a box shows it over the whole width, where the viewer runs scripts; without, the picture stays as it is.
struct FlameGraph {
  /// The module that is measured: its own code is coloured apart.
  var importName: String

  private static let width = 1200.0
  private static let margin = 10.0
  private static let row = 18.0
  private static let top = 64.0
  /// Boxes narrower than this, in points, are left out, and no more than this many are drawn.
  private static let narrowest = 0.6
  private static let most = 4000
  private static let deepest = 150

  /// One side's profile.
  func svg(_ profile: StackProfile, label: String) -> String {
    let tree = FlameTree(head: profile)
    let subtitle = "\(label), Python \(profile.python), by \(profile.tool): \(Self.value(tree.head, profile.unit))"
    return document(
      tree, unit: profile.unit, title: profile.metric, subtitle: subtitle, leftOut: profile.leftOut,
      legend: [("own", "\(importName)"), ("other", "other packages"), ("standard", "Python itself")]
    ) { node in
      Box(
        colour: kind(of: node),
        words: "\(Self.value(node.head, profile.unit)) (\(Self.percent(node.head, of: tree.head)))")
    }
  }

  /// Both sides in one picture, with the head's difference as colour.
  func difference(base: StackProfile, head: StackProfile, labels: (base: String, head: String)) -> String {
    let tree = FlameTree(base: base, head: head)
    let unit = head.unit
    // Full colour for a change of a twentieth of the larger side: smaller ones fade.
    let full = max(tree.base, tree.head) / 20
    let more = unit == .bytes ? "holds more" : "spends more"
    let less = unit == .bytes ? "holds less" : "spends less"
    let subtitle =
      "head \(labels.head) (\(Self.value(tree.head, unit))) against base \(labels.base) (\(Self.value(tree.base, unit))), "
      + "Python \(head.python), by \(head.tool)"
    return document(
      tree, unit: unit, title: "\(head.metric): what changed", subtitle: subtitle,
      leftOut: max(base.leftOut, head.leftOut),
      legend: [
        ("grew", "red: the head \(more)"), ("shrank", "blue: the head \(less)"), ("same", "the same"),
        ("none", "a box is as wide as its larger side"),
      ]
    ) { node in
      let change = node.head - node.base
      let strength = full > 0 ? min(1, abs(change) / full) : 0
      let side = node.base == 0 ? ", new" : node.head == 0 ? ", gone" : ""
      return Box(
        colour: strength < 0.05 ? "same" : change > 0 ? "grew" : "shrank", strength: max(0.25, strength),
        words: "base \(Self.value(node.base, unit)), head \(Self.value(node.head, unit)): "
          + "\(change > 0 ? "+" : "")\(Self.value(change, unit))\(side)")
    }
  }

  private struct Box {
    var colour: String
    var strength = 1.0
    var words: String
  }

  private func kind(of node: FlameTree) -> String {
    if node.file == importName || node.file.hasPrefix(importName + "/") { return "own" }
    if node.file.isEmpty || node.file.hasPrefix("<") { return "standard" }
    // Packages have folders; so have those of the standard library, which no path tells apart here.
    let package = node.file.split(separator: "/").first.map(String.init) ?? ""
    let isStandard = !node.file.contains("/") || Self.standardPackages.contains(package)
    return isStandard ? "standard" : "other"
  }

  private static let standardPackages: Set<String> = [
    "asyncio", "collections", "concurrent", "ctypes", "email", "encodings", "html", "http", "importlib", "json",
    "logging",
    "multiprocessing", "re", "sqlite3", "unittest", "urllib", "xml",
  ]

  // MARK: Drawing

  private func document(
    _ tree: FlameTree, unit: StackProfile.Unit, title: String, subtitle: String, leftOut: Double,
    legend: [(kind: String, words: String)], box: @escaping (FlameTree) -> Box
  ) -> String {
    var drawing = Drawing(box: box, scale: tree.width > 0 ? (Self.width - 2 * Self.margin) / tree.width : 0)
    if tree.width > 0 { drawing.add(tree, x: Self.margin, depth: 0) }
    var notes = subtitle
    if drawing.leftOut > 0 { notes += "; \(drawing.leftOut) narrow boxes are not drawn" }
    if leftOut > 0 { notes += "; rare stacks of \(Self.value(leftOut, unit)) are not in it" }
    var content = SVGText.text(title, x: Self.margin, y: 22, class: "title")
    content += SVGText.text(notes, x: Self.margin, y: 39, class: "quiet")
    var x = Self.margin
    for entry in legend {
      if entry.kind != "none" {
        content +=
          "<rect x=\"\(SVGText.number(x))\" y=\"46\" width=\"11\" height=\"11\" class=\"\(entry.kind)\" rx=\"2\"/>"
        x += 15
      }
      content += SVGText.text(entry.words, x: x, y: 56, class: "quiet")
      x += 6.2 * Double(entry.words.count) + 18
    }
    content += tree.width > 0 ? "<g id=\"boxes\">\n\(drawing.content)</g>\n" : ""
    if tree.width == 0 { content += SVGText.text("Nothing was seen.", x: Self.margin, y: 90, class: "quiet") }
    content += tree.width > 0 ? Self.script : ""
    return SVGText.document(
      width: Self.width, height: Self.top + Self.row * Double(drawing.depth + 1) + Self.margin, title: title,
      style: Self.style, content: content)
  }

  private struct Drawing {
    let box: (FlameTree) -> Box
    let scale: Double
    var content = ""
    var count = 0
    var leftOut = 0
    var depth = 0

    mutating func add(_ node: FlameTree, x: Double, depth: Int) {
      let width = node.width * scale
      guard width >= FlameGraph.narrowest, count < FlameGraph.most, depth < FlameGraph.deepest else {
        leftOut += 1
        return
      }
      count += 1
      self.depth = max(self.depth, depth)
      let box = box(node)
      let y = FlameGraph.top + FlameGraph.row * Double(depth)
      let name = SVGText.escaped(node.name)
      let place = node.file.isEmpty ? "" : " – \(SVGText.escaped(node.file))"
      let opacity = box.strength < 1 ? " fill-opacity=\"\(SVGText.number(box.strength))\"" : ""
      content += "<g data-n=\"\(name)\"><title>\(name)\(place): \(SVGText.escaped(box.words))</title>"
      content +=
        "<rect x=\"\(SVGText.number(x))\" y=\"\(SVGText.number(y))\" width=\"\(SVGText.number(max(0.2, width - 0.5)))\" "
        + "height=\"\(SVGText.number(FlameGraph.row - 1))\" class=\"\(box.colour)\"\(opacity) rx=\"2\"/>"
      let shown = FlameGraph.fitting(node.name, in: width)
      content += "<text x=\"\(SVGText.number(x + 3))\" y=\"\(SVGText.number(y + 12.5))\" class=\"box\">"
      content += "\(SVGText.escaped(shown))</text></g>\n"
      var childX = x
      for child in node.sorted {
        add(child, x: childX, depth: depth + 1)
        childX += child.width * scale
      }
    }
  }

  /// As much of a name as a box has room for; nothing where that would say nothing.
  private static func fitting(_ name: String, in width: Double) -> String {
    let room = Int((width - 6) / 6.6)
    if name.count <= room { return name }
    return room >= 4 ? String(name.prefix(room - 1)) + "…" : ""
  }

  private static func value(_ value: Double, _ unit: StackProfile.Unit) -> String {
    switch unit {
    case .seconds: Numbers.seconds(value)
    case .bytes: (value < 0 ? "-" : "") + Numbers.bytes(Int(min(abs(value), 1e18)))
    }
  }

  private static func percent(_ part: Double, of whole: Double) -> String {
    whole > 0 ? "\(Numbers.fixed(part / whole * 100, 1)) %" : "0 %"
  }

  // Hues that stay apart for people who see few of them; the same on light and dark.
  private static let style = """
    .own { fill: #f2994a; } .other { fill: #6bbfb0; } .standard { fill: #9fb3d1; }
    .grew { fill: #e5484d; } .shrank { fill: #3e7bfa; } .same { fill: #b9bec6; }
    #boxes g { cursor: pointer; } #boxes g:hover rect { stroke: #1b1f24; stroke-width: 1; }
    .box { fill: #10151c; font-size: 11px; pointer-events: none; }
    @media (prefers-color-scheme: dark) { #boxes rect.same { fill: #6e7681; } .box { fill: #0a0d12; }
      #boxes g:hover rect { stroke: #ffffff; } }
    """

  private static let script = """
    <script><![CDATA[
    (function () {
      var margin = 10, full = 1180, boxes = Array.prototype.slice.call(document.querySelectorAll('#boxes g'));
      boxes.forEach(function (g) {
        var r = g.querySelector('rect');
        g.box = [parseFloat(r.getAttribute('x')), parseFloat(r.getAttribute('width')), parseFloat(r.getAttribute('y'))];
        g.addEventListener('click', function () { zoom(g === boxes[0] ? null : g); });
      });
      function zoom(on) {
        var x0 = on ? on.box[0] : margin, scale = on ? full / (on.box[1] + 0.5) : 1;
        boxes.forEach(function (g) {
          var r = g.querySelector('rect'), t = g.querySelector('text'), b = g.box;
          var left = margin + (b[0] - x0) * scale, right = left + (b[1] + 0.5) * scale;
          var above = on && b[2] < on.box[2];
          if (above) { var covers = b[0] <= x0 + 0.01 && b[0] + b[1] + 0.51 >= x0 + on.box[1]; left = margin; right = margin + full;
            if (!covers) { right = left; } }
          left = Math.max(margin, left); right = Math.min(margin + full, right);
          var width = right - left - 0.5;
          g.style.display = width < 0.2 ? 'none' : '';
          r.setAttribute('x', left); r.setAttribute('width', Math.max(0.2, width)); t.setAttribute('x', left + 3);
          var name = g.getAttribute('data-n'), room = Math.floor((width - 6) / 6.6);
          t.textContent = name.length <= room ? name : room >= 4 ? name.slice(0, room - 1) + '…' : '';
        });
      }
    })();
    ]]></script>

    """
}
