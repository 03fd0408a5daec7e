import Shared
import SystemPackage

/// Reads `events.ndjson` back.
enum StoredEvents {
  static let fileName = "events.ndjson"

  /// The events of a folder, in order. A torn last line is cut off: the file itself is left as it is. Events of kinds
  /// that this program does not know are passed over.
  /// - Throws: ``ResultsError`` that names the file, and the line of the first one that is damaged or out of order.
  static func read(_ file: FilePath) throws(ResultsError) -> [NumberedEvent] {
    let bytes = try StoredFile.read(file)
    guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
    var events: [NumberedEvent] = []
    var chain = JournalChain()
    var number = 0
    for line in bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      func damaged(_ reason: String) -> ResultsError {
        .damagedLine(path: file.string, line: number, reason: reason)
      }
      let verdict = line.withUnsafeBytes { chain.take($0) }
      let event: NumberedEvent
      do { event = try NumberedEvent(line: line) } catch { throw damaged(error.why ?? error.what) }
      guard event.number == number else { throw damaged("it holds event \(event.number) where \(number) belongs") }
      if verdict == .broken { throw damaged("its hash does not fit") }
      if case .unknown(_, let why) = event.event {
        guard let why else { continue }
        // Without a hash nobody knows whether it is what was written.
        if verdict == .unsealed { throw damaged(why) }
      }
      events.append(event)
    }
    return events
  }
}
