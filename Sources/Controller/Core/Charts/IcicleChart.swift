/// The boxes of an ``Icicle`` as SVG: each with its name, a tooltip and a click that zooms.
///
/// A box is an `svg` element of its own: it cuts its text at its edge, and zooming sets no more than its place and
/// width.
enum IcicleChart {
  static let width = 1200.0
  static let margin = 10.0
  /// Width of the boxes of the whole.
  static let inner = width - 2 * margin
  static let rowHeight = 17.0

  /// What one box shows: a class for its colour, and the lines of its tooltip, of which the first is its name too.
  /// Lines are not escaped yet.
  struct Face {
    var style: String
    var lines: [String]
  }

  /// A strip of boxes from `y` on, `scale` pixels for a unit of weight.
  static func strip(_ icicle: Icicle, y: Double, scale: Double, face: (Icicle.Box) -> Face) -> String {
    let boxes = icicle.boxes.map { box(face($0), $0, y: y, scale: scale) }
    return "<g class=\"strip\">\n\(boxes.joined())</g>\n"
  }

  private static func box(_ face: Face, _ box: Icicle.Box, y: Double, scale: Double) -> String {
    let width = box.weight * scale
    let label = SVG.fitted(TerminalText.clean(face.lines.first ?? "", limit: SVG.nameLimit), width: width - 6)
    let tooltip = face.lines.map { SVG.text($0, limit: 2 * SVG.nameLimit) }.joined(separator: "\n")
    let text = label.isEmpty ? "" : "<text x=\"3\" y=\"12\">\(SVG.text(label))</text>"
    return "<svg class=\"\(face.style)\" x=\"\(SVG.number(margin + box.start * scale))\" "
      + "y=\"\(Int(y + Double(box.row) * rowHeight))\" width=\"\(SVG.number(width))\" height=\"\(Int(rowHeight))\">"
      + "<title>\(tooltip)</title><rect width=\"100%\" height=\"100%\"/>\(text)</svg>\n"
  }

  /// A square of a colour with its meaning behind it, and how much room both take.
  static func legend(_ entries: [(styles: [String], words: String)], y: Double) -> String {
    var (x, text) = (margin, "")
    for entry in entries {
      for style in entry.styles {
        text += "<g class=\"\(style)\">\(SVG.rectangle("swatch", x: x, y: y - 10, width: 12, height: 12))</g>\n"
        x += 14
      }
      text += SVG.line(entry.words, x: x + 4, y: y, width: 500, style: "quiet")
      x += 28 + 6.6 * Double(min(entry.words.count, 80))
    }
    return text
  }

  /// The words that the script fills: without it nothing can be clicked.
  static func hint(y: Double) -> String {
    "<text id=\"hint\" class=\"quiet\" x=\"\(SVG.number(width - margin))\" y=\"\(SVG.number(y))\" "
      + "text-anchor=\"end\"></text>\n"
  }

  static let style = """
    .strip text { font: 11px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
    .strip rect, .swatch { stroke: #ffffff; stroke-width: 1 }
    .strip .above { opacity: 0.7 }
    .rest rect { fill: #f0f0f0 }
    .strip .rest text { fill: #59636e }
    @media (prefers-color-scheme: dark) {
      .strip rect, .swatch { stroke: #0d1117 }
      .rest rect { fill: #24282e }
      .strip .rest text { fill: #9aa4af }
    }

    """

  /// A click makes a box as wide as the strip, with its callers above it; another one, or Escape, undoes it.
  static let script = """
    (() => {
      const left = \(Int(margin)), full = \(Int(inner)), letter = \(SVG.letterWidth), near = 0.05;
      const hint = document.getElementById('hint'), resets = [];
      const say = zoomed => {
        hint.textContent = zoomed ? 'Click the same box again or press Escape to zoom out' : 'Click a box to zoom in';
      };
      for (const strip of document.querySelectorAll('.strip')) {
        let current = null;
        const boxes = [...strip.querySelectorAll('svg')].map(element => ({
          element, x: +element.getAttribute('x'), y: +element.getAttribute('y'), w: +element.getAttribute('width'),
          label: element.querySelector('text'), name: element.querySelector('title').textContent.split('\\n')[0],
        }));
        const zoom = to => {
          current = to;
          const z = to || { x: left, y: 0, w: full };
          for (const box of boxes) {
            const above = box.y < z.y && box.x <= z.x + near && box.x + box.w >= z.x + z.w - near;
            const inside = box.y >= z.y && box.x >= z.x - near && box.x + box.w <= z.x + z.w + near;
            const width = above ? full : box.w * full / z.w;
            box.element.style.display = above || inside ? '' : 'none';
            box.element.classList.toggle('above', above);
            box.element.setAttribute('x', above ? left : left + (box.x - z.x) * full / z.w);
            box.element.setAttribute('width', width);
            if (!box.label) {
              box.label = document.createElementNS('http://www.w3.org/2000/svg', 'text');
              box.label.setAttribute('x', 3);
              box.label.setAttribute('y', 12);
              box.element.append(box.label);
            }
            const room = Math.floor((width - 6) / letter);
            const fits = box.name.length <= room;
            box.label.textContent = room < 3 ? '' : fits ? box.name : box.name.slice(0, room - 1) + '…';
          }
          say(to);
        };
        resets.push(() => current && zoom(null));
        strip.addEventListener('click', event => {
          const element = event.target.closest('.strip svg');
          const box = boxes.find(box => box.element === element);
          if (box) zoom(box === current ? null : box);
        });
      }
      document.addEventListener('keydown', event => { if (event.key === 'Escape') resets.forEach(reset => reset()); });
      if (resets.length && document.querySelector('.strip svg')) say(false);
    })();
    """
}
