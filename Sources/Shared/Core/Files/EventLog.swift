import CLibrary

/// A job's events as a file that only grows: a line an event, numbered from 1 without gaps, each sealed by the hash of the one
/// before it (``JournalChain``).
///
/// What is appended waits until ``flush()``, which hands whole lines to the kernel or none, so that neither a kill nor a full
/// disk leaves half a line in front of the next one. Not `Sendable`: one task owns it.
public final class EventLog {
  /// How far a log goes.
  public struct Position: Sendable {
    /// The length of its whole lines.
    public var bytes = 0
    /// The number of the last of them; 0 for none.
    public var last = 0
    public var chain = JournalChain()

    public init() {}
  }

  public let path: String
  /// What stood behind the whole lines when the file was opened.
  public let rest: Rest
  /// With what waits to be written.
  public private(set) var end: Position
  /// Without it.
  private var written: Position
  private var buffer: [UInt8] = []
  private let descriptor: Int32
  private var lastSync = SuspendingClock.now
  private var isDirty = false

  /// Opens or creates the file. What stands behind its whole lines stays there until ``cutRest()``.
  /// - Parameter isLocked: whether only one program at a time may have it open (`flock`); another one's is EWOULDBLOCK.
  public init(path: String, mode: mode_t, isLocked: Bool = false) throws(StorageFailure) {
    self.path = path
    let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode)
    guard file >= 0 else { throw StorageFailure(path: path, code: errno) }
    descriptor = file
    var status = stat()
    // Only a file has a past to go on from; a device or a pipe takes what comes.
    if fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
      do throws(StorageFailure) {
        guard !isLocked || flock(file, LOCK_EX | LOCK_NB) == 0 else { throw StorageFailure(path: path, code: errno) }
        (end, rest) = try Self.sound(path)
      } catch {
        close(file)
        throw error
      }
    } else {
      (end, rest) = (Position(), .nothing)
    }
    written = end
  }

  deinit { close(descriptor) }

  public var last: Int { end.last }
  /// The hash of the last line, where it has one.
  public var hash: String? { end.chain.head.isEmpty ? nil : end.chain.head }
  /// Bytes that wait to be written.
  public var waiting: Int { buffer.count }
  /// Something was written, and the disk has been left alone for so long.
  public func isSyncDue(after interval: Duration) -> Bool { isDirty && SuspendingClock.now - lastSync >= interval }

  public func cutRest() throws(StorageFailure) { if rest != .nothing { try truncate(to: written) } }

  /// Adds the line of the next event, newline included, sealed.
  /// - Throws: ``WireError/lineTooLong(limit:)``; nothing is added then.
  public func seal(_ line: [UInt8]) throws(WireError) {
    var next = end.chain
    let sealed = next.seal(line)
    guard sealed.count <= WireLine.maximumBytes else { throw .lineTooLong(limit: WireLine.maximumBytes) }
    buffer += sealed
    advance(by: sealed.count, next)
  }

  /// Adds a line, without its newline, that was numbered and sealed elsewhere.
  /// - Returns: false for one that does not fit those before it; nothing is added then.
  public func take(_ line: UnsafeRawBufferPointer) -> Bool {
    var next = end.chain
    guard NumberedEvent.number(ofLine: line) == end.last + 1, next.take(line) != .broken else { return false }
    buffer.append(contentsOf: line)
    buffer.append(UInt8(ascii: "\n"))
    advance(by: line.count + 1, next)
    return true
  }

  private func advance(by count: Int, _ chain: JournalChain) {
    end.bytes += count
    end.last += 1
    end.chain = chain
  }

  /// Hands what waits to the kernel. Where that fails all of it goes on waiting, and the file ends as it did before.
  public func flush() throws(StorageFailure) {
    guard !buffer.isEmpty else { return }
    let code = buffer.withUnsafeBytes { DurableFile.writeAll($0, to: descriptor) }
    guard code == 0 else {
      ftruncate(descriptor, off_t(written.bytes))  // half a line must not stay in front of what comes next
      throw StorageFailure(path: path, code: code)
    }
    buffer.removeAll(keepingCapacity: true)
    written = end
    isDirty = true
  }

  /// Gives up what waits, after a flush that failed.
  public func dropWaiting() {
    buffer = []
    end = written
  }

  /// Waits until what was flushed is on the disk.
  public func sync() throws(StorageFailure) {
    lastSync = .now
    guard fsync(descriptor) == 0 else { throw StorageFailure(path: path, code: errno) }
    isDirty = false
  }

  /// Cuts off every event after `number`, and waits for the disk.
  /// - Returns: false when the file is damaged before that.
  public func rewind(to number: Int) throws(StorageFailure) -> Bool {
    guard number < last else { return true }
    try flush()
    let kept = try Self.sound(path, upTo: number).end
    guard kept.last == number else { return false }
    try truncate(to: kept)
    try sync()
    return true
  }

  private func truncate(to position: Position) throws(StorageFailure) {
    guard ftruncate(descriptor, off_t(position.bytes)) == 0 else { throw StorageFailure(path: path, code: errno) }
    (written, end) = (position, position)
  }
}

