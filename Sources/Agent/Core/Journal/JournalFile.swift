import Glibc
import Shared

/// Reads journals as bytes; nothing is decoded.
enum JournalFile {
  /// What a journal holds up to its first flaw.
  struct Sound {
    /// The length of the whole lines that fit: numbered without a gap and linked by their hashes.
    var bytes = 0
    /// The number of the last of them.
    var last = 0
    var chain = JournalChain()
    var rest = Rest.nothing
  }

  /// What follows the lines that fit.
  enum Rest: Equatable {
    case nothing
    /// A line without its end: its writer was cut off.
    case torn
    /// Lines that are not what was written, this many bytes of them.
    case damaged(bytes: Int)
  }

  /// Walks the journal's numbers and hashes; an empty ``Sound`` without a file.
  static func sound(_ path: String) throws(StorageFailure) -> Sound {
    var sound = Sound()
    var isBroken = false
    try eachLine(path) { line, end in
      let number = NumberedEvent.number(ofLine: line)
      guard number == sound.last + 1, sound.chain.take(line) != .broken else {
        isBroken = true
        return false
      }
      sound.last += 1
      sound.bytes = end
      return true
    }
    let size = try size(path)
    let left = size - sound.bytes
    // Longer than any line: what stands there has no end of its own.
    if isBroken || left > WireLine.maximumBytes {
      sound.rest = .damaged(bytes: left)
    } else if left > 0 {
      sound.rest = .torn
    }
    return sound
  }

  /// Where a controller goes on that has everything up to an event.
  struct Place: Equatable {
    /// Where the next event starts, in bytes.
    var offset: Int
    /// The number after which events follow.
    var after: Int
    /// That event is the journal's last word.
    var isFinished = false
  }

  /// Finds where to go on after event `number`, whose line had this hash at the controller's.
  ///
  /// A machine that went down may have lost its newest lines and written others since. Those begin with a `resumed`, so the
  /// place before the earliest one that can be meant is common to both; so is the end of a journal that is shorter.
  /// - Returns: `nil` when the controller's events are of another journal.
  static func place(after number: Int, hash: String?, in path: String) throws(StorageFailure) -> Place? {
    guard number > 0 else { return Place(offset: 0, after: 0) }
    var last = Place(offset: 0, after: 0)
    var beforeResumed: Place?
    var found: Place?
    var isOther = false
    try eachLine(path) { line, end in
      guard let seen = NumberedEvent.number(ofLine: line) else { return true }
      if beforeResumed == nil, seen > 1, isType("resumed", line) { beforeResumed = last }
      last = Place(offset: end, after: seen, isFinished: isType("finished", line))
      guard seen >= number else { return true }
      // Where the number itself is missing, what follows it is not the controller's.
      let isSame = seen == number && (hash == nil || JournalChain.hash(ofLine: line) == hash)
      if isSame { found = last } else { isOther = beforeResumed == nil }
      return false
    }
    return isOther ? nil : found ?? beforeResumed ?? last
  }

  /// Whether a line is of this type: `{"seq":N,"type":"…",…`. The form is our own writer's, so the bytes can be compared.
  static func isType(_ type: String, _ line: UnsafeRawBufferPointer) -> Bool {
    guard let comma = line.prefix(40).firstIndex(of: UInt8(ascii: ",")) else { return false }
    return line[comma...].starts(with: ",\"type\":\"\(type)\",".utf8)
  }

  /// How many events of this type there are.
  static func count(_ type: String, in path: String) throws(StorageFailure) -> Int {
    var count = 0
    try eachLine(path) { line, _ in
      if isType(type, line) { count += 1 }
      return true
    }
    return count
  }

  /// The last whole line; `nil` where there is none, or one that is longer than a last word can be.
  static func lastLine(_ path: String) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let size = Int(lseek(file, 0, SEEK_END))
    var bytes = [UInt8](repeating: 0, count: max(0, min(size, 256 << 10)))
    let count = pread(file, &bytes, bytes.count, off_t(size - bytes.count))
    guard count > 0, let end = bytes[..<count].lastIndex(of: UInt8(ascii: "\n")) else { return nil }
    let start = bytes[..<end].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
    guard let start = start ?? (bytes.count == size ? 0 : nil) else { return nil }
    return Array(bytes[start..<end])
  }

  private static func size(_ path: String) throws(StorageFailure) -> Int {
    var status = stat()
    if stat(path, &status) != 0 {
      guard errno == ENOENT else { throw StorageFailure(path: path, code: errno) }
      return 0
    }
    return Int(status.st_size)
  }

  /// Hands each whole line and the offset behind its newline to `body` until that says stop.
  static func eachLine(
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
}
