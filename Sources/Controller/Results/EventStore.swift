import Shared
import SystemPackage

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The controller's copy of a job's journal, `events.ndjson`: the same lines in the same order, appended as they come.
///
/// Takes bytes and decodes nothing. What was appended is with the kernel after ``flush()``, so that a killed controller
/// loses nothing it has flushed; it is on the disk within about a second of flushes, and after ``close()``.
/// Not `Sendable`: one task or actor owns it.
final class EventStore {
  let path: FilePath
  /// The number of the last event here, which is what the far end is asked to go on after; 0 for none.
  private(set) var last: Int
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
    let whole = try Self.wholeLines(path)
    last = whole.last
    do {
      file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .append, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
      throw .unwritable(path: path.string, reason: "\(error)")
    }
    if Self.isRegular(path), ftruncate(file.rawValue, whole.bytes) != 0 {
      throw .unwritable(path: path.string, reason: "\(Errno(rawValue: errno))")
    }
  }

  deinit { if isOpen { _ = Result { try file.close() } } }  // `close()` is the way that reports errors.

  /// Appends the line of event `number`, given without its newline.
  /// - Throws: ``ResultsError/outOfOrder(path:expected:found:)`` for any number but the next; nothing is appended then.
  func append(number: Int, line: some Collection<UInt8>) throws(ResultsError) {
    guard number == last + 1 else { throw .outOfOrder(path: path.string, expected: last + 1, found: number) }
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
    try append(number: number, line: line)
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
    guard fsync(file.rawValue) == 0 else {
      throw .unwritable(path: path.string, reason: "\(Errno(rawValue: errno))")
    }
    lastSync = .now
    isDirty = false
  }

  /// Only a file has a past to go on from; a device or pipe takes what comes.
  private static func isRegular(_ path: FilePath) -> Bool {
    var status = stat()
    return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// How much of the file is whole lines, and the number of the last of them. The numbers are followed without decoding.
  private static func wholeLines(_ path: FilePath) throws(ResultsError) -> (bytes: Int, last: Int) {
    guard isRegular(path) else { return (0, 0) }
    let bytes = try StoredFile.read(path)
    guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return (0, 0) }
    var last = 0
    for line in bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      guard let number = line.withUnsafeBytes({ NumberedEvent.number(ofLine: $0) }), number == last + 1 else {
        throw .damagedLine(path: path.string, line: last + 1, reason: "event \(last + 1) was expected here")
      }
      last = number
    }
    return (end + 1, last)
  }
}
