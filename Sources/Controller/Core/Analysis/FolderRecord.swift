import Shared
import SystemPackage

/// The events of folders, and whether two of them may be looked at together.
enum FolderRecord {
  /// - Throws: ``AnalysisError/damagedFolder(path:reason:fix:)``
  static func read(_ folder: RunFolder) throws(AnalysisError) -> JobRecord {
    let labels = Dictionary(folder.sides.sides.map { ($0.side, $0.label) }) { first, _ in first }
    do { return JobRecord(events: try StoredEvents.read(folder.events), labels: labels) } catch {
      throw AnalysisError(error, path: folder.path.string)
    }
  }

  /// Samples of another machine, or of the same one after it was started anew, are never held against each other.
  /// - Throws: ``AnalysisError/apart(path:other:difference:)``
  static func requireSameBoot(
    _ one: JobRecord, _ path: String, _ other: JobRecord, _ otherPath: String
  ) throws(AnalysisError) {
    try requireOtherJob(one, path, other, otherPath)
    guard let host = one.host, let otherHost = other.host else {
      throw .apart(
        path: path, other: otherPath,
        difference: "\(one.host == nil ? path : otherPath) does not say which machine it was measured on")
    }
    if host.hostname != otherHost.hostname {
      throw .apart(
        path: path, other: otherPath,
        difference: "they were measured on two machines, '\(host.hostname)' and '\(otherHost.hostname)'")
    }
    if host.bootID != otherHost.bootID {
      throw .apart(
        path: path, other: otherPath,
        difference: "the machine '\(host.hostname)' was started anew between them, which can change its speed")
    }
  }

  /// A folder that was copied holds the same job.
  private static func requireOtherJob(
    _ one: JobRecord, _ path: String, _ other: JobRecord, _ otherPath: String
  ) throws(AnalysisError) {
    if let job = one.started?.job, job == other.started?.job { throw .twice(path: path, other: otherPath) }
  }
}
