import Statistics

/// In which order the rows of a metric's blocks were measured.
struct SampleOrder: Equatable {
  enum Finding: Equatable {
    /// Some block balances its positions, or the sides take turns in being first.
    case balanced
    /// No block does, and one side always stands first.
    case fixed
    /// No positions are given.
    case unknown
  }

  var finding: Finding
  /// How many blocks there are, and how many of them don't hold both sides in full.
  var blocks: Int
  var incomplete: Int

  /// - Throws: ``AnalysisError/wrongRow(path:line:fault:)`` for two samples in one place.
  init(_ metric: SampleTable.Metric, path: String) throws(AnalysisError) {
    let rows = metric.rows.sorted { ($0.block ?? 0, $0.position ?? 0) < ($1.block ?? 0, $1.position ?? 0) }
    let hasPositions = rows.first?.position != nil
    let complete = Blocks.completeBlocks(
      rows.map { Observation(block: $0.block ?? 0, arm: $0.arm, value: $0.value) })
    var (blocks, balanced, baseFirst, headFirst) = (0, 0, 0, 0)
    var start = 0
    while start < rows.count {
      var end = start
      var offset = 0  // Twice the sum of the base's places less that of the head's.
      while end < rows.count, rows[end].block == rows[start].block {
        if hasPositions, end > start, rows[end].position == rows[end - 1].position {
          throw .wrongRow(
            path: path, line: max(rows[end].line, rows[end - 1].line),
            fault: "'\(metric.name)' has another sample in block \(rows[end].block ?? 0), position "
              + "\(rows[end].position ?? 0): line \(min(rows[end].line, rows[end - 1].line))")
        }
        offset += (end - start) * (rows[end].arm == .base ? 1 : -1)
        end += 1
      }
      blocks += 1
      if complete.contains(rows[start].block ?? 0) {
        if offset == 0 { balanced += 1 }
        if rows[start].arm == .base { baseFirst += 1 } else { headFirst += 1 }
      }
      start = end
    }
    self.blocks = blocks
    incomplete = blocks - complete.count
    let isFixed = balanced == 0 && (baseFirst == 0 || headFirst == 0)
    finding = !hasPositions ? .unknown : isFixed ? .fixed : .balanced
  }
}
