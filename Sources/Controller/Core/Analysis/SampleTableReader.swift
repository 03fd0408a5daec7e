import Shared
import Statistics

/// Reads the lines of a ``SampleTable``.
struct SampleTableReader {
  var records: CSVRecords
  let path: String
  private(set) var caveats: [String] = []
  private var columns = SampleColumns()
  private var metrics: [SampleTable.Metric] = []
  /// Places in `metrics` by a digest of the name's bytes, so that a name is made into a string only once.
  private var placesByDigest: [UInt64: [Known]] = [:]
  private var placesByName: [String: Int] = [:]

  private struct Known {
    var start: Int
    var count: Int
    var metric: Int
  }

  init(records: CSVRecords, path: String) {
    self.records = records
    self.path = path
  }

  mutating func readAll() throws(AnalysisError) -> [SampleTable.Metric] {
    guard try advance() else { throw .empty(path: path) }
    do { columns = try SampleColumns(records.fields.map(records.string)) } catch {
      throw .wrongHeader(path: path, found: records.recordText, fault: error.words)
    }
    while try advance() {
      do { try readRow() } catch {
        // What a program that was stopped left of its last line.
        guard !records.isEnded else { throw error }
        caveats.append("Line \(records.line), the last of \(path), is torn and was left out.")
        return metrics
      }
    }
    if !records.isEnded, !metrics.isEmpty, columns.value == columns.count - 1 {
      caveats.append(
        "Line \(records.line), the last of \(path), has no line break: if the file was cut off there, its value is wrong."
      )
    }
    return metrics
  }

  private mutating func advance() throws(AnalysisError) -> Bool {
    do { return try records.next() } catch {
      throw row(
        error == .unclosedQuote
          ? "a quote in it is never closed" : "after a closing quote stands something else than a comma")
    }
  }

  private mutating func readRow() throws(AnalysisError) {
    let fields = records.fields
    guard fields.count == columns.count else {
      throw row("it has \(fields.count) fields, and the header has \(columns.count)")
    }
    let arm: Observation.Arm
    if records.equals(fields[columns.side], "base") {
      arm = .base
    } else if records.equals(fields[columns.side], "head") {
      arm = .head
    } else {
      throw row("the side '\(text(columns.side))' is neither base nor head")
    }
    guard let value = records.double(fields[columns.value]) else {
      throw row("the value '\(text(columns.value))' is no number")
    }
    let metric = try metric()
    metrics[metric].rows.append(
      .init(
        block: try whole(columns.block, "block"), position: try whole(columns.position, "position"), arm: arm,
        value: value, line: records.line))
  }

  private func whole(_ column: Int, _ name: String) throws(AnalysisError) -> Int? {
    let field = records.fields[column]
    if records.isEmpty(field) { return nil }
    guard let number = records.whole(field) else {
      throw row("the \(name) '\(text(column))' is no whole number from 0 on")
    }
    return number
  }

  /// The place of the row's metric, which is made when it is new.
  private mutating func metric() throws(AnalysisError) -> Int {
    let field = records.fields[columns.metric]
    let count = field.end - field.start
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a
    for place in field.start..<field.end { digest = (digest ^ UInt64(records.text[place])) &* 0x100_0000_01b3 }
    for known in placesByDigest[digest] ?? [] where known.count == count && isSame(known.start, field.start, count) {
      try check(known.metric)
      return known.metric
    }
    guard !records.isEmpty(field) else { throw row("it names no metric") }
    let name = records.string(field)
    let place = placesByName[name] ?? metrics.count
    if place == metrics.count {
      placesByName[name] = place
      metrics.append(.init(name: name, layer: try layer() ?? .micro, unit: try unit() ?? .seconds))
    }
    placesByDigest[digest, default: []].append(Known(start: field.start, count: count, metric: place))
    try check(place)
    return place
  }

  private func isSame(_ one: Int, _ other: Int, _ count: Int) -> Bool {
    for offset in 0..<count where records.text[one + offset] != records.text[other + offset] { return false }
    return true
  }

  /// A metric has one unit and one layer.
  private func check(_ place: Int) throws(AnalysisError) {
    if let unit = try unit(), unit != metrics[place].unit {
      throw row("the unit of '\(metrics[place].name)' is '\(metrics[place].unit.rawValue)' above")
    }
    if let layer = try layer(), layer != metrics[place].layer {
      throw row("the layer of '\(metrics[place].name)' is '\(metrics[place].layer.rawValue)' above")
    }
  }

  private func unit() throws(AnalysisError) -> MetricUnit? {
    guard let column = columns.unit else { return nil }
    let field = records.fields[column]
    if records.isEmpty(field) || records.equals(field, "s") { return .seconds }
    if records.equals(field, "B") { return .bytes }
    throw row("the unit '\(text(column))' is neither s nor B")
  }

  private func layer() throws(AnalysisError) -> LayerName? {
    guard let column = columns.layer else { return nil }
    let field = records.fields[column]
    if records.isEmpty(field) || records.equals(field, "micro") { return .micro }
    if records.equals(field, "startup") { return .startup }
    if records.equals(field, "optimize") { return .optimize }
    if records.equals(field, "memory") { return .memory }
    throw row("the layer '\(text(column))' is none of startup, micro, optimize and memory")
  }

  private func text(_ column: Int) -> String { TerminalText.clean(records.string(records.fields[column]), limit: 40) }

  private func row(_ fault: String) -> AnalysisError { .wrongRow(path: path, line: records.line, fault: fault) }
}
