import FoundationEssentials
import Glibc
import Shared

/// What the machine was like before a job turned its knobs: `tuning.json` in the agent's home.
///
/// Written before the first change and removed after the last change back, so that whoever comes after a kill knows.
struct TuningRecord: Codable, Equatable {
  struct Original: Codable, Equatable {
    var path: String
    var value: String
  }
  /// Layout version of this document.
  var schema = 1
  /// One a path: the value from before anything was changed.
  var originals: [Original] = []

  /// `nil` where there is none.
  /// - Throws: ``Damaged``
  static func read(_ path: String) throws(Damaged) -> TuningRecord? {
    guard access(path, F_OK) == 0 || errno != ENOENT else { return nil }
    let record: TuningRecord
    do {
      record = try JSONDecoder().decode(TuningRecord.self, from: Data(contentsOf: URL(filePath: path)))
    } catch { throw Damaged(reason: DecodingErrorText.describe(error)) }
    guard record.schema == 1 else { throw Damaged(reason: "it has the layout \(record.schema), this agent knows 1") }
    for original in record.originals where !KernelKnob.owns(original.path) || !KernelKnob.isPlain(original.value) {
      throw Damaged(reason: "it names a file or a value that no job of ours changes")
    }
    return record
  }

  func save(to path: String) throws {
    try DurableFile.write(Array(JSONEncoder.pretty.encode(self)), to: path)
  }

  struct Damaged: Error {
    var reason: String
  }
}
