import FoundationEssentials
import Shared
import SystemPackage

/// Finds the folder of results that holds a job's events already.
enum StoredJob {
  /// `nil` when no folder below `results` is of that job. Folders that can't be read are none of ours to complain about here.
  static func folder(of job: JobID, in results: FilePath) -> RunFolder? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: results.string)) ?? []  // no results yet
    for name in names.sorted() {
      // Sides' folders have no document of their own; a damaged one is found again by whoever opens it.
      guard let folder = try? RunFolder.open(results.appending(name)) else { continue }
      if let found = folder.sides.job ?? firstJob(folder.events) { if found == job { return folder } }
    }
    return nil
  }

  /// The job that the first event speaks of, for folders that were made before their document named it.
  private static func firstJob(_ events: FilePath) -> JobID? {
    guard let file = try? FileDescriptor.open(events, .readOnly, options: [.closeOnExec]) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    // A file that can't be read names no job.
    let count = (try? file.closeAfter { try bytes.withUnsafeMutableBytes { try file.read(into: $0) } }) ?? 0
    guard let end = bytes[..<count].firstIndex(of: UInt8(ascii: "\n")),
      let first = try? NumberedEvent(line: bytes[..<end]), case .started(let started) = first.event
    else { return nil }
    return started.job
  }
}
