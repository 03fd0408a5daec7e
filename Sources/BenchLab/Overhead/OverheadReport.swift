import Shared

/// What cf-bench itself costs, each figure beside a peer or a limit, measured in one go.
struct OverheadReport: Codable, Sendable, CustomStringConvertible {
  struct Line: Codable, Sendable {
    var name: String
    /// The figure with its unit or ratio.
    var figure: String
    /// What it was held against.
    var beside: String
    var aim: String
  }
  var lines: [Line] = []

  var description: String {
    let header = Line(name: "what", figure: "measured", beside: "beside", aim: "aim")
    let widths = [\Line.name, \Line.figure, \Line.beside].map { key in
      ([header] + lines).map { $0[keyPath: key].count }.max() ?? 0
    }
    return ([header] + lines).map { line in
      zip([line.name, line.figure, line.beside], widths)
        .map { $0.padding(toLength: $1) + "  " }.joined() + line.aim
    }.joined(separator: "\n")
  }
}

extension String {
  fileprivate func padding(toLength length: Int) -> String {
    self + String(repeating: " ", count: max(0, length - count))
  }
}
