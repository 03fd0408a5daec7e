import Glibc
import Shared

/// A job's journal, `journal.ndjson`: append-only, numbered from 1 without gaps, sealed by ``JournalChain``, one `write` an
/// event.
///
/// Each event is with the kernel before it is sent anywhere, and on the disk within a second or at ``sync()``. A `reserve`
/// file holds room for the last word: when the disk is full it is given up, so that the failure itself can be written.
final class JournalWriter: EventSink {
  let journalPath: String
  /// What had to be cut off at opening because it was not what had been written, in words; `nil` when nothing was.
  private(set) var cut: Problem?
  private let reserve: String
  private let descriptor: Int32
  private(set) var last: Int
  private var chain: JournalChain
  private var size: off_t
  private var lastSync = MonotonicClock.seconds
  private static let reserveBytes = 64 << 10
  /// Held open: it is given up by emptying it, which a runner that is confined may still do.
  private let reserveDescriptor: Int32
  private let redactor: Redactor

  /// Opens or creates the journal. A torn last line, left by a crash, is cut off, and so is a line that does not fit with
  /// all that follows it, of which a copy is kept as `journal.cut-N`; all before it stands.
  /// - Parameter keepsReserve: whether room for the last word is set apart; not for the last word itself.
  /// - Parameter redactor: masks what no journal may hold.
  init(folder: String, keepsReserve: Bool = true, redactor: Redactor = Redactor()) throws {
    self.redactor = redactor
    journalPath = folder + "/journal.ndjson"
    reserve = folder + "/reserve"
    let sound = try JournalFile.sound(journalPath)
    last = sound.last
    chain = sound.chain
    size = off_t(sound.bytes)
    if case .damaged(let bytes) = sound.rest {
      cut = Self.setAside(journalPath, from: sound, bytes: bytes)
    }
    descriptor = open(journalPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0, ftruncate(descriptor, size) == 0 else {
      throw StorageFailure(path: journalPath, code: errno)
    }
    reserveDescriptor = keepsReserve ? try Self.fill(reserve) : -1
  }

  deinit {
    close(descriptor)
    close(reserveDescriptor)
  }

  /// Room that is there already is left alone: on a full disk it could not be had again.
  private static func fill(_ path: String) throws(StorageFailure) -> Int32 {
    var status = stat()
    if stat(path, &status) == 0, status.st_size == reserveBytes { return open(path, O_WRONLY | O_CLOEXEC) }
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw StorageFailure(path: path, code: errno) }
    let bytes = [UInt8](repeating: 0, count: reserveBytes)
    let written = write(file, bytes, bytes.count)
    guard written == bytes.count else {
      let code = written < 0 ? errno : ENOSPC
      close(file)
      throw StorageFailure(path: path, code: code)
    }
    return file
  }

  func emit(_ event: JobEvent) throws {
    let sealed: (line: [UInt8], chain: JournalChain)
    do { sealed = try seal(event) } catch {
      // Too long or not expressible in JSON: the job goes on, and the place says what is missing.
      return try emit(.trouble(Trouble(problem: error.problem)))
    }
    try append(sealed.line)
    chain = sealed.chain
    last += 1
    if MonotonicClock.seconds - lastSync >= 1 || event.endsLayer { sync() }
  }

  private func seal(_ event: JobEvent) throws(WireError) -> (line: [UInt8], chain: JournalChain) {
    let event = NumberedEvent(number: last + 1, time: Timestamp.rfc3339(), event: event)
    let line = redactor.redacted(line: try event.line())
    var next = chain
    let sealed = next.seal(line)
    guard sealed.count <= WireLine.maximumBytes else { throw .lineTooLong(limit: WireLine.maximumBytes) }
    return (sealed, next)
  }

  /// Writes the job's last word even where the disk is full.
  func emitLast(_ event: JobEvent) throws {
    ftruncate(reserveDescriptor, 0)
    unlink(reserve)
    try emit(event)
    sync()
  }

  /// Waits until everything is on the disk.
  func sync() {
    fsync(descriptor)  // best effort: the bytes are with the kernel, and a failing disk shows at the next write
    lastSync = MonotonicClock.seconds
  }

  private func append(_ line: [UInt8]) throws(StorageFailure) {
    var written = 0
    while written < line.count {
      let count = line.withUnsafeBytes {
        write(descriptor, $0.baseAddress?.advanced(by: written), line.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let code = count < 0 ? errno : ENOSPC
        ftruncate(descriptor, size)  // a torn line must not stay in front of the last word
        throw StorageFailure(path: journalPath, code: code)
      }
      written += count
    }
    size += off_t(line.count)
  }
}

extension JobEvent {
  fileprivate var endsLayer: Bool { if case .layerFinished = self { true } else { false } }
}

// MARK: What is cut off

extension JournalWriter {
  /// Keeps a copy of what does not fit, and says so.
  private static func setAside(_ path: String, from sound: JournalFile.Sound, bytes: Int) -> Problem {
    let name = (1...).lazy.map { "journal.cut-\($0)" }.first { access(folder(of: path) + "/" + $0, F_OK) != 0 }
    let copy = folder(of: path) + "/" + (name ?? "journal.cut")
    let code = copyTail(of: path, from: off_t(sound.bytes), to: copy)
    if code != 0 { unlink(copy) }
    let kept = code == 0 ? "kept as \(copy)" : "no copy could be kept: \(String(cString: strerror(code)))"
    return cutProblem(
      "\(path): from event \(sound.last + 1) on, \(bytes) bytes are not what was written; \(kept)")
  }

  static func cutProblem(_ why: String) -> Problem {
    Problem(
      what: "the end of the job's journal was damaged and is cut off; what stood there is measured again", why: why,
      fix: "look at the benchmark host's disk: 'dmesg' tells of its errors", exitStatus: .partial)
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }

  /// Returns 0 or an `errno`.
  private static func copyTail(of path: String, from start: off_t, to copy: String) -> Int32 {
    let source = open(path, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else { return errno }
    defer { close(source) }
    let target = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard target >= 0 else { return errno }
    defer { close(target) }
    var position = start
    var chunk = [UInt8](repeating: 0, count: 256 << 10)
    while true {
      let count = pread(source, &chunk, chunk.count, position)
      guard count >= 0 else { return errno }
      guard count > 0 else { return fsync(target) == 0 ? 0 : errno }
      guard write(target, chunk, count) == count else { return errno == 0 ? ENOSPC : errno }
      position += off_t(count)
    }
  }
}
