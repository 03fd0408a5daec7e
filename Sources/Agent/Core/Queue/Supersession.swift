import FoundationEssentials
import Glibc
import Shared

/// A newer job of a branch in place of older ones that still wait: said by a file in the older one's folder, which its runner
/// looks for under the gate before it takes the machine.
enum Supersession {
  private static func path(_ folder: JobFolder) -> String { folder.path + "/superseded" }
  private static func began(_ folder: JobFolder) -> String { folder.path + "/began" }

  /// Notes that a job has had the machine: it measures, and no newer one takes its place. Under the gate.
  static func noteBegin(_ folder: JobFolder) throws {
    let file = open(began(folder), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StorageFailure(path: began(folder), code: errno) }
    close(file)
  }

  /// - Throws: ``JobSuperseded`` when a newer job has taken this one's place. Under the gate.
  static func check(_ folder: JobFolder) throws {
    guard let newer = newer(than: folder) else { return }
    throw JobSuperseded(newer: newer)
  }

  /// Ends the jobs of this branch that wait in this home. Under the gate.
  /// - Returns: those that end, or ended, in favour of this one.
  static func carryOut(for manifest: JobManifest, home: AgentHome) throws -> [JobID] {
    guard let branch = manifest.branch else { return [] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: home.jobs)) ?? []  // no folder: no jobs yet
    var ended: [JobID] = []
    for id in names.sorted().compactMap({ JobID($0) }) where id != manifest.id {
      let folder = JobFolder(id, in: home)
      if let newer = newer(than: folder) {
        if newer == manifest.id { ended.append(id) }
        continue
      }
      guard access(began(folder), F_OK) != 0, folder.isPresent else { continue }
      // A job whose manifest can't be read has no branch that anybody knows.
      guard let other = try? folder.readManifest(), other.branch == branch else { continue }
      try DurableFile.write(Array(manifest.id.text.utf8), to: path(folder))
      ended.append(id)
    }
    return ended
  }

  private static func newer(than folder: JobFolder) -> JobID? {
    guard let text = try? String(contentsOf: URL(filePath: path(folder)), encoding: .utf8) else { return nil }
    return JobID(text)
  }
}

/// A newer job of the same branch has taken this one's place in the queue.
struct JobSuperseded: UserFacingError {
  var newer: JobID
  var what: String { "the job was ended while it waited" }
  var why: String? { "the newer job \(newer) of the same branch was submitted with --supersede" }
  var fix: String { "follow the newer one: cf-bench attach \(newer)" }
  var exitStatus: ExitStatus { .cancelled }
}
