import Glibc
import Shared

/// Where events go: the job's journal, or a list in a test.
protocol EventSink: AnyObject {
  /// Numbers the event and keeps it.
  /// - Throws: ``UserFacingError`` when it can't be kept (a full disk).
  func emit(_ event: JobEvent) throws
}

/// A job's journal, `journal.ndjson`: an ``EventLog`` that each event is handed to before it is sent anywhere; it is on the disk
/// within a second, or at ``sync()``. A `reserve` file holds room for the final event: it is given up on a full disk, so
/// that the failure itself can be written.
final class JournalWriter: EventSink {
  /// What had to be cut off at opening because it was not what had been written, in words; `nil` when nothing was.
  private(set) var cut: Problem?
  private let log: EventLog
  private let reserve: String
  /// Held open: it is given up by emptying it, which a runner that is confined may still do.
  private let reserveDescriptor: Int32
  private let redactor: Redactor
  private static let reserveBytes = 64 << 10

  var journalPath: String { log.path }
  var last: Int { log.last }

  /// Opens or creates the journal. A torn last line, left by a crash, is cut off, and so is a line that does not fit with
  /// all that follows it, of which a copy is kept as `journal.cut-N`; all before it stands.
  /// - Parameter keepsReserve: whether room for the final event is set apart; not for the final event itself.
  /// - Parameter redactor: masks what no journal may hold.
  init(folder: String, keepsReserve: Bool = true, redactor: Redactor = Redactor()) throws {
    self.redactor = redactor
    reserve = folder + "/reserve"
    log = try EventLog(path: folder + "/journal.ndjson", mode: 0o600)
    if case .damaged(let bytes, _) = log.rest { cut = Self.setAside(log.path, from: log.end, bytes: bytes) }
    try log.cutRest()
    reserveDescriptor = keepsReserve ? try Self.fill(reserve) : -1
  }

  deinit { close(reserveDescriptor) }

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
    let numbered = NumberedEvent(number: last + 1, time: Timestamp.rfc3339(), event: event)
    do throws(WireError) { try log.seal(redactor.redacted(line: try numbered.line())) } catch {
      // Too long or not expressible in JSON: the job goes on, and the place says what is missing.
      return try emit(.trouble(Trouble(problem: error.problem)))
    }
    do { try log.flush() } catch {
      log.dropWaiting()
      throw error
    }
    if log.isSyncDue(after: .seconds(1)) || event.endsLayer { sync() }
  }

  /// Writes the job's last word even where the disk is full.
  func emitLast(_ event: JobEvent) throws {
    ftruncate(reserveDescriptor, 0)
    unlink(reserve)
    try emit(event)
    sync()
  }

  /// Waits until everything is on the disk. Best effort: the bytes are with the kernel, and a failing disk shows at the next
  /// write.
  func sync() { try? log.sync() }
}

extension JobEvent {
  fileprivate var endsLayer: Bool { if case .layerFinished = self { true } else { false } }
}

// MARK: What is cut off

extension JournalWriter {
  /// Keeps a copy of what does not fit, and says so.
  private static func setAside(_ path: String, from end: EventLog.Position, bytes: Int) -> Problem {
    let name = (1...).lazy.map { "journal.cut-\($0)" }.first { access(folder(of: path) + "/" + $0, F_OK) != 0 }
    let copy = folder(of: path) + "/" + (name ?? "journal.cut")
    let code = copyTail(of: path, from: off_t(end.bytes), to: copy)
    if code != 0 { unlink(copy) }
    let kept = code == 0 ? "kept as \(copy)" : "no copy could be kept: \(String(cString: strerror(code)))"
    return cutProblem(
      "\(path): from event \(end.last + 1) on, \(bytes) bytes are not what was written; \(kept)")
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
      let code = chunk[..<count].withUnsafeBytes { DurableFile.writeAll($0, to: target) }
      guard code == 0 else { return code }
      position += off_t(count)
    }
  }
}
