import Foundation
import Shared

/// The few words of SVG 2 (https://www.w3.org/TR/SVG2/) that the pictures are made of.
///
/// A picture is one file without references to others: it must show in a browser, as an image on GitHub (where scripts
/// don't run) and in light and dark surroundings. Lengths are in pixels of a picture at its own size.
package enum SVG {
  /// Names longer than this are cut, in characters: their start says enough.
  package static let nameLimit = 200
  /// Width of a letter of the monospaced font that boxes are labelled with, in pixels at 11 pixels' height. The widest
  /// of the usual ones (DejaVu Sans Mono, Menlo) have 0.602 of their height.
  static let letterWidth = 6.65

  /// Text of unknown origin as content of an element or a quoted attribute: one line, without control characters and
  /// what else XML 1.0 does not allow (section 2.2).
  package static func text(_ raw: String, limit: Int = nameLimit) -> String {
    // One letter may carry any number of accents, so the marks are limited too.
    let clean = TerminalText.clean(String(String.UnicodeScalarView(raw.unicodeScalars.prefix(4 * limit))), limit: limit)
    var escaped = String.UnicodeScalarView()
    for scalar in clean.unicodeScalars {
      switch scalar {
      case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
      case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
      case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
      case "'": escaped.append(contentsOf: "&#39;".unicodeScalars)
      case "\u{FFFE}", "\u{FFFF}": continue
      default: escaped.append(scalar)
      }
    }
    return String(escaped)
  }

  /// A length or place with two decimals, enough for a box that is zoomed to the whole width.
  package static func number(_ value: Double) -> String { Numbers.fixed(value, 2) }

  /// What of a text fits into `width` pixels of the monospaced font, with `…` for the rest; empty when next to nothing
  /// fits. Not escaped yet.
  static func fitted(_ raw: String, width: Double, letterWidth: Double = letterWidth) -> String {
    let room = Int(max(0, width / letterWidth))
    var (cells, kept) = (0, "")
    for character in raw {
      // East Asian letters and pictures take two places.
      cells += (character.unicodeScalars.first?.value ?? 0) >= 0x1100 ? 2 : 1
      if cells > room { break }
      kept.append(character)
    }
    if cells <= room { return kept }
    return room < 3 ? "" : String(kept.dropLast()) + "…"
  }

  /// A line of text in the proportional font, cut where the picture ends; `raw` is escaped here.
  package static func line(
    _ raw: String, x: Double, y: Double, width: Double, style: String, size: Double = 12
  ) -> String {
    let words = text(fitted(raw, width: width, letterWidth: 0.56 * size))
    return "<text class=\"\(style)\" x=\"\(number(x))\" y=\"\(number(y))\">\(words)</text>\n"
  }

  static func rectangle(_ style: String, x: Double, y: Double, width: Double, height: Double) -> String {
    "<rect class=\"\(style)\" x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" "
      + "height=\"\(number(height))\"/>\n"
  }

  /// A whole file. `name` is read out by screen readers; `style` is CSS behind the common one.
  package static func document(
    width: Double, height: Double, name: String, style: String, body: String, script: String? = nil
  ) -> String {
    let size = "width=\"\(number(width))\" height=\"\(number(height))\""
    let box = "viewBox=\"0 0 \(number(width)) \(number(height))\""
    let code = script.map { "<script><![CDATA[\n\($0)\n]]></script>\n" } ?? ""
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" \(size) \(box) role=\"img\" aria-label=\"\(text(name))\">\n"
      + "<style>\n\(commonStyle)\(style)</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n"
      + body + code + "</svg>\n"
  }

  /// Plain classes and no CSS variables, which some viewers other than browsers don't know.
  private static let commonStyle = """
    text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
    .title { font-size: 16px; font-weight: 600 }
    .quiet { fill: #59636e }
    .paper { fill: #ffffff }
    :root { background: #ffffff }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6e9ed }
      .quiet { fill: #9aa4af }
      .paper { fill: #0d1117 }
      :root { background: #0d1117 }
    }

    """
}

/// An axis from 0 to a round end, with marks at round numbers.
struct Axis: Equatable {
  /// Between two marks, in the axis' unit: 1, 2 or 5 times a power of ten.
  var step: Double
  /// The last mark, not below the largest value.
  var end: Double

  /// - Parameters:
  ///   - largest: Of the values to be shown; anything but a number above 0 gives an axis to 1.
  ///   - marks: About how many marks there are room for.
  init(largest: Double, marks: Int) {
    let largest = largest > 1e-9 && largest < 1e15 ? largest : 1
    let rough = largest / Double(max(1, marks))
    let power = pow(10, log10(rough).rounded(.down))
    step = ([1, 2, 5].map { $0 * power }.first { $0 >= rough * (1 - 1e-9) }) ?? 10 * power
    end = (largest / step - 1e-9).rounded(.up) * step
  }

  var marks: [Double] { (0...Int((end / step).rounded())).map { Double($0) * step } }

  /// A mark's number with the decimals that the step has.
  func words(_ mark: Double) -> String { Numbers.fixed(mark, max(0, Int((-log10(step) - 1e-9).rounded(.up)))) }
}

/// One line of a ``TimelinePicture``.
struct TimelineLine {
  /// More points than this can't be seen in the picture's width.
  private static let mostPoints = 800

  var side: Side
  /// CSS classes of its colour and dashes.
  var style: String
  /// The side, its label and its peak.
  var words: String
  var points: [MemoryTimeline.Point]
  var peak: MemoryTimeline.Point?

  /// Base before head. Sides measured with several Pythons have a line for each, dashed from the second on.
  static func all(_ timelines: [MemoryTimeline], labels: [Side: String]) -> [TimelineLine] {
    let hasSeveralPythons = Set(timelines.map(\.python)).count > 1
    return Side.allCases.flatMap { side in
      timelines.filter { $0.side == side }.enumerated().map { number, timeline in
        let points = timeline.points.filter { $0.seconds >= 0 && $0.seconds < 1e9 }.map(\.withoutNegatives)
        let peak = points.max { $0.pssBytes < $1.pssBytes }
        let label = labels[side].map { " (\(TerminalText.clean($0, limit: 30)))" } ?? ""
        let python = hasSeveralPythons ? ", Python \(TerminalText.clean(timeline.python, limit: 10))" : ""
        let end = peak.map { "peak \(Numbers.bytes($0.pssBytes)) at \(Numbers.seconds($0.seconds))" } ?? "nothing seen"
        return TimelineLine(
          side: side, style: number == 0 ? side.rawValue : "\(side.rawValue) again",
          words: "\(side.rawValue)\(label)\(python): \(end)", points: thinned(points), peak: peak)
      }
    }
  }

  /// The highest of each handful, so that no peak is lost.
  private static func thinned(_ points: [MemoryTimeline.Point]) -> [MemoryTimeline.Point] {
    guard points.count > mostPoints else { return points }
    let handful = (points.count + mostPoints - 1) / mostPoints
    return stride(from: 0, to: points.count, by: handful).compactMap { start in
      points[start..<min(start + handful, points.count)].max { $0.pssBytes < $1.pssBytes }
    }
  }
}

extension MemoryTimeline.Point {
  fileprivate var withoutNegatives: Self {
    .init(
      seconds: seconds, pssBytes: max(0, pssBytes), rssBytes: max(0, rssBytes),
      processes: min(max(0, processes), 1_000_000))
  }
}
