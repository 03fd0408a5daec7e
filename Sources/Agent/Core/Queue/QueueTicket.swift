import FoundationEssentials
import Glibc
import Shared

/// What a ticket says of its job; anybody on the host may read it.
struct QueueEntry: Codable, Equatable, Sendable {
  var job: JobID
  var owner: String
  var branch: String?
  /// When it came, RFC 3339 in UTC.
  var since: String
  /// How long it may have the machine, in seconds, as far as one can tell beforehand.
  var expectedSeconds: Double
  /// When it got the machine; `nil` while it waits.
  var began: String?

  var holder: String { "\(job) of \(owner)" }

  /// What it will still need, in seconds, from now on.
  func secondsLeft(_ now: Date) -> Double {
    guard let began else { return expectedSeconds }
    // A moment that can't be read says nothing; then the whole time is the safe guess.
    let passed = (try? Timestamp.date(began)).map { now.timeIntervalSince($0) } ?? 0
    return max(0, expectedSeconds - passed)
  }

  init(_ manifest: JobManifest) {
    job = manifest.id
    owner = String(manifest.owner.prefix(200))
    branch = manifest.branch.map { String($0.prefix(200)) }
    since = Timestamp.rfc3339()
    expectedSeconds = Self.expectedSeconds(manifest)
  }

  /// Of a ticket that can't be read: it counts all the same.
  fileprivate init(unknown job: JobID) {
    self.job = job
    owner = "somebody"
    since = Timestamp.rfc3339()
    expectedSeconds = 600
  }

  /// The budget of a comparison, or some minutes a layer, and a minute for each environment that is made.
  private static func expectedSeconds(_ manifest: JobManifest) -> Double {
    let interpreters = Double(manifest.python.versions.count)
    let setup = 60 * Double(manifest.sides.count) * interpreters
    let measuring =
      manifest.sides.count == 2
      ? manifest.stopping?.budgetSeconds ?? 600 : 120 * Double(manifest.layers.names.count) * interpreters
    return min(setup + measuring, manifest.limits.totalSeconds)
  }
}

/// A job's place in the queue, for as long as this object lives.
final class QueueTicket {
  let number: Int
  private let path: String
  private let descriptor: Int32
  private(set) var entry: QueueEntry

  private static let maximumBytes = 4096

  /// Takes the number that the job had before, when it is free, or the next one. Under the gate.
  /// - Parameter note: a file of the job's own that keeps its number.
  init(_ entry: QueueEntry, in queue: QueueFolder, note: String) throws {
    self.entry = entry
    let kept = (try? String(contentsOf: URL(filePath: note), encoding: .utf8)).flatMap { Int($0) }  // none: a new job
    _ = try queue.live()  // what its dead runner left under that number is removed
    var file: Int32 = -1
    if let kept, kept > 0 { file = Self.make(queue.ticket(kept)) }
    let number = file >= 0 ? kept ?? 0 : try queue.nextNumber()
    self.number = number
    path = queue.ticket(number)
    descriptor = file >= 0 ? file : Self.make(path)
    guard descriptor >= 0 else { throw queue.failure(errno) }
    // A note that can't be written costs the place after a kill, and nothing now.
    if number != kept { try? Data("\(number)".utf8).write(to: URL(filePath: note)) }
    fchmod(descriptor, 0o644)  // others read it, whatever the umask is; we made it, so we may
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw queue.failure(errno) }
    try write(queue)
  }

  deinit {
    guard descriptor >= 0 else { return }
    unlink(path)
    close(descriptor)
  }

  private static func make(_ path: String) -> Int32 {
    open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
  }

  /// Says that the job has the machine from now on. Under the gate.
  func begin(_ queue: QueueFolder) throws {
    entry.began = Timestamp.rfc3339()
    try write(queue)
  }

  private func write(_ queue: QueueFolder) throws {
    let bytes = Array(try JSONEncoder().encode(entry))
    let count = pwrite(descriptor, bytes, bytes.count, 0)
    guard count == bytes.count else { throw queue.failure(count < 0 ? errno : ENOSPC) }
    ftruncate(descriptor, off_t(count))  // it only ever grows; what this could leave would be read as another's ticket
  }

  /// What a ticket says; `nil` when its owner is gone, and then it is removed, or when it is none that everybody may read.
  static func read(_ path: String) -> QueueEntry? {
    let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    if flock(file, LOCK_SH | LOCK_NB) == 0 {
      unlink(path)  // its owner is gone; another user's is left to whoever may
      return nil
    }
    var bytes = [UInt8](repeating: 0, count: maximumBytes)
    let count = pread(file, &bytes, bytes.count, 0)
    if count > 0, let entry = try? JSONDecoder().decode(QueueEntry.self, from: Data(bytes[..<count])) {
      return entry
    }
    // Locked by somebody, whatever stands there: it keeps its place, as its owner keeps the lock.
    return JobID("unknown").map { QueueEntry(unknown: $0) }
  }
}
