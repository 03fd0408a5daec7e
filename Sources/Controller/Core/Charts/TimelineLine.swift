import Shared

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
