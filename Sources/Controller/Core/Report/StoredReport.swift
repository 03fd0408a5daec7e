import Shared
import SystemPackage

/// All words and documents of a folder of results, made from its events. The one way in which they come into being: the end of
/// a job and `cf-bench report FOLDER` both take it, so they can't say different things.
enum StoredReport: Equatable, Sendable {
  case comparison(ComparisonReport, JobRecord)
  case run(SideReport, JobRecord)

  var record: JobRecord {
    switch self {
    case .comparison(_, let record), .run(_, let record): record
    }
  }

  /// How the command that asked for it ends.
  var exitStatus: ExitStatus {
    switch self {
    case .comparison(let report, let record): report.gate.exitStatus(record, report.document)
    case .run(_, let record): Gate().exitStatus(record, nil)
    }
  }

  /// The table for a terminal.
  func table(style: TerminalStyle) -> String {
    switch self {
    case .comparison(let report, _): TerminalTable.text(report, style: style)
    case .run(let report, _): TerminalTable.text(report, style: style)
    }
  }

  /// Reads the folder's events; writes nothing.
  /// - Throws: ``ResultsError``
  static func read(_ folder: RunFolder) throws(ResultsError) -> StoredReport {
    let labels = Dictionary(folder.sides.sides.map { ($0.side, $0.label) }) { first, _ in first }
    let record = JobRecord(events: try StoredEvents.read(folder.events), labels: labels)
    let cost = try RunCostFile.read(from: folder)
    guard folder.isComparison else {
      return .run(SideReport(.head, record: record, comparison: nil, cost: cost), record)
    }
    return .comparison(
      ComparisonReport(
        record: record, alpha: folder.sides.alpha, delta: folder.sides.delta, cost: cost,
        gate: folder.sides.gate ?? Gate()), record)
  }

  /// Reads the folder's events and writes every document that follows from them, in it and in the folders of its sides, which
  /// are made again where they are gone. What is there is replaced, each file in one step.
  /// - Throws: ``ResultsError``
  @discardableResult
  static func rewrite(_ folder: RunFolder) throws(ResultsError) -> StoredReport {
    let report = try read(folder)
    DurableFile.removeLeftovers(in: folder.path.string)
    switch report {
    case .comparison(let comparison, let record):
      for side in [Side.base, .head] {
        try writeSide(side, record: record, cost: comparison.document.cost, folder: folder)
      }
      try StoredFile.write(json: comparison.document, to: folder.path.appending("comparison.json"))
      try StoredFile.write(Comment.text(comparison), to: folder.path.appending("comment.md"))
      try write(Charts.ofComparison(comparison.document, record: record), to: folder.path)
    case .run(let side, let record): try writeSide(.head, record: record, cost: side.cost, folder: folder)
    }
    return report
  }

  /// The documents of one side; a layer that did not run has no file.
  private static func writeSide(
    _ side: Side, record: JobRecord, cost: RunCost?, folder: RunFolder
  ) throws(ResultsError) {
    guard let path = folder.folder(of: side) else { return }
    try StoredFile.makeFolders(path)
    DurableFile.removeLeftovers(in: path.string)
    let comparison = folder.isComparison ? comparison(of: side, record: record, folder: folder) : nil
    let report = SideReport(side, record: record, comparison: comparison, cost: cost)
    if let startup = report.startup { try StoredFile.write(json: startup, to: path.appending("startup.json")) }
    if let table = ImportTable.text(side, from: record) {
      try StoredFile.write(table, to: path.appending("importtime.tsv"))
    }
    if let micro = report.micro { try StoredFile.write(json: micro, to: path.appending("micro.json")) }
    if let optimize = report.optimize { try StoredFile.write(json: optimize, to: path.appending("optimize.json")) }
    try write(Charts.ofSide(side, record: record), to: path)
    if let memory = report.memory { try StoredFile.write(json: memory, to: path.appending("memory.json")) }
    try StoredFile.write(Summary.text(report), to: path.appending("summary.md"))
  }

  private static func write(_ pictures: [Charts.File], to path: FilePath) throws(ResultsError) {
    for picture in pictures { try StoredFile.write(picture.content, to: path.appending(picture.name)) }
  }

  private static func comparison(
    of side: Side, record: JobRecord, folder: RunFolder
  ) -> SideReport.Comparison {
    .init(other: record.label(side.other), folder: folder.path.lastComponent?.string ?? "")
  }
}
