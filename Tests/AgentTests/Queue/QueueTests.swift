import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("One job measures at a time on a host, and the others wait in order", .programs)
struct QueueTests {
  /// What a waiting job is told first.
  private func told(_ turn: QueueReservation) throws -> Queued? {
    var told: Queued?
    do {
      try turn.wait(limitSeconds: 300) {
        told = $0
        throw Enough()
      }
    } catch is Enough {}
    return told
  }

  @Test(
    "the first has the machine; the others are told who measures, how many come before, and when their turn may come")
  func places() async throws {
    try await QueueTestbed.with { testbed in
      let first = try testbed.join("first", budget: 100)
      let second = try testbed.join("second", budget: 200)
      let third = try testbed.join("third", budget: 300)
      #expect(try told(first) == nil)
      let before = Date.now
      let place = try #require(try told(third))
      #expect(place.holder == "first of tests" && place.ahead == 2)
      // Two sides of one interpreter, a minute each, and the budgets of those before.
      let start = try Timestamp.date(try #require(place.expectedStart)).timeIntervalSince(before)
      #expect((500...560).contains(start), "\(start) s")
      #expect(try told(second)?.ahead == 1)
      withExtendedLifetime((first, second, third)) {}
    }
  }

  @Test("who comes later does not pass, even while nobody has the machine; who dies is passed over")
  func order() async throws {
    try await QueueTestbed.with { testbed in
      var first: QueueReservation? = try testbed.join("first")
      var second: QueueReservation? = try testbed.join("second")
      let third = try testbed.join("third")
      #expect(try told(third)?.holder == "first of tests")
      #expect(try testbed.live() == ["first", "second", "third"])
      first = nil
      #expect(try told(third)?.ahead == 1)
      // As a kill leaves it: the ticket is there and nobody holds it.
      let path = testbed.queue.ticket(2)
      let content = try Data(contentsOf: URL(filePath: path))
      second = nil
      try content.write(to: URL(filePath: path))
      #expect(try told(third) == nil)
      #expect(!FileManager.default.fileExists(atPath: path))
      withExtendedLifetime((first, second, third)) {}
    }
  }

  @Test("a job that is taken up again after a kill gets its old place back, in front of those that came after it")
  func oldPlace() async throws {
    try await QueueTestbed.with { testbed in
      let manifest = try testbed.manifest("killed")
      let folder = try testbed.submit(manifest)
      var killed: QueueReservation? = try QueueReservation(testbed.environment, manifest, folder)
      #expect(try told(try #require(killed)) == nil)
      let second = try testbed.join("second")
      let third = try testbed.join("third")
      killed = nil
      #expect(try told(second) == nil)
      let again = try QueueReservation(testbed.environment, manifest, folder)
      #expect(try testbed.live() == ["killed", "second", "third"])
      let place = try #require(try told(again))
      #expect(place.holder == "second of tests" && place.ahead == 1 && place.expectedStart != nil)
      #expect(try told(third)?.ahead == 2)
      withExtendedLifetime((killed, second, third, again)) {}
    }
  }

  @Test("an agent of the first release, which has the lock and no ticket, comes first as well")
  func stranger() async throws {
    try await QueueTestbed.with { testbed in
      let lock = try #require(FileLock(path: testbed.folder + "/lock", create: true))
      #expect(lock.tryLock())
      lock.write("old of ada@laptop")
      let turn = try testbed.join("new")
      #expect(try told(turn) == Queued(holder: "old of ada@laptop", ahead: 1))
      withExtendedLifetime(lock) {}
    }
  }

  @Test("a ticket that says nothing keeps its place for as long as it is held; other files are none")
  func oddTickets() async throws {
    try await QueueTestbed.with { testbed in
      let turn = try testbed.join("ours")
      let odd = testbed.queue.ticket(0)
      try Data("rubbish".utf8).write(to: URL(filePath: odd))
      for name in ["12", "notes", "00000000000x"] {
        try Data().write(to: URL(filePath: "\(testbed.queue.path)/\(name)"))
      }
      mkfifo(testbed.queue.path + "/999999999998", 0o666)
      do {
        let lock = try #require(FileLock(path: odd, create: false))
        #expect(lock.tryLock())
        #expect(try told(turn)?.holder == "unknown of somebody")
        withExtendedLifetime(lock) {}
      }
      #expect(try told(turn) == nil)
      #expect(try testbed.live() == ["ours"])
    }
  }

  @Test("a queue that can't be had fails closed, and says what to do")
  func failsClosed() async throws {
    try await QueueTestbed.with { testbed in
      try Data().write(to: URL(filePath: testbed.queue.path))
      let problem = #expect(throws: Problem.self) { _ = try testbed.join("anybody") }
      #expect(problem?.what.contains("queue") == true && problem?.fix.contains("CF_BENCH_LOCK") == true)
      #expect(throws: Problem.self) { try testbed.jobsHere.mayStop(for: "run") }
    }
  }

  @Test("a newer job of the branch ends older ones that wait, and none that measures or is of another branch")
  func supersession() async throws {
    try await QueueTestbed.with { testbed in
      let measuring = try testbed.join("a-measuring", branch: "codeflash perf/x")
      #expect(try told(measuring) == nil)
      let older = try testbed.join("b-older", branch: "codeflash perf/x")
      let other = try testbed.join("c-other", branch: "codeflash main")
      let newer = try testbed.manifest("d-newer", branch: "codeflash perf/x")
      _ = try testbed.submit(newer)
      let ended = try testbed.queue.withGate { try Supersession.carryOut(for: newer, home: testbed.home) }
      #expect(ended.map(\.text) == ["b-older"])
      let reason = #expect(throws: JobSuperseded.self) { try older.wait(limitSeconds: 300) { _ in } }
      #expect(reason?.why?.contains("d-newer") == true && reason?.exitStatus == .cancelled)
      #expect(try told(other)?.ahead == 2)
      let again = try testbed.queue.withGate { try Supersession.carryOut(for: newer, home: testbed.home) }
      #expect(again.map(\.text) == ["b-older"], "a submit that is repeated tells the same")
      withExtendedLifetime((measuring, older, other)) {}
    }
  }

  @Test("a submit that supersedes tells which jobs it ended, and they tell in whose favour")
  func superseding() async throws {
    try await withTemporaryFolder { folder in
      let home = Conversation(home: folder)
      let lock = try #require(FileLock(path: folder + "/lock", create: true))
      #expect(lock.tryLock())
      var (older, newer) = (
        try Manifests.sleeping(name: "older", blocks: 1), try Manifests.sleeping(name: "newer", blocks: 1)
      )
      (older.branch, newer.branch) = ("six main", "six main")
      _ = try home.send([.submit(SubmitRequest(manifest: older))])
      let answers = try home.send([
        .submit(SubmitRequest(manifest: newer, supersede: true)), .attach(AttachRequest(job: older.id, after: 0)),
      ])
      #expect(answers.first == .accepted(Accepted(job: newer.id, alreadyKnown: false, superseded: [older.id])))
      let last = answers.compactMap { if case .event(_, let line) = $0 { line } else { nil } }.last
      guard case .finished(let finished) = try NumberedEvent(line: try #require(last)).event else {
        Issue.record("no last word")
        return
      }
      #expect(finished.outcome == .cancelled && finished.problem?.why?.contains("newer") == true)
      _ = try home.send([.cancel(CancelRequest(job: newer.id)), .attach(AttachRequest(job: newer.id, after: 0))])
      withExtendedLifetime(lock) {}
    }
  }

  @Test(
    "eight at once: they measure in the order in which they came, never two together, and a killed one's turn goes on")
  func eight() async throws {
    let trials = TrialReport.count(usual: 1)
    var random = TrialReport.random(for: "queue")
    let began = ContinuousClock.now
    var held = 0
    var worst = 0.0
    for _ in 0..<trials {
      let victim = Int.random(in: 0..<7, using: &random)
      let gap = try await round(victim: victim)
      held += gap.isFine ? 1 : 0
      worst = max(worst, gap.seconds)
    }
    #expect(held == trials)
    TrialReport.print(
      "queue of eight, holder killed", trials: trials, held: held,
      worst: "next starts after \((worst * 10).rounded() / 10) s", since: began)
  }

  /// One round with real runners in two homes. Gives whether order and distance were kept, and the longest time that the
  /// machine stood idle between two of them.
  private func round(victim: Int) async throws -> (isFine: Bool, seconds: Double) {
    var result = (isFine: false, seconds: 0.0)
    try await withTemporaryFolder { folder in
      let homes = ["ada", "grace"].map { Conversation(home: "\(folder)/\($0)", lock: folder + "/lock") }
      var gate = FileLock(path: folder + "/lock", create: true)
      #expect(gate?.tryLock() == true)
      let jobs = try (0..<8).map { number -> (home: Conversation, job: JobID) in
        let manifest = try Manifests.sleeping(
          name: "job-\(number)", blocks: number == victim ? 1000 : 1, queueSeconds: 600)
        _ = try homes[number % 2].send([.submit(SubmitRequest(manifest: manifest))])
        return (homes[number % 2], manifest.id)
      }
      for (home, job) in jobs { try await wait(for: "queued", of: job, in: home) }
      gate = nil
      try await wait(for: "sample", of: jobs[victim].job, in: jobs[victim].home)
      SessionProcesses.kill(leader: try #require(jobs[victim].home.folder(jobs[victim].job).runningPID()))
      for (number, (home, job)) in jobs.enumerated() where number != victim {
        try await wait(for: "finished", of: job, in: home)
      }
      let turns = try jobs.map { try Self.turn(home: $0.home, $0.job) }
      let gaps = zip(turns, turns.dropFirst()).map { $1.from.timeIntervalSince($0.to) }
      #expect(gaps.allSatisfy { $0 >= 0 }, "\(gaps)")
      result = (gaps.allSatisfy { $0 >= 0 }, gaps.max() ?? 0)
    }
    return result
  }

  private func wait(for type: String, of job: JobID, in home: Conversation) async throws {
    let journal = home.folder(job).journal
    while !(try String(contentsOfFile: journal, encoding: .utf8)).contains("\"type\":\"\(type)\"") {
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// When a job had the machine, as its journal tells: both hosts' looks are taken while it has it.
  private static func turn(home: Conversation, _ job: JobID) throws -> (from: Date, to: Date) {
    let text = try String(contentsOfFile: home.folder(job).journal, encoding: .utf8)
    let events = try text[..<(text.lastIndex(of: "\n") ?? text.startIndex)].split(separator: "\n").map {
      try NumberedEvent(line: Array($0.utf8))
    }
    let hosts = events.filter { if case .host = $0.event { true } else { false } }
    let first = try #require(hosts.first)
    // A killed one has no second look: its last event.
    let last = hosts.count > 1 ? hosts[hosts.count - 1] : try #require(events.last)
    return (try Timestamp.date(first.time), try Timestamp.date(last.time))
  }
}
