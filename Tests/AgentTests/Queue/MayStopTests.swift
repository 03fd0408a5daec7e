import Foundation
import Shared
import Synchronization
import TestSupport
import Testing

@testable import AgentCore

@Suite("Whether the machine may be stopped is answered under the queue's gate", .programs)
struct MayStopTests {
  @Test("the asker's own job is no reason; another's is, and a stale asker is told whose")
  func holders() async throws {
    try await QueueTestbed.with { testbed in
      let own = try testbed.join("own")
      let reply = try testbed.jobsHere.mayStop(for: "somebody-else")
      #expect(
        reply
          == MayStopReply(
            allowed: false, holders: [.init(job: try #require(JobID("own")), owner: "tests", state: .waiting)]))
      #expect(try testbed.jobsHere.mayStop(for: "own") == MayStopReply(allowed: true, holders: []))
      withExtendedLifetime(own) {}
    }
  }

  @Test("after a yes no job is begun, whatever its home, until the time is over or the machine was booted")
  func mark() async throws {
    try await QueueTestbed.with { testbed in
      #expect(try testbed.jobsHere.mayStop(for: "run-7").allowed)
      let problem = #expect(throws: Problem.self) { _ = try testbed.join("late") }
      #expect(problem?.what == "the machine is about to be stopped for run-7")
      #expect(problem?.fix.hasPrefix("try again in 1") == true && problem?.fix.hasSuffix(" s") == true)
      let path = testbed.queue.path + "/stopping"
      var mark = try JSONDecoder().decode(ShutdownHold.self, from: Data(contentsOf: URL(filePath: path)))
      func put() throws { try JSONEncoder().encode(mark).write(to: URL(filePath: path)) }
      let until = mark.until
      mark.until = until - MayStopReply.refusesFor
      try put()
      _ = try testbed.join("after-its-end")
      mark.until = until + 1000
      try put()
      _ = try testbed.join("longer-than-any-agent-says")
      mark.until = until
      mark.bootID = "another boot"
      try put()
      _ = try testbed.join("after-a-boot")
    }
  }

  @Test("serve refuses a job on a machine that is about to go, and keeps nothing of it")
  func submit() async throws {
    try await withTemporaryFolder { folder in
      let home = Conversation(home: folder)
      let manifest = try Manifests.sleeping(name: "late", blocks: 1)
      let answers = try home.send([
        .mayStop(MayStopRequest(run: "run-7")), .submit(SubmitRequest(manifest: manifest)),
      ])
      #expect(answers.first == .mayStop(MayStopReply(allowed: true, holders: [])))
      guard case .refused(let refused)? = answers.last else {
        Issue.record("unexpected answers \(answers)")
        return
      }
      #expect(refused.problem.what.contains("about to be stopped for run-7"))
      #expect(!FileManager.default.fileExists(atPath: home.folder(manifest.id).path))
    }
  }

  @Test("stale ones are refused while jobs come and go: fifty of fifty")
  func underLoad() async throws {
    let trials = TrialReport.count(usual: 50)
    let began = ContinuousClock.now
    try await QueueTestbed.with { testbed in
      // Somebody is always there: the next comes before the last goes.
      let others = testbed.other
      // A thread of its own: a task that never waits would keep one of the few threads that all tests share.
      let load = Load(of: others)
      while try testbed.live().isEmpty { try await Task.sleep(for: .milliseconds(1)) }
      let refused = try (0..<trials).count { try !testbed.jobsHere.mayStop(for: "stale-\($0)").allowed }
      try await load.end()
      #expect(refused == trials)
      TrialReport.print(
        "stale stoppers refused", trials: trials, held: refused, worst: "\(trials - refused) let through", since: began)
    }
  }

  @Test("of one who comes and one who stops at the same moment, exactly one is let through")
  func race() async throws {
    for _ in 0..<30 {
      try await QueueTestbed.with { testbed in
        let manifest = try testbed.manifest("comes")
        let folder = try testbed.submit(manifest)
        try FileManager.default.setAttributes([.modificationDate: Date.now - 60], ofItemAtPath: folder.manifest)
        async let stops = testbed.jobsHere.mayStop(for: "stops").allowed
        let turn = Result { try QueueReservation(testbed.environment, manifest, folder) }
        let comes = (try? turn.get()) != nil
        #expect(try await stops != comes)
      }
    }
  }
}

/// Jobs that come and go, one always there, until ``end()``.
private final class Load: Sendable {
  private let isOver = Atomic(false)
  private let outcome = Mutex<Result<Void, any Error>?>(nil)

  init(of testbed: QueueTestbed) {
    Thread.detachNewThread { [self] in
      let result = Result {
        var turn = try testbed.join("load-0")
        var number = 0
        while number < 2 || !isOver.load(ordering: .relaxed) {
          number += 1
          let next = try testbed.join("load-\(number)")
          turn = next
          usleep(1000)  // one who takes the gate all the time leaves it to nobody
        }
        withExtendedLifetime(turn) {}
      }
      outcome.withLock { $0 = result }
    }
  }

  /// Stops it, once there was more than one job.
  func end() async throws {
    isOver.store(true, ordering: .relaxed)
    while true {
      if let result = outcome.withLock({ $0 }) { return try result.get() }
      try await Task.sleep(for: .milliseconds(1))
    }
  }
}
