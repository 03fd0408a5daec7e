/// Pieces of SVG (W3C SVG 1.1) as text. Whatever comes from a profile is escaped: a picture must not carry markup or script
/// of somebody else.
enum SVGText {
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      // XML 1.0 knows no control characters but these.
      case "\t", "\n": result += " "
      case _
      where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0xfffe
        || scalar.value == 0xffff:
        continue
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A length with two decimals at the most.
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let hundredths = Int((min(max(value, -1e9), 1e9) * 100).rounded())
    if hundredths % 100 == 0 { return "\(hundredths / 100)" }
    return Numbers.fixed(Double(hundredths) / 100, hundredths % 10 == 0 ? 1 : 2)
  }

  static func text(_ content: String, x: Double, y: Double, class name: String, anchor: String? = nil) -> String {
    let anchor = anchor.map { " text-anchor=\"\($0)\"" } ?? ""
    return "<text x=\"\(number(x))\" y=\"\(number(y))\" class=\"\(name)\"\(anchor)>\(escaped(content))</text>\n"
  }

  /// The whole document. The picture keeps its size where it is shown and shrinks to a narrower window.
  static func document(width: Double, height: Double, title: String, style: String, content: String) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" width="\(number(width))" \
    height="\(number(height))" style="max-width: 100%; height: auto" role="img" aria-label="\(escaped(title))">
    <style>
    svg { background: #ffffff; font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
    text { fill: #1b1f24; }
    .title { font-size: 16px; font-weight: 600; }
    .quiet { fill: #57606a; font-size: 11px; }
    \(style)
    @media (prefers-color-scheme: dark) {
      svg { background: #0d1117; }
      text { fill: #e6edf3; }
      .quiet { fill: #9198a1; }
    }
    </style>
    \(content)</svg>

    """
  }
}