// MARK: Reading

extension EventLog {
  /// What follows the lines that fit.
  public enum Rest: Equatable, Sendable {
    case nothing
    /// A line without its end: its writer was cut off.
    case torn
    /// Lines that are not what was written, this many bytes of them.
    case damaged(bytes: Int, Flaw)
  }

  /// What is wrong with the first line that does not fit.
  public enum Flaw: Equatable, Sendable { case number, hash, length }

  /// Walks a log's numbers and hashes, at most up to event `limit`; nothing is decoded. Empty without a file.
  public static func sound(
    _ path: String, upTo limit: Int = .max
  ) throws(StorageFailure) -> (end: Position, rest: Rest) {
    var end = Position()
    var flaw: Flaw?
    try eachLine(path) { line, offset in
      guard end.last < limit else { return false }
      if NumberedEvent.number(ofLine: line) != end.last + 1 { flaw = .number }
      if flaw == nil, end.chain.take(line) == .broken { flaw = .hash }
      guard flaw == nil else { return false }
      end.last += 1
      end.bytes = offset
      return true
    }
    var status = stat()
    guard stat(path, &status) == 0 || errno == ENOENT else { throw StorageFailure(path: path, code: errno) }
    let left = Int(status.st_size) - end.bytes
    if flaw == nil, left > WireLine.maximumBytes { flaw = .length }  // what stands there has no end of its own
    return (end, flaw.map { .damaged(bytes: left, $0) } ?? (left > 0 ? .torn : .nothing))
  }

  /// Hands each whole line, and the offset behind its newline, to `body` until that says stop. Nothing without a file.
  public static func eachLine(
    _ path: String, _ body: (UnsafeRawBufferPointer, Int) -> Bool
  ) throws(StorageFailure) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    if file < 0, errno == ENOENT { return }
    guard file >= 0 else { throw StorageFailure(path: path, code: errno) }
    defer { close(file) }
    var framer = LineFramer()
    var end = 0
    var goesOn = true
    var chunk = [UInt8](repeating: 0, count: 256 << 10)
    while goesOn {
      let count = read(file, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw StorageFailure(path: path, code: errno) }
      guard count > 0 else { return }
      do {
        try chunk[..<count].withUnsafeBytes { bytes in
          try framer.append(bytes) { line in
            guard goesOn else { return }
            end += line.count + 1
            goesOn = body(line, end)
          }
        }
      } catch { return }  // an over-long line: what came before it stands
    }
  }

  /// The last whole line; `nil` where there is none, or one that is longer than a final event can be.
  public static func lastLine(_ path: String) -> [UInt8]? {
    let most = 256 << 10
    guard let bytes = DurableFile.tail(of: path, bytes: most), let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else {
      return nil
    }
    let start = bytes[..<end].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
    guard let start = start ?? (bytes.count < most ? 0 : nil) else { return nil }
    return Array(bytes[start..<end])
  }
}
