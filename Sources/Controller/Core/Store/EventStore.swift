import CLibrary
import Shared
import SystemPackage

/// The controller's copy of a job's journal, `events.ndjson`: the same lines in the same order, appended as they come.
///
/// Takes bytes and decodes nothing. What was appended is with the kernel after ``flush()``, so that a killed controller
/// loses nothing it has flushed; it is on the disk within about a second of flushes, and after ``close()``.
/// Each line is held against the hash of the one before it, so that the file is the benchmark host's journal or a beginning of
/// it. Locked while it is open: one program at a time writes to it. Not `Sendable`: one task or actor owns it.
final class EventStore {
  let path: FilePath
  private var log: EventLog?
  private let syncInterval: Duration
  /// The number of the last event here, which is what the benchmark host is asked to go on after; 0 for none.
  private(set) var last = 0
  /// The hash of the last line, where it has one.
  private(set) var hash: String?

  /// Enough for a few thousand events; more is handed to the kernel without waiting for a flush.
  private static let bufferLimit = 1 << 18

  /// Opens or creates the file. A torn last line, which a crash may have left, is cut off.
  /// - Throws: ``ResultsError``
  init(path: FilePath, syncInterval: Duration = .seconds(1)) throws(ResultsError) {
    self.path = path
    self.syncInterval = syncInterval
    let log: EventLog
    do { log = try EventLog(path: path.string, mode: 0o644, isLocked: true) } catch {
      throw error.code == EWOULDBLOCK ? .inUse(path: path.string) : .unwritable(error)
    }
    if case .damaged(_, let flaw) = log.rest { throw Self.damaged(path, flaw, behind: log.last) }
    do { try log.cutRest() } catch { throw .unwritable(error) }
    self.log = log
    note(log)
  }

  /// Appends the line of event `number`, given without its newline.
  /// - Throws: ``ResultsError/outOfOrder(path:expected:found:)`` for any number but the next, and
  ///   ``ResultsError/brokenChain(path:number:)`` for a line that does not fit; nothing is appended then.
  func append(number: Int, line: UnsafeRawBufferPointer) throws(ResultsError) {
    guard number == last + 1 else { throw .outOfOrder(path: path.string, expected: last + 1, found: number) }
    let log = try opened()
    guard log.take(line) else { throw .brokenChain(path: path.string, number: number) }
    note(log)
    if log.waiting >= Self.bufferLimit { try write(log) }
  }

  /// Appends a line, without its newline, whose number stands at its start as the agent writes it.
  /// - Throws: ``ResultsError/damagedLine(path:line:reason:)`` when it has none, and as ``append(number:line:)``.
  func append(line: [UInt8]) throws(ResultsError) {
    guard let number = line.withUnsafeBytes({ NumberedEvent.number(ofLine: $0) }) else {
      throw .damagedLine(path: path.string, line: last + 1, reason: "it does not start with an event's number")
    }
    try line.withUnsafeBytes { bytes in
      Result { () throws(ResultsError) in try append(number: number, line: bytes) }
    }.get()
  }

  /// Cuts off every event after `number`, and waits for the disk: the benchmark host has lost them, and numbers others like
  /// them.
  func rewind(to number: Int) throws(ResultsError) {
    let log = try opened()
    let isThere: Bool
    do { isThere = try log.rewind(to: number) } catch { throw .unwritable(error) }
    guard isThere else { throw Self.damaged(path, .number, behind: number) }
    note(log)
  }

  /// Hands everything to the kernel, and has it put on the disk when that was last done a second ago or more.
  /// - Throws: ``ResultsError/unwritable(path:reason:)``; what could not be written is kept for the next try.
  func flush() throws(ResultsError) {
    let log = try opened()
    try write(log)
    if log.isSyncDue(after: syncInterval) { try sync(log) }
  }

  /// Flushes, waits for the disk, closes. Nothing can be appended afterwards; a second call does nothing.
  func close() throws(ResultsError) {
    guard let log else { return }
    try write(log)
    if log.isSyncDue(after: .zero) { try sync(log) }
    self.log = nil
  }

  private func opened() throws(ResultsError) -> EventLog {
    guard let log else { throw .unwritable(path: path.string, reason: "it is closed") }
    return log
  }

  private func note(_ log: EventLog) { (last, hash) = (log.last, log.hash) }

  private func write(_ log: EventLog) throws(ResultsError) {
    do { try log.flush() } catch { throw .unwritable(error) }
  }

  private func sync(_ log: EventLog) throws(ResultsError) {
    do { try log.sync() } catch { throw .unwritable(error) }
  }

  private static func damaged(_ path: FilePath, _ flaw: EventLog.Flaw, behind last: Int) -> ResultsError {
    let reason = flaw == .hash ? "its hash does not fit" : "event \(last + 1) was expected here"
    return .damagedLine(path: path.string, line: last + 1, reason: reason)
  }
}

extension ResultsError {
  /// A file that the system would not write.
  static func unwritable(_ failure: StorageFailure) -> ResultsError {
    .unwritable(path: failure.path, reason: String(cString: strerror(failure.code)))
  }
}
