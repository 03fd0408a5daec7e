import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("The journal keeps every event, whatever happens to its writer")
struct JournalTests {
  private func phase(_ text: String) -> JobEvent { .phase(Phase(text: text)) }

  private func events(_ folder: String) throws -> [NumberedEvent] {
    let bytes = try Data(contentsOf: URL(filePath: folder + "/journal.ndjson"))
    return try bytes.split(separator: UInt8(ascii: "\n")).map { try NumberedEvent(line: $0) }
  }

  @Test("events are numbered from 1 without gaps, across two writers")
  func numbers() async throws {
    try await withTemporaryFolder { folder in
      let first = try JournalWriter(folder: folder)
      for index in 0..<5 { try first.emit(phase("first \(index)")) }
      let second = try JournalWriter(folder: folder)
      try second.emit(phase("second"))
      #expect(try events(folder).map(\.number) == [1, 2, 3, 4, 5, 6])
    }
  }

  @Test("a torn last line is cut off at any length, and all before it stands", arguments: [1, 7, 30, 60])
  func torn(kept: Int) async throws {
    try await withTemporaryFolder { folder in
      let writer = try JournalWriter(folder: folder)
      for index in 0..<3 { try writer.emit(phase("\(index)")) }
      let whole = try Data(contentsOf: URL(filePath: writer.journalPath))
      let line = try NumberedEvent(number: 4, time: Timestamp.rfc3339(), event: phase("torn")).line()
      try (whole + line.prefix(kept)).write(to: URL(filePath: writer.journalPath))
      try JournalWriter(folder: folder).emit(phase("after the crash"))
      let found = try events(folder)
      #expect(found.map(\.number) == [1, 2, 3, 4])
      #expect(found.last?.event == phase("after the crash"))
    }
  }

  @Test("an event that fits no line becomes a word of trouble, and the job goes on")
  func tooLong() async throws {
    try await withTemporaryFolder { folder in
      let writer = try JournalWriter(folder: folder)
      try writer.emit(phase(String(repeating: "x", count: WireLine.maximumBytes)))
      try writer.emit(phase("next"))
      let found = try events(folder)
      guard case .trouble(let trouble) = found.first?.event else {
        Issue.record("expected trouble, found \(String(describing: found.first))")
        return
      }
      #expect(trouble.problem.what.contains("longer than"))
      #expect(found.last?.event == phase("next"))
    }
  }

