import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore
@testable import SSH

@Suite("A session with an agent")
struct AgentSessionTests {
  private let job = JobID("played") ?? { preconditionFailure("a job's name") }()

  private func session(_ turns: [PlayedWire.Turn]) -> (AgentSession, PlayedWire) {
    let wire = PlayedWire(turns)
    return (AgentSession(wire, machine: "u@host"), wire)
  }

  private func says(_ messages: AgentMessage...) throws -> PlayedWire.Turn {
    .says(try messages.flatMap { try $0.line() })
  }

  @Test("an answer is found behind events and pongs, however its line is cut, and what came with it is kept")
  func answer() async throws {
    let reply = AgentMessage.cancelled(Cancelled(job: job, wasRunning: true))
    let event = try NumberedEvent(number: 1, time: "t", event: .phase(Phase(text: "x"))).line()
    let line = try reply.line()
    let (session, wire) = session([
      .says(event + line.prefix(5)), .says(Array(line.dropFirst(5)) + (try AgentMessage.pong(Ping(number: 3)).line())),
    ])
    let got = try await session.answer(
      to: .cancel(CancelRequest(job: job)), within: .seconds(60), waitingFor: "the job's end")
    #expect(got == reply)
    #expect(wire.sent == [.cancel(CancelRequest(job: job))])
    #expect(session.takeWaiting() == [.pong(Ping(number: 3))] && session.takeWaiting().isEmpty)
  }

  @Test("a refusal is the agent's own problem, an end says what was waited for, and words of SSH come through")
  func failures() async throws {
    let problem = Problem(what: "no", why: "because", fix: "do", exitStatus: .usage)
    let (refused, _) = session([try says(.refused(Refused(request: "jobs", problem: problem)))])
    await #expect(throws: problem) { try await refused.jobs() }
    let (ended, _) = session([])
    let end = await #expect(throws: ConnectionEnded.self) { try await ended.jobs() }
    #expect(end?.what == "the agent on u@host ended before it sent the list of jobs")
    let lost = SSHError(step: .transfer, cause: .lost, code: -43, words: "transport read")
    let (broken, _) = session([.breaks(lost)])
    await #expect(throws: lost) { try await broken.jobs() }
  }

  @Test("what an agent said that ended before it was asked counts, not that it can't be asked any more")
  func endedBefore() async throws {
    let problem = Problem(what: "no", why: "because", fix: "do", exitStatus: .usage)
    let closed = SSHError(step: .transfer, cause: .inputClosed)
    let (refused, first) = session([try says(.refused(Refused(request: "jobs", problem: problem)))])
    first.refuseToSend(closed)
    await #expect(throws: problem) { try await refused.jobs() }
    let (ended, second) = session([])
    second.refuseToSend(closed)
    await #expect(throws: ConnectionEnded.self) { try await ended.jobs() }
  }

  @Test("silence ends at the limit, and hangs up")
  func silence() async throws {
    let (session, wire) = session([.silence])
    let late = await #expect(throws: LimitPassed.self) {
      try await session.answer(to: .jobs, within: .milliseconds(1), waitingFor: "the list of jobs")
    }
    #expect(late?.waitedFor == "the list of jobs" && wire.isEnded)
  }

  @Test("another protocol's agent is told apart by its release")
  func foreign() async throws {
    var hello = HelloReply(sha256: nil, home: "/h", user: "u", host: "h", system: "Linux", architecture: "x86_64")
    hello.protocolVersion = Version.wireProtocol + 1
    hello.agentVersion = "9.0.0"
    let (session, _) = session([try says(.hello(hello))])
    let error = await #expect(throws: ForeignAgent.self) { try await session.greet() }
    #expect(error?.fix == "update cf-bench here to release 9.0.0 or newer")
  }

  @Test("a file that arrives damaged is sent once more, whole")
  func deliver() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      let path = folder + "/file"
      let bytes = (0..<(Piece.maximumBytes + 10)).map { UInt8(truncatingIfNeeded: $0) }
      try Data(bytes).write(to: URL(filePath: path))
      let sha256 = SHA256.hex(bytes)
      let id = try #require(UploadID(sha256: sha256))
      let damaged = Problem(what: ReceiveRequest.damaged, fix: "", exitStatus: .infrastructure)
      let (session, wire) = session([
        try says(.refused(Refused(request: "receive", problem: damaged))), try says(.received(Received(file: id))),
      ])
      try await session.deliver(path, bytes: bytes.count, as: sha256, kind: .upload)
      let pieces = wire.sent.compactMap { if case .piece(let piece) = $0 { Array(piece.data) } else { nil } }
      #expect(pieces.flatMap(\.self) == bytes + bytes && pieces.count == 4)
    }
  }

  // MARK: Following a job

  private func lines(_ events: [JobEvent]) throws -> [[UInt8]] {
    var chain = JournalChain()
    return try events.enumerated().map { number, event in
      chain.seal(try NumberedEvent(number: number + 1, time: "t", event: event).line())
    }
  }

  private func follow(
    _ turns: [PlayedWire.Turn], in folder: String, seen: ((NumberedEvent) throws -> Void)? = nil
  ) async throws -> (Ended, [UInt8]) {
    let path = FilePath(folder + "/events.ndjson")
    let store = try EventStore(path: path)
    let follower = JobFollower(job: job, store: store, progress: seen)
    let result: Result<Ended, any Error>
    do { result = .success(try await follower.follow(in: session(turns).0)) } catch { result = .failure(error) }
    try store.close()
    return (try result.get(), try StoredFile.read(path))
  }

  @Test("events reach the disk as they came, and one that this release can't decode is no fault of the connection")
  func undecodable() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      var chain = JournalChain()
      let known = try NumberedEvent(number: 1, time: "t", event: .phase(Phase(text: "x"))).line()
      let foreign = Array(#"{"seq":2,"v":1,"type":"phase","time":"t","body":{"text":7}}"#.utf8) + [10]
      let journal = chain.seal(known) + chain.seal(foreign)
      let ended = Ended(job: job, reason: .finished, last: 2)
      for isTogether in [true, false] {
        let attached = try AgentMessage.attached(Attached(job: job, after: 0)).line()
        let end = try AgentMessage.ended(ended).line()
        var seen: [Int] = []
        let place = folder + "/\(isTogether)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let (got, stored) = try await follow(
          isTogether ? [.says(attached + journal + end)] : [.says(attached), .says(journal), .says(end)], in: place
        ) { seen.append($0.number) }
        #expect(got == ended && stored == journal && seen == [1, 2])
      }
    }
  }

  @Test("a connection that breaks leaves what came on the disk, and an event too many is refused")
  func torn() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      let lines = try lines((1...3).map { .phase(Phase(text: "\($0)")) })
      let attached = try AgentMessage.attached(Attached(job: job, after: 0)).line()
      let lost = SSHError(step: .transfer, cause: .lost, code: -43, words: "transport read")
      await #expect(throws: lost) {
        try await follow([.says(attached), .says(lines[0] + lines[1] + lines[2].prefix(9)), .breaks(lost)], in: folder)
      }
      #expect(try StoredFile.read(FilePath(folder + "/events.ndjson")) == lines[0] + lines[1])
      let again = try AgentMessage.attached(Attached(job: job, after: 5)).line()
      // A folder of its own: a child that another test is just starting may hold the first one's lock for a moment.
      try await TestSupport.withTemporaryFolder { other in
        let error = await #expect(throws: EventMismatch.self) { try await follow([.says(again)], in: other) }
        #expect(error?.expected == 1)
      }
    }
  }
}
