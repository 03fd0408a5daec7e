import Foundation
import Shared
import SystemPackage
import Testing

@testable import ControllerCore

@Suite("events.ndjson: every event once, in order")
struct EventStoreTests {
  private let folder: TemporaryFolder
  private let path: FilePath
  private let lines: [[UInt8]]

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path.appending("events.ndjson")
    lines = try EventFixture().lines().map { Array($0.dropLast()) }
  }

  private func append(_ range: Range<Int>, to store: EventStore) throws {
    for line in lines[range] { try store.append(line: line) }
  }

  @Test("what was appended is there after a flush, for any other process, and reads back as it was sent")
  func roundTrip() throws {
    let store = try EventStore(path: path)
    try append(0..<lines.count, to: store)
    try store.flush()
    #expect(try TemporaryFolder.text(path).utf8.elementsEqual(lines.joined(separator: [10]) + [10]))
    #expect(store.last == lines.count)
    try store.close()
    try store.close()
    #expect(try StoredEvents.read(path) == EventFixture().events)
  }

  @Test("a number that is not the next one is refused, and nothing of it is written")
  func order() throws {
    let store = try EventStore(path: path)
    try append(0..<3, to: store)
    #expect(throws: ResultsError.outOfOrder(path: path.string, expected: 4, found: 3)) {
      try store.append(line: lines[2])
    }
    #expect(throws: ResultsError.outOfOrder(path: path.string, expected: 4, found: 6)) {
      try store.append(line: lines[5])
    }
    #expect(throws: ResultsError.self) { try store.append(line: Array("hello".utf8)) }
    try append(3..<4, to: store)
    try store.close()
    #expect(try StoredEvents.read(path).map(\.number) == [1, 2, 3, 4])
  }

  @Test("a file cut anywhere in its last line goes on after the last whole one", arguments: [0, 1, 7, 40])
  func resumed(cut: Int) throws {
    let whole = Array(lines[..<5].joined(separator: [10])) + [10]
    try TemporaryFolder.write(whole + lines[5].prefix(cut), path)
    #expect(try StoredEvents.read(path).count == 5)
    let store = try EventStore(path: path)
    #expect(store.last == 5)
    try append(5..<lines.count, to: store)
    try store.close()
    #expect(try StoredEvents.read(path) == EventFixture().events)
  }

  @Test("a file that was damaged in the middle is not written on to")
  func damagedBefore() throws {
    try TemporaryFolder.write(lines[0] + [10] + lines[2] + [10], path)
    #expect(throws: ResultsError.self) { _ = try EventStore(path: path) }
    #expect(try TemporaryFolder.text(path).utf8.count == lines[0].count + lines[2].count + 2)
  }

  @Test("many events cross the buffer's bound without a loss")
  func many() throws {
    let store = try EventStore(path: path)
    for number in 1...20_000 { try store.append(line: Array("{\"seq\":\(number),\"type\":\"x\",\"body\":{}}".utf8)) }
    try store.close()
    #expect(try TemporaryFolder.text(path).split(separator: "\n").count == 20_000)
    #expect(try EventStore(path: path).last == 20_000)
  }

  @Test("a full disk is an error in words, and the events that did not fit are kept for the next try")
  func fullDisk() throws {
    let store = try EventStore(path: "/dev/full")
    try store.append(line: lines[0])
    for _ in 0..<2 {
      let error = try #require(throws: ResultsError.self) { try store.flush() }
      #expect(error.problem.rendered.contains("/dev/full can't be written"))
      #expect(error.why?.contains("No space left") == true)
      #expect(error.exitStatus == .infrastructure)
    }
  }

  @Test("a folder that is not there is an error that names the file")
  func noFolder() throws {
    let gone = folder.path.appending("gone/events.ndjson")
    let error = try #require(throws: ResultsError.self) { _ = try EventStore(path: gone) }
    #expect(error.what.contains(gone.string))
  }
}

@Suite("Reading events back")
struct StoredEventsTests {
  private let folder: TemporaryFolder
  private let path: FilePath

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path.appending("events.ndjson")
  }

  @Test("a damaged line is named with its file and number, whatever is wrong with it")
  func damaged() throws {
    let lines = try EventFixture().lines()
    let wrong = [
      "not json\n", "{\"seq\":3,\"type\":\"phase\",\"time\":\"t\",\"body\":{}}\n", "\n",
      "{\"seq\":9,\"type\":\"queued\",\"time\":\"t\",\"body\":{\"holder\":\"x\"}}\n", "{\"type\":\"dance\"}\n",
    ]
    for text in wrong {
      try TemporaryFolder.write(lines[0] + lines[1] + Array(text.utf8) + lines[3], path)
      let error = try #require(throws: ResultsError.self) { try StoredEvents.read(path) }
      #expect(error.what == "line 3 of \(path.string) is damaged")
      #expect(error.why != nil && !error.problem.rendered.contains("Decoding"))
    }
  }

  @Test("kinds of a newer release are passed over, and hold no number up")
  func unknown() throws {
    let lines = try EventFixture().lines()
    try TemporaryFolder.write(
      lines[0] + Array("{\"seq\":2,\"type\":\"dance\",\"time\":\"t\",\"body\":{}}\n".utf8) + Array(lines[2]), path)
    #expect(try StoredEvents.read(path).map(\.number) == [1, 3])
  }

  @Test("an empty file is a job that has said nothing yet; no file is an error")
  func empty() throws {
    #expect(throws: ResultsError.self) { try StoredEvents.read(path) }
    try TemporaryFolder.write([], path)
    #expect(try StoredEvents.read(path).isEmpty)
    #expect(JobRecord(events: []).failure?.what.contains("no last word") == true)
  }
}

