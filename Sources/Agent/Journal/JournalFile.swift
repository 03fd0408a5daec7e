import Shared

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads journals as bytes; nothing is decoded.
enum JournalFile {
  /// The length of the whole lines at the start of a journal, and the number of the last of them; 0 and 0 without a file.
  static func wholeLines(_ path: String) throws(StorageFailure) -> (bytes: Int, last: Int) {
    var position = 0
    var last = 0
    try eachLine(path) { line, end in
      if let number = NumberedEvent.number(ofLine: line) { last = number }
      position = end
      return true
    }
    return (position, last)
  }

  /// Where the event after `number` starts; `nil` when the journal does not reach `number`.
  static func offset(after number: Int, in path: String) throws(StorageFailure) -> Int? {
    guard number > 0 else { return 0 }
    var found: Int?
    try eachLine(path) { line, end in
      if NumberedEvent.number(ofLine: line) == number { found = end }
      return found == nil
    }
    return found
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
