import Shared
import Statistics

/// A CSV file of samples, a line each: `metric,block,position,side,value`, and `unit` and `layer` if wanted.
struct SampleTable {
  struct Row: Equatable {
    /// `nil` where the fields are empty.
    var block: Int?
    var position: Int?
    var arm: Observation.Arm
    var value: Double
    var line: Int
  }

  struct Metric: Equatable {
    var name: String
    var layer: LayerName
    var unit: MetricUnit
    var rows: [Row] = []
  }

  var path: String
  var metrics: [Metric] = []
  var caveats: [String] = []

  /// - Throws: ``AnalysisError`` that names the line.
  init(_ file: AnalysisInputs.SampleFile) throws(AnalysisError) {
    path = file.path
    // Reading a number looks one byte beyond its field.
    var bytes = file.bytes
    bytes.append(0)
    let read = bytes.withUnsafeBufferPointer { buffer -> Result<SampleTable, AnalysisError> in
      let text = UnsafeBufferPointer(rebasing: buffer.dropLast())
      return Result { () throws(AnalysisError) in
        var reader = SampleTableReader(records: CSVRecords(text), path: file.path)
        return SampleTable(path: file.path, metrics: try reader.readAll(), caveats: reader.caveats)
      }
    }
    self = try read.get()
    guard metrics.contains(where: { !$0.rows.isEmpty }) else { throw .noRows(path: path) }
  }

  private init(path: String, metrics: [Metric], caveats: [String]) {
    self.path = path
    self.metrics = metrics
    self.caveats = caveats
  }
}

/// Which field of a line holds what.
struct SampleColumns: Equatable {
  var metric = 0
  var block = 1
  var position = 2
  var side = 3
  var value = 4
  var unit: Int?
  var layer: Int?
  var count = 5

  struct Fault: Error {
    var words: String
  }

  init() {}

  /// From the header; columns stand in any order.
  init(_ names: [String]) throws(Fault) {
    let names = names.map { $0.drop { $0 == " " } }.map { String($0.reversed().drop { $0 == " " }.reversed()) }
    let needed = ["metric", "block", "position", "side", "value"]
    let missing = needed.filter { !names.contains($0) }
    guard missing.isEmpty else { throw Fault(words: "it does not have \(missing.joined(separator: ", "))") }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw Fault(words: "it has '\(twice)' twice")
    }
    if let unknown = names.first(where: { !(needed + ["unit", "layer"]).contains($0) }) {
      throw Fault(words: "nothing is known of a column '\(unknown)'")
    }
    func place(_ name: String) -> Int? { names.firstIndex(of: name) }
    metric = place("metric") ?? 0
    block = place("block") ?? 0
    position = place("position") ?? 0
    side = place("side") ?? 0
    value = place("value") ?? 0
    unit = place("unit")
    layer = place("layer")
    count = names.count
  }
}

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
