import Foundation
import Shared

@testable import Agent

/// A job's folder whose journal holds any bytes.
enum JournalProperties {
  /// One folder for a process; in memory where the system has such a place.
  private static let folder: String = {
    let memory = "/dev/shm"
    let base = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
    return "\(base)/cf-bench-fuzz-\(getpid())"
  }()
  private static var path: String { folder + "/journal.ndjson" }

  /// Removes what ``check(_:)`` left.
  static func clean() throws { try FileManager.default.removeItem(atPath: folder) }

  static func check(_ input: [UInt8]) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try write(input)
    let opened = try JournalWriter(folder: folder)
    let kept = try read()
    try promise(input.starts(with: kept), "opening changed what it kept")
    try promise(kept.isEmpty || kept.last == UInt8(ascii: "\n"), "a torn line was kept")
    let last = opened.last
    try opened.emit(.phase(Phase(text: "goes on")))
    opened.sync()
    let grown = try read()
    try promise(grown.starts(with: kept), "writing changed what stood there")
    let line = Array(grown.dropFirst(kept.count).dropLast())
    let event = try NumberedEvent(line: line)
    try promise(event.number == last + 1, "after \(last) comes \(event.number)")
    // A second opening finds all in order.
    let again = try JournalWriter(folder: folder)
    try promise(again.last == last + 1, "the second opening ends at \(again.last), the first at \(last + 1)")
    try promise(try read() == grown, "the second opening changed the journal")
    try promise(
      try JournalFile.offset(after: last + 1, in: path) == grown.count, "what follows its last line is not its end")
  }

  private static func write(_ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(filePath: path))
  }

  private static func read() throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }
}
