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
    guard let lock = FileLock(path: runnerLock, create: false) else { return nil }
    guard !lock.tryLock() else { return nil }  // nobody holds it
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

/// A file's `flock`: dies with its holder, works between users, and says who holds it.
final class FileLock {
  private let descriptor: Int32

  /// Opens the file; `nil` when that is not possible.
  init?(path: String, create: Bool) {
    var file = open(path, O_RDWR | O_CLOEXEC)
    if file < 0, create { file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) }
    // Another user's file can still be locked; only its content can't be changed.
    if file < 0 { file = open(path, O_RDONLY | O_CLOEXEC) }
    guard file >= 0 else { return nil }
    if create { fchmod(file, 0o666) }  // fails for another user's file, which has that mode already
    descriptor = file
  }

  deinit { close(descriptor) }

  func tryLock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  /// What the holder wrote about itself.
  var content: String {
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
  }

  /// Says who holds it; other users' files stay as they are.
  func write(_ text: String) {
    ftruncate(descriptor, 0)
    let bytes = Array(text.utf8.prefix(512))
    pwrite(descriptor, bytes, bytes.count, 0)
  }
}
