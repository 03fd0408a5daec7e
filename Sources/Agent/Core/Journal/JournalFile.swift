import Shared

/// Looks into journals as bytes; nothing is decoded.
enum JournalFile {
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
    try EventLog.eachLine(path) { line, end in
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
    try EventLog.eachLine(path) { line, _ in
      if isType(type, line) { count += 1 }
      return true
    }
    return count
  }
}
