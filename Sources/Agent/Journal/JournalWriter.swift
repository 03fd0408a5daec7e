import Shared

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A job's journal, `journal.ndjson`: append-only, numbered from 1 without gaps, one `write` an event.
///
/// Each event is with the kernel before it is sent anywhere, and on the disk within a second or at ``sync()``. A `reserve`
/// file holds room for the last word: when the disk is full it is given up, so that the failure itself can be written.
final class JournalWriter: EventSink {
  let journalPath: String
  private let reserve: String
  private let descriptor: Int32
  private(set) var last: Int
  private var size: off_t
  private var lastSync = MonotonicClock.seconds
  private static let reserveBytes = 64 << 10
  /// Held open: it is given up by emptying it, which a runner that is confined may still do.
  private let reserveDescriptor: Int32
  private let redactor: Redactor

  /// Opens or creates the journal. A torn last line, left by a crash, is cut off; all before it stands.
  /// - Parameter redactor: masks what no journal may hold.
  init(folder: String, redactor: Redactor = Redactor()) throws {
    self.redactor = redactor
    journalPath = folder + "/journal.ndjson"
    reserve = folder + "/reserve"
    let (whole, last) = try JournalFile.wholeLines(journalPath)
    self.last = last
    size = off_t(whole)
    descriptor = open(journalPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0, ftruncate(descriptor, size) == 0 else {
      throw StorageFailure(path: journalPath, code: errno)
    }
    reserveDescriptor = try Self.fill(reserve)
  }

  deinit {
    close(descriptor)
    close(reserveDescriptor)
  }

  private static func fill(_ path: String) throws(StorageFailure) -> Int32 {
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
    let line: [UInt8]
    do { line = try NumberedEvent(number: last + 1, time: Timestamp.rfc3339(), event: event).line() } catch {
      // Too long or not expressible in JSON: the job goes on, and the place says what is missing.
      return try emit(.trouble(Trouble(problem: error.problem)))
    }
    try append(redactor.redacted(line: line))
    last += 1
    if MonotonicClock.seconds - lastSync >= 1 { sync() }
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
