import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("serve answers one conversation over standard input and output", .programs)
struct ServeTests {
  /// Sends all lines at once, ends the input, and reads what comes until serve ends.
  private func converse(home: String, _ lines: [[UInt8]]) throws -> (
    messages: [AgentMessage], outcome: ChildProcess.Outcome
  ) {
    let child = ChildProcess(
      program: try BuiltProduct.path("cf-bench-agent"), arguments: ["serve"],
      environment: ["PATH": "/usr/bin:/bin", "HOME": home, "CF_BENCH_HOME": home, "CF_BENCH_LOCK": home + "/lock"],
      directory: "/", input: lines.flatMap { $0 }, limitSeconds: 300, outputLimit: 256 << 20)
    let outcome = try child.run()
    var framer = LineFramer()
    let messages = try framer.lines(of: outcome.output).map { line in
      try line.withUnsafeBytes { try AgentMessage(line: $0) }
    }
    #expect(framer.unfinished == 0)
    return (messages, outcome)
  }

  private func hello() throws -> [UInt8] { try AgentRequest.hello(HelloRequest()).line() }

  /// A finished job's folder, as its runner left it.
  private func makeJob(_ name: String, home: String, events: Int, finished: Bool = true) throws -> JobID {
    let id = try #require(JobID(name))
    let folder = JobFolder(id, in: AgentHome(environment: ["CF_BENCH_HOME": home]))
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try Data("{}".utf8).write(to: URL(filePath: folder.manifest))
    let writer = try JournalWriter(folder: folder.path)
    for number in 1..<events { try writer.emit(.phase(Phase(text: "step \(number)"))) }
    try writer.emit(finished ? .finished(Finished(outcome: .done, seconds: 1)) : .phase(Phase(text: "cut short")))
    return id
  }

  @Test("hello names version, home and machine; a newer protocol is refused with the remedy")
  func greeting() async throws {
    try await withTemporaryFolder { home in
      let strange = try AgentRequest.hello(HelloRequest(protocolVersion: 99)).line()
      let (messages, outcome) = try converse(home: home, [try hello(), strange])
      #expect(outcome.end == .exited(0))
      guard messages.count == 2, case .hello(let reply) = messages[0], case .refused(let refused) = messages[1] else {
        Issue.record("unexpected answers \(messages)")
        return
      }
      #expect(reply.agentVersion == Version.current)
      #expect(reply.home == home)
      #expect(reply.sha256 == nil)
      #expect(refused.problem.what.contains("99"))
    }
  }

  @Test("an unknown request and a line that is none are refused, and the conversation goes on")
  func refusals() async throws {
    try await withTemporaryFolder { home in
      let lines = [
        "{\"v\":1,\"type\":\"dance\",\"body\":{}}\n", "rubbish\n", "{\"v\":1,\"type\":\"submit\",\"body\":{}}\n",
      ]
      let ping = try AgentRequest.ping(Ping(number: 7)).line()
      let (messages, _) = try converse(home: home, lines.map { Array($0.utf8) } + [ping])
      #expect(messages.count == 4)
      #expect(messages.last == .pong(Ping(number: 7)))
      for message in messages.dropLast() {
        guard case .refused(let refused) = message else {
          Issue.record("expected a refusal, found \(message)")
          continue
        }
        #expect(!refused.problem.fix.isEmpty)
        #expect(!(refused.problem.why ?? "").contains("CodingKey"))
      }
    }
  }

  @Test("a line without an end closes the conversation instead of filling the memory")
  func endlessLine() async throws {
    try await withTemporaryFolder { home in
      let endless = [UInt8](repeating: 0x61, count: WireLine.maximumBytes + 9)
      let (messages, outcome) = try converse(home: home, [endless, try hello()])
      #expect(messages.count == 1)
      #expect(outcome.end == .exited(0))
    }
  }

  @Test("attach sends exactly what follows a number, then the end", arguments: [0, 1, 500, 999, 1000])
  func attach(after: Int) async throws {
    try await withTemporaryFolder { home in
      let job = try makeJob("job", home: home, events: 1000)
      let (messages, _) = try converse(
        home: home, [try AgentRequest.attach(AttachRequest(job: job, after: after)).line()])
      #expect(messages.first == .attached(Attached(job: job, after: after)))
      #expect(messages.last == .ended(Ended(job: job, reason: .finished, last: 1000)))
      let numbers = messages.compactMap { if case .event(let number, _) = $0 { number } else { nil } }
      #expect(numbers == Array((after + 1)..<1001))
    }
  }

  @Test("a long journal comes whole through a pipe")
  func longJournal() async throws {
    try await withTemporaryFolder { home in
      let job = try makeJob("job", home: home, events: 60_000)
      let journal = try Data(contentsOf: URL(filePath: home + "/jobs/job/journal.ndjson"))
      let (messages, outcome) = try converse(
        home: home, [try AgentRequest.attach(AttachRequest(job: job, after: 0)).line()])
      // The safety tick comes after ten seconds: whoever needs it to go on has forgotten to wake.
      #expect(outcome.seconds < 8)
      var bytes: [UInt8] = []
      for case .event(_, let line) in messages { bytes += line + [UInt8(ascii: "\n")] }
      #expect(Data(bytes) == journal)
    }
  }

