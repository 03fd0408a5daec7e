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
