/// A small table with its heading and a line or two below it, for the terminal and for a page.
struct CalibrationTable {
  var title: String
  var header: [String]
  var rows: [[String]]
  var remarks: [String] = []

  /// Columns in line; the first is of words, the others are of figures.
  var onTerminal: String {
    let lines = [header] + rows
    let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let grid = lines.map { line in
      line.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - line[column].count)
        return column == 0 ? line[column] + space : space + line[column]
      }.joined(separator: "  ")
    }
    return ([title] + grid + remarks).joined(separator: "\n")
  }

  var onPage: String {
    let rule = header.indices.map { $0 == 0 ? "---" : "---:" }
    let lines = ([header, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
    return "## \(title)\n\n" + lines.joined(separator: "\n") + "\n"
      + remarks.map { "\n\($0)\n" }.joined()
  }
}