  @Test("a job that nothing can take up again is told as failed, with the reason")
  func lost() async throws {
    try await withTemporaryFolder { home in
      let job = try makeJob("job", home: home, events: 3, finished: false)
      let (messages, _) = try converse(home: home, [try AgentRequest.attach(AttachRequest(job: job, after: 0)).line()])
      #expect(messages.last == .ended(Ended(job: job, reason: .finished, last: 4)))
      let last = messages.compactMap { if case .event(_, let line) = $0 { line } else { nil } }.last
      guard case .finished(let finished) = try NumberedEvent(line: try #require(last)).event else {
        Issue.record("no last word")
        return
      }
      #expect(finished.outcome == .failed && finished.problem?.what.contains("can't be read") == true)
    }
  }

  @Test("attaching to no job is refused; beyond a journal's end it goes on from there")
  func attachNowhere() async throws {
    try await withTemporaryFolder { home in
      let job = try makeJob("job", home: home, events: 3)
      let nobody = try #require(JobID("nobody"))
      let (messages, _) = try converse(
        home: home,
        [
          try AgentRequest.attach(AttachRequest(job: nobody, after: 0)).line(),
          try AgentRequest.attach(AttachRequest(job: job, after: 4)).line(),
        ])
      let words = messages.compactMap { if case .refused(let refused) = $0 { refused.problem.what } else { nil } }
      #expect(words.count == 1 && words.first?.contains("nobody") == true)
      #expect(messages.contains(.attached(Attached(job: job, after: 3))))
    }
  }

  @Test("a controller whose events are another job's is refused")
  func attachOther() async throws {
    try await withTemporaryFolder { home in
      let job = try makeJob("job", home: home, events: 3)
      let strange = AttachRequest(job: job, after: 1, hash: String(repeating: "0", count: 32))
      let (messages, _) = try converse(home: home, [try AgentRequest.attach(strange).line()])
      guard case .refused(let refused)? = messages.first else {
        Issue.record("expected a refusal, found \(messages)")
        return
      }
      #expect(refused.problem.what.contains("not the one"))
    }
  }

  @Test("occupancy names jobs whose runner lives and who has the machine, and no dead ones")
  func occupancy() async throws {
    try await withTemporaryFolder { home in
      let dead = try makeJob("dead", home: home, events: 2)
      let (first, second) = (
        try Manifests.sleeping(name: "first", blocks: 1), try Manifests.sleeping(name: "second", blocks: 1)
      )
      var locks: [FileLock] = []
      for manifest in [first, second] {
        let folder = JobFolder(manifest.id, in: AgentHome(environment: ["CF_BENCH_HOME": home]))
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try JSONEncoder().encode(manifest).write(to: URL(filePath: folder.manifest))
        try Data().write(to: URL(filePath: folder.journal))
        let lock = try #require(FileLock(path: folder.runnerLock, create: true))
        #expect(lock.tryLock())
        lock.write("1")
        locks.append(lock)
      }
      let machine = try #require(FileLock(path: home + "/lock", create: true))
      #expect(machine.tryLock())
      machine.write("first of tests")
      let (messages, _) = try converse(home: home, [try hello(), try AgentRequest.occupancy.line()])
      let expected = Occupancy(jobs: [
        Occupancy.Entry(job: first.id, owner: "tests", state: .measuring),
        Occupancy.Entry(job: second.id, owner: "tests", state: .waiting),
      ])
      #expect(messages.last == .occupancy(expected), "\(dead)")
      machine.write("elsewhere of another user")
      let (again, _) = try converse(home: home, [try hello(), try AgentRequest.occupancy.line()])
      guard case .occupancy(let found)? = again.last else {
        Issue.record("unexpected answers \(again)")
        return
      }
      #expect(found.jobs.map(\.state) == [.waiting, .waiting, .measuring])
      #expect(found.jobs.last?.owner == "another user")
      withExtendedLifetime((locks, machine)) {}
    }
  }

  @Test("uploads that are here are not asked for again")
  func uploads() async throws {
    try await withTemporaryFolder { home in
      let here = try #require(UploadID(sha256: SHA256.hex("here".utf8)))
      let missing = try #require(UploadID(sha256: SHA256.hex("missing".utf8)))
      try FileManager.default.createDirectory(atPath: home + "/uploads", withIntermediateDirectories: true)
      try Data("here".utf8).write(to: URL(filePath: "\(home)/uploads/\(here)"))
      let (messages, _) = try converse(
        home: home, [try AgentRequest.uploads(UploadsRequest(uploads: [here, missing])).line()])
      #expect(messages == [.uploads(UploadsReply(missing: [missing], folder: home + "/uploads"))])
    }
  }

  @Test("a manifest out of bounds is refused before anything is started")
  func badManifest() async throws {
    try await withTemporaryFolder { home in
      let manifest = try Manifests.sleeping(name: "bad", blocks: 0)
      let (messages, _) = try converse(home: home, [try AgentRequest.submit(SubmitRequest(manifest: manifest)).line()])
      guard case .refused(let refused) = messages.first else {
        Issue.record("expected a refusal, found \(messages)")
        return
      }
      #expect(refused.problem.exitStatus == .usage)
      #expect(!FileManager.default.fileExists(atPath: home + "/jobs/bad"))
    }
  }
}
