import Foundation
import Shared

@testable import AgentCore

/// A job's folder whose journal holds any bytes.
enum JournalProperties {
  /// One folder for a process; in memory where the system has such a place.
  private static let folder: String = {
    let memory = "/dev/shm"
    let base = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
    return "\(base)/cf-bench-fuzz-\(getpid())"
  }()
  private static var path: String { folder + "/journal.ndjson" }
  private static var copy: String { folder + "/journal.cut-1" }

  /// Removes what ``check(_:)`` left.
  static func clean() throws { try FileManager.default.removeItem(atPath: folder) }

  static func check(_ input: [UInt8]) throws -> Bool {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    unlink(copy)
    try Data(input).write(to: URL(filePath: path))
    try checkReading(input)
    let sound = reference(input)
    try checkWriting(input, sound: sound)
    return sound.last > 0
  }

  /// What reads a journal without opening it for writing takes any bytes.
  private static func checkReading(_ input: [UInt8]) throws {
    _ = try JobHistory(path)
    let whole = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
    try promise(JournalFile.lastLine(path) == whole.last.map { Array($0) }, "another line is taken for the last one")
    let asked = Int(input.first ?? 0) % 16
    guard let place = try JournalFile.place(after: asked, hash: nil, in: path) else { return }
    try promise(place.after <= asked, "a place after event \(place.after), asked for \(asked)")
    try promise(place.offset <= input.count, "a place behind the journal's end: \(place)")
    try promise(
      place.offset == 0 || input[place.offset - 1] == UInt8(ascii: "\n"), "a place inside a line: \(place)")
  }

  private static func checkWriting(_ input: [UInt8], sound: (bytes: Int, last: Int)) throws {
    let opened = try JournalWriter(folder: folder)
    let rest = Array(input[sound.bytes...])
    try promise(try read(path) == Array(input[..<sound.bytes]), "opening keeps something else than what fits")
    try promise(opened.last == sound.last, "the last number is \(opened.last), not \(sound.last)")
    let isDamaged = rest.contains(UInt8(ascii: "\n"))
    try promise((opened.cut != nil) == isDamaged, isDamaged ? "nothing is said of the damage" : "it speaks of damage")
    try promise(!isDamaged || (try read(copy)) == rest, "what was cut off is not kept")

    try opened.emit(.phase(Phase(text: "goes on")))
    opened.sync()
    let grown = try read(path)
    try promise(grown.starts(with: input[..<sound.bytes]), "writing changed what stood there")
    let after = reference(grown)
    try promise(after == (grown.count, sound.last + 1), "what was written does not fit what stood there")

    // A second opening finds all in order.
    let again = try JournalWriter(folder: folder)
    try promise(again.last == sound.last + 1 && again.cut == nil, "the second opening finds something amiss")
    try promise(try read(path) == grown, "the second opening changed the journal")
    let hash = grown.dropLast().split(separator: UInt8(ascii: "\n")).last?.withUnsafeBytes {
      JournalChain.hash(ofLine: $0)
    }
    try promise(hash != nil, "what was written has no hash")
    let place = try JournalFile.place(after: again.last, hash: hash ?? nil, in: path)
    try promise(place?.offset == grown.count && place?.after == again.last, "what follows its last line is not its end")
  }

  /// How far a journal is whole lines that are numbered from 1 and fit the lines before them.
  private static func reference(_ journal: [UInt8]) -> (bytes: Int, last: Int) {
    var sound = (bytes: 0, last: 0)
    var head = ""
    for line in journal.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
      let line = Array(line)
      let next = ChainProperties.verdict(on: line, after: head)
      let number = line.withUnsafeBytes { NumberedEvent.number(ofLine: $0) }
      guard number == sound.last + 1, next.verdict != .broken else { return sound }
      head = next.head
      sound = (sound.bytes + line.count + 1, sound.last + 1)
    }
    return sound
  }

  private static func read(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: path))) }
}