@Suite("events.ndjson is the benchmark host's journal or a beginning of it: the hashes say so")
struct EventChainTests {
  private let folder: TemporaryFolder
  private let path: FilePath
  /// Sealed, without their newlines.
  private let lines: [[UInt8]]

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path.appending("events.ndjson")
    var chain = JournalChain()
    lines = try EventFixture().lines().map { Array(chain.seal($0).dropLast()) }
  }

  private func hash(_ line: [UInt8]) -> String? { line.withUnsafeBytes { JournalChain.hash(ofLine: $0) } }

  @Test("a line that is not the one after the last is refused, whatever is wrong with it, and the right one is taken")
  func broken() throws {
    let store = try EventStore(path: path)
    for line in lines[..<3] { try store.append(line: line) }
    for index in stride(from: 20, to: lines[3].count, by: 7) {
      var hurt = lines[3]
      hurt[index] ^= 1
      #expect(throws: ResultsError.self) { try store.append(line: hurt) }
    }
    #expect(throws: ResultsError.brokenChain(path: path.string, number: 4)) {
      try store.append(line: try EventFixture().lines()[3].dropLast())
    }
    #expect(store.last == 3 && store.hash == hash(lines[2]))
    for line in lines[3...] { try store.append(line: line) }
    try store.close()
    #expect(try StoredEvents.read(path).count == lines.count)
  }

  @Test("opened again it knows the hash of the last line, also after a torn one")
  func opened() throws {
    try TemporaryFolder.write(Array(lines[..<5].joined(separator: [10])) + [10] + lines[5].prefix(30), path)
    let store = try EventStore(path: path)
    #expect(store.last == 5 && store.hash == hash(lines[4]))
    for line in lines[5...] { try store.append(line: line) }
    #expect(throws: ResultsError.inUse(path: path.string)) { _ = try EventStore(path: path) }
    try store.close()
    #expect(try EventStore(path: path).hash == hash(lines[lines.count - 1]))
  }

  @Test("a rewind cuts after the number and nothing else, and other events go on from there", arguments: [0, 1, 4])
  func rewound(number: Int) throws {
    let store = try EventStore(path: path)
    for line in lines { try store.append(line: line) }
    try store.rewind(to: lines.count)
    #expect(store.last == lines.count)
    try store.rewind(to: number)
    #expect(store.last == number && store.hash == (number == 0 ? nil : hash(lines[number - 1])))
    var chain = JournalChain(head: store.hash ?? "")
    let other = chain.seal(
      try NumberedEvent(number: number + 1, time: "t", event: .phase(Phase(text: "again"))).line())
    try store.append(line: Array(other.dropLast()))
    try store.close()
    let kept = lines[..<number].map { $0 + [10] }.joined()
    #expect(try TemporaryFolder.text(path).utf8.elementsEqual(kept + other))
  }
}

@Suite("Pauses between tries")
struct ReconnectTests {
  @Test("the first comes at once, the others grow to half a minute, each from half to one and a half of its length")
  func pauses() {
    let plan = Reconnect(limit: .seconds(1800))
    #expect(plan.pause(before: 0) == .zero)
    for (attempt, length) in [0.5, 1, 2, 4, 8, 15, 30, 30, 30].enumerated() {
      for _ in 0..<50 {
        let pause = plan.pause(before: attempt + 1).inSeconds
        #expect((0.5 * length...1.5 * length).contains(pause))
      }
    }
  }

  @Test("a new event sets the pauses back; a line that only answers does not")
  func progress() {
    var loss = Outage()
    let first = loss.note(events: 3)
    _ = (loss.nextAttempt(), loss.nextAttempt())
    let second = loss.note(events: 3)
    #expect(first && !second)
    let third = loss.nextAttempt()
    let (gone, goneTwice) = (loss.end(), loss.end())
    #expect(third == 2 && gone != nil && goneTwice == nil)
    let again = loss.note(events: 3)
    let fourth = loss.nextAttempt()
    #expect(again && fourth == 3)
    _ = loss.note(events: 4)
    let fifth = loss.nextAttempt()
    #expect(fifth == 0)
  }
}
