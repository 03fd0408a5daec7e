import CLibrary
import Shared
import SystemPackage

/// The controller's copy of a job's journal, `events.ndjson`: the same lines in the same order, appended as they come.
///
/// Takes bytes and decodes nothing. What was appended is with the kernel after ``flush()``, so that a killed controller
/// loses nothing it has flushed; it is on the disk within about a second of flushes, and after ``close()``.
/// Each line is held against the hash of the one before it (``JournalChain``), so that the file is
/// the benchmark host's journal or a beginning of it. Locked (`flock`) while it is open: one program at a time writes to it.
/// Not `Sendable`: one task or actor owns it.
final class EventStore {
  let path: FilePath
  /// The number of the last event here, which is what the benchmark host is asked to go on after; 0 for none.
  private(set) var last = 0
  private var chain = JournalChain()
  private let file: FileDescriptor
  private var isOpen = true
  private var buffer: [UInt8] = []
  private var lastSync = ContinuousClock.now
  private var isDirty = false
  private let syncInterval: Duration

  /// Enough for a few thousand events; more is handed to the kernel without waiting for a flush.
  private static let bufferLimit = 1 << 18

  /// Opens or creates the file. A torn last line, which a crash may have left, is cut off.
  /// - Throws: ``ResultsError``
  init(path: FilePath, syncInterval: Duration = .seconds(1)) throws(ResultsError) {
    self.path = path
    self.syncInterval = syncInterval
    do {
      file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .append, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
      throw .unwritable(path: path.string, reason: "\(error)")
    }
    guard Self.isRegular(path) else { return }
    guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else { throw .inUse(path: path.string) }
    let whole = try Self.wholeLines(path)
    (last, chain) = (whole.last, whole.chain)
    guard ftruncate(file.rawValue, whole.bytes) == 0 else { throw unwritable(errno) }
  }

  /// The hash of the last line, where it has one.
  var hash: String? { chain.head.isEmpty ? nil : chain.head }

  deinit { if isOpen { _ = Result { try file.close() } } }  // `close()` is the way that reports errors.

  /// Appends the line of event `number`, given without its newline.
  /// - Throws: ``ResultsError/outOfOrder(path:expected:found:)`` for any number but the next, and
  ///   ``ResultsError/brokenChain(path:number:)`` for a line that does not fit; nothing is appended then.
  func append(number: Int, line: UnsafeRawBufferPointer) throws(ResultsError) {
    guard number == last + 1 else { throw .outOfOrder(path: path.string, expected: last + 1, found: number) }
    guard chain.take(line) != .broken else { throw .brokenChain(path: path.string, number: number) }
    buffer.append(contentsOf: line)
    buffer.append(UInt8(ascii: "\n"))
    last = number
    if buffer.count >= Self.bufferLimit { try write() }
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
    guard number < last else { return }
    try write()
    let kept = try Self.wholeLines(path, upTo: number)
    guard kept.last == number else {
      throw .damagedLine(path: path.string, line: kept.last + 1, reason: "event \(number) was expected before this")
    }
    guard ftruncate(file.rawValue, kept.bytes) == 0 else { throw unwritable(errno) }
    (last, chain) = (kept.last, kept.chain)
    try sync()
  }

  /// Hands everything to the kernel, and has it put on the disk when that was last done a second ago or more.
  /// - Throws: ``ResultsError/unwritable(path:reason:)``; what could not be written is kept for the next try.
  func flush() throws(ResultsError) {
    try write()
    guard isDirty, ContinuousClock.now - lastSync >= syncInterval else { return }
    try sync()
  }

  /// Flushes, waits for the disk, closes. Nothing can be appended afterwards; a second call does nothing.
  func close() throws(ResultsError) {
    guard isOpen else { return }
    try write()
    if isDirty { try sync() }
    isOpen = false
    do { try file.close() } catch { throw .unwritable(path: path.string, reason: "\(error)") }
  }

  private func write() throws(ResultsError) {
    guard !buffer.isEmpty else { return }
    guard isOpen else { throw .unwritable(path: path.string, reason: "it is closed") }
    var written = 0
    defer {
      buffer.removeFirst(written)
      isDirty = isDirty || written > 0
    }
    do {
      try buffer.withUnsafeBytes { bytes in
        while written < bytes.count {
          written += try file.write(UnsafeRawBufferPointer(rebasing: bytes[written...]))
        }
      }
    } catch {
      throw .unwritable(path: path.string, reason: "\(error)")
    }
  }

  private func sync() throws(ResultsError) {
    guard fsync(file.rawValue) == 0 else { throw unwritable(errno) }
    lastSync = .now
    isDirty = false
  }

  /// Only a file has a past to go on from; a device or pipe takes what comes.
  private static func isRegular(_ path: FilePath) -> Bool {
    var status = stat()
    return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private func unwritable(_ code: CInt) -> ResultsError {
    .unwritable(path: path.string, reason: "\(Errno(rawValue: code))")
  }

  /// How much of the file is whole lines up to event `limit`, the number of the last of them, and the chain so far.
  private static func wholeLines(
    _ path: FilePath, upTo limit: Int = .max
  ) throws(ResultsError) -> (bytes: Int, last: Int, chain: JournalChain) {
    var (end, last, chain) = (0, 0, JournalChain())
    guard isRegular(path) else { return (end, last, chain) }
    let bytes = try StoredFile.read(path)
    while last < limit, let newline = bytes[end...].firstIndex(of: UInt8(ascii: "\n")) {
      let (found, verdict) = bytes.withUnsafeBytes { all in
        let line = UnsafeRawBufferPointer(rebasing: all[end..<newline])
        return (NumberedEvent.number(ofLine: line), chain.take(line))
      }
      guard found == last + 1, verdict != .broken else {
        let reason = found == last + 1 ? "its hash does not fit" : "event \(last + 1) was expected here"
        throw .damagedLine(path: path.string, line: last + 1, reason: reason)
      }
      last += 1
      end = newline + 1
    }
    return (end, last, chain)
  }
}
