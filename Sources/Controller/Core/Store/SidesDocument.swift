import Shared

/// `sides.json`: what a folder of results is about, written before anything is measured. Schema:
/// `docs/schemas/sides.schema.json`.
///
/// With `events.ndjson` beside it, it is all that the words and documents of the folder are made from.
struct SidesDocument: Codable, Equatable, Sendable {
  var schema: Int = 1
  /// The timestamp in the names of the folders, `YYYYMMDDTHHMMSSZ`.
  var timestamp: String
  /// The job whose events the folder holds; absent in folders of the first release.
  var job: JobID?
  /// The chance, over all metrics of the run together, of calling identical code different.
  var alpha: Double
  /// The smallest relative difference that counts.
  var delta: Double
  /// What the run has to keep to; absent without one.
  var gate: Gate?
  /// One side (a run) or two (a comparison), base first.
  var sides: [Entry]

  struct Entry: Codable, Equatable, Sendable {
    var side: Side
    /// The revision as the person wrote it.
    var label: String
    /// Name of the folder with this side's documents, beside the folder that holds this file.
    var folder: String
  }
}
