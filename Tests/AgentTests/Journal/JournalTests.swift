import Foundation
import Shared
import TestSupport
import Testing

@testable import Agent

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
      try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
      func mount(_ program: String, _ arguments: [String]) throws -> ChildProcess.Outcome {
        try ChildProcess(
          program: program, arguments: arguments, environment: ["PATH": "/usr/bin:/bin:/sbin:/usr/sbin"],
          directory: "/", limitSeconds: 10
        ).run()
      }
      let mounted = try mount("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk])
      try #require(mounted.succeeded, "mounting a tmpfs needs root: \(mounted.errorText)")
      defer { _ = try? mount("umount", ["-l", disk]) }
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
