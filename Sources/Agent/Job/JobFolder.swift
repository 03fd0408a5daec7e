import FoundationEssentials
import Shared

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A job's folder: `manifest.json`, `journal.ndjson`, `runner.log`, and `runner`, which its runner holds locked.
struct JobFolder: Sendable {
  let path: String
  let id: JobID

  init(_ id: JobID, in home: AgentHome) {
    self.id = id
    path = home.job(id)
  }

  var manifest: String { path + "/manifest.json" }
  var journal: String { path + "/journal.ndjson" }
  var log: String { path + "/runner.log" }
  /// Held locked (`flock`) by the runner for its life; its content is the runner's process id.
  var runnerLock: String { path + "/runner" }
  var scratch: String { path + "/scratch" }

  var exists: Bool { access(manifest, F_OK) == 0 }

  /// The runner's process id while there is one.
  func runningPID() -> pid_t? {
    guard let lock = FileLock(path: runnerLock, create: false), lock.isHeld else { return nil }
    return pid_t(lock.content.split(separator: " ").first ?? "")
  }

  func readManifest() throws -> JobManifest {
    do {
      return try JSONDecoder().decode(JobManifest.self, from: Data(contentsOf: URL(filePath: manifest)))
    } catch {
      throw Problem(
        what: "the job \(id) can't be read", why: "\(manifest): \(DecodingWords.describe(error))",
        fix: "submit the job again under another name", exitStatus: .infrastructure)
    }
  }

  /// The end of the runner's own words, for a runner that is gone.
  var lastWords: String {
    let bytes = (try? Data(contentsOf: URL(filePath: log))) ?? Data()  // no log: no words
    return String(decoding: bytes.suffix(2000), as: UTF8.self)
  }
}