  @Test("the place after a number is where the next event starts; beyond the end it is the end")
  func places() async throws {
    try await withTemporaryFolder { folder in
      let writer = try JournalWriter(folder: folder)
      for index in 0..<20 { try writer.emit(phase("event \(index)")) }
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: writer.journalPath)))
      for number in 1...20 {
        let place = try #require(try JournalFile.place(after: number, hash: nil, in: writer.journalPath))
        let rest = bytes[place.offset...].split(separator: UInt8(ascii: "\n"))
        #expect(place.after == number && rest.count == 20 - number)
        if let next = rest.first { #expect(try NumberedEvent(line: next).number == number + 1) }
      }
      let end = JournalFile.Place(offset: bytes.count, after: 20)
      #expect(try JournalFile.place(after: 21, hash: nil, in: writer.journalPath) == end)
      #expect(try JournalFile.place(after: 0, hash: nil, in: writer.journalPath) == .init(offset: 0, after: 0))
    }
  }

  @Test("on a full disk the last word is still written, behind whole lines only")
  func fullDisk() async throws {
    try await withTemporaryFolder { folder in
      let disk = folder + "/disk"
      try await withSmallDisk(at: disk, options: "size=256k") {
        let writer = try JournalWriter(folder: disk)
        let failure = #expect(throws: StorageFailure.self) {
          while true { try writer.emit(phase(String(repeating: "y", count: 1000))) }
        }
        #expect(failure?.isFull == true)
        let count = writer.last
        try writer.emitLast(.finished(Finished(outcome: .failed, problem: failure?.problem, seconds: 1)))
        let found = try events(disk)
        #expect(found.map(\.number) == Array(1...(count + 1)))
        guard case .finished(let finished) = found.last?.event else {
          Issue.record("no last word")
          return
        }
        #expect(finished.problem?.what.contains("full") == true)
      }
    }
  }

  /// A journal of a few lines, and where each of them ends.
  private func made(_ folder: String, events: Int = 5) throws -> (bytes: [UInt8], ends: [Int]) {
    let writer = try JournalWriter(folder: folder)
    for index in 0..<events { try writer.emit(phase("event \(index)")) }
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: writer.journalPath)))
    return (bytes, bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 })
  }

  @Test("cut off at any byte, the whole lines stand and nothing else")
  func tornAnywhere() async throws {
    try await withTemporaryFolder { folder in
      let (bytes, ends) = try made(folder)
      let path = URL(filePath: folder + "/journal.ndjson")
      for length in bytes.indices {
        try Data(bytes[..<length]).write(to: path)
        let writer = try JournalWriter(folder: folder)
        let whole = ends.filter { $0 <= length }
        #expect(writer.last == whole.count && writer.cut == nil)
        #expect([UInt8](try Data(contentsOf: path)) == Array(bytes[..<(whole.last ?? 0)]))
      }
    }
  }

  @Test("changed at any byte, what stands before that line is kept, and the rest lies beside it")
  func damagedAnywhere() async throws {
    try await withTemporaryFolder { folder in
      let (bytes, ends) = try made(folder, events: 4)
      let path = URL(filePath: folder + "/journal.ndjson")
      let copy = URL(filePath: folder + "/journal.cut-1")
      for place in bytes.indices.dropLast() {
        var damaged = bytes
        damaged[place] ^= 0x04
        try Data(damaged).write(to: path)
        let writer = try JournalWriter(folder: folder)
        let kept = ends.filter { $0 <= place }
        #expect(writer.last == kept.count, "byte \(place)")
        #expect([UInt8](try Data(contentsOf: path)) == Array(bytes[..<(kept.last ?? 0)]))
        // The last line's newline made into another byte is a torn line, and every other change is damage.
        #expect(writer.cut?.why?.contains("event \(kept.count + 1)") == true)
        #expect([UInt8](try Data(contentsOf: copy)) == Array(damaged[(kept.last ?? 0)...]))
        try FileManager.default.removeItem(at: copy)
      }
    }
  }

  @Test("a line that is missing or stands twice is where the journal ends")
  func gaps() async throws {
    try await withTemporaryFolder { folder in
      let (bytes, ends) = try made(folder)
      let path = URL(filePath: folder + "/journal.ndjson")
      for wrong in [bytes[..<ends[1]] + bytes[ends[2]...], bytes[..<ends[1]] + bytes[ends[0]...]] {
        try Data(wrong).write(to: path)
        let writer = try JournalWriter(folder: folder)
        #expect(writer.last == 2 && writer.cut != nil)
        try writer.emit(phase("after"))
        #expect(try EventLog.sound(path.path).end.last == 3)
      }
      #expect(FileManager.default.fileExists(atPath: folder + "/journal.cut-2"))
    }
  }

  @Test("a journal of the first release, without hashes, is read and gone on with")
  func unsealed() async throws {
    try await withTemporaryFolder { folder in
      let lines = try (1...3).flatMap { try NumberedEvent(number: $0, time: "t", event: phase("old \($0)")).line() }
      try Data(lines).write(to: URL(filePath: folder + "/journal.ndjson"))
      let writer = try JournalWriter(folder: folder)
      #expect(writer.last == 3 && writer.cut == nil)
      try writer.emit(phase("new"))
      let again = try JournalWriter(folder: folder)
      #expect(again.last == 4 && again.cut == nil)
    }
  }

  @Test("a controller that is ahead of a journal that lost its newest lines goes on where both still agree")
  func rewind() async throws {
    try await withTemporaryFolder { folder in
      let resumed = JobEvent.resumed(Resumed(reason: .rebooted, attempt: 2, bootID: "b", agentSHA256: "a"))
      let (before, ends) = try made(folder, events: 8)
      let path = folder + "/journal.ndjson"
      func hash(_ number: Int) -> String? {
        before[(number > 1 ? ends[number - 2] : 0)..<(ends[number - 1] - 1)].withUnsafeBytes {
          JournalChain.hash(ofLine: $0)
        }
      }
      // The machine went down and came back with five lines; a new runner took the job over.
      try Data(before[..<ends[4]]).write(to: URL(filePath: path))
      func place(_ number: Int) throws -> JournalFile.Place? {
        try JournalFile.place(after: number, hash: hash(number), in: path)
      }
      let common = JournalFile.Place(offset: ends[4], after: 5)
      #expect(try place(8) == common)
      let writer = try JournalWriter(folder: folder)
      try writer.emit(resumed)
      for number in 1...5 { #expect(try place(number) == .init(offset: ends[number - 1], after: number)) }
      // The journal is shorter than what the controller has, then has another line there.
      for number in 6...8 { #expect(try place(number) == common) }
      for index in 0..<5 { try writer.emit(phase("again \(index)")) }
      for number in 6...8 { #expect(try place(number) == common) }
      try writer.emit(resumed)
      #expect(try place(8) == common)
      #expect(try JournalFile.place(after: 2, hash: String(repeating: "0", count: 32), in: path) == nil)
    }
  }
}
