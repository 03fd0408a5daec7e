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
    var number = 0
    for line in bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      let event = try decode(line, file: file, line: number)
      guard event.number == number else {
        throw .damagedLine(
          path: file.string, line: number, reason: "it holds event \(event.number) where \(number) belongs")
      }
      if case .unknown = event.event { continue }
      events.append(event)
    }
    return events
  }

  private static func decode(
    _ bytes: ArraySlice<UInt8>, file: FilePath, line: Int
  ) throws(ResultsError) -> NumberedEvent {
    do { return try NumberedEvent(line: bytes) } catch {
      throw .damagedLine(path: file.string, line: line, reason: error.why ?? error.what)
    }
  }
}
