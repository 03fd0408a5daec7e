import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Whoever is killed, the job comes to its end with all that it had", .programs)
struct KillTests {
  private static let blocks = 6

  enum Victim: String, CaseIterable, Sendable { case worker, supervisor, both }

  /// What a report is made of: each value by its place, in the order of measuring.
  private func measured(_ events: [JobEvent]) -> [Sample] {
    JobHistory(events).interpreters["3.11"]?.blocks.flatMap(\.content.samples) ?? []
  }

  private func places(_ samples: [Sample]) -> [String] {
    samples.map { "\($0.metric) \($0.side) \($0.block) \($0.position)" }
  }

  private func worker(of supervisor: pid_t) -> pid_t? {
    ProcessTree.census().first { entry in
      guard entry.parent == supervisor, !entry.isZombie else { return false }
      return MachineFiles().text("/proc/\(entry.pid)/cmdline")?.contains("\0work\0") == true
    }?.pid
  }

  private func outcome(_ events: [JobEvent]) -> Finished? {
    if case .finished(let finished)? = events.last { finished } else { nil }
  }

  /// Kills when a random time is over; false when the job was done by then.
  private func strike(_ victim: Victim, _ folder: JobFolder, after microseconds: UInt32) async throws -> Bool {
    try await Task.sleep(for: .microseconds(Int64(microseconds)))
    guard let supervisor = folder.runningPID() else { return false }
    let worker = worker(of: supervisor)
    if victim != .worker { kill(supervisor, SIGKILL) }
    if victim != .supervisor, let worker { kill(worker, SIGKILL) }
    try await waitUntil { victim == .worker || folder.runningPID() != supervisor }
    return true
  }

  @Test(
    "killed at random moments, ids and counts are those of an undisturbed run, and nothing measured is lost",
    arguments: Victim.allCases)
  func random(victim: Victim) async throws {
    try await withTemporaryFolder { home in
      let talk = Conversation(home: home)
      let calm = try Manifests.sleeping(name: "calm", blocks: Self.blocks)
      _ = try talk.send([.submit(SubmitRequest(manifest: calm))])
      let expected = places(measured(try talk.follow(calm.id)))
      #expect(expected.count == 2 * Self.blocks)
      let (trials, began) = (TrialReport.count(usual: 1), ContinuousClock.now)
      var random = TrialReport.random(for: "kills of \(victim)")
      var held = 0
      for trial in 0..<trials {
        let manifest = try Manifests.sleeping(name: "killed-\(trial)", blocks: Self.blocks)
        let folder = talk.folder(manifest.id)
        _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
        var had: [Sample] = []
        for _ in 0..<2 {
          let time = UInt32.random(in: 0..<1_500_000, using: &random)
          guard try await strike(victim, folder, after: time) else { break }
          var events: [JobEvent] = []
          try EventLog.eachLine(folder.journal) { line, _ in
            if let event = try? NumberedEvent(line: line) { events.append(event.event) }  // as a reader would
            return true
          }
          had = measured(events)
          if victim != .worker { _ = try talk.send([.submit(SubmitRequest(manifest: manifest))]) }
        }
        let events = try talk.follow(manifest.id)
        let samples = measured(events)
        let isWhole = outcome(events)?.outcome == .done && places(samples) == expected
        let hasAll = Array(samples.prefix(had.count)) == had
        #expect(isWhole, "trial \(trial): \(String(describing: outcome(events))), \(places(samples))")
        #expect(hasAll, "trial \(trial)")
        if isWhole, hasAll { held += 1 }
      }
      let name = "SIGKILL of \(victim == .both ? "supervisor and worker" : "the \(victim)")"
      TrialReport.print(name, trials: trials, held: held, worst: "-", since: began)
    }
  }

  @Test(
    "while it is followed, a job whose supervisor is killed goes on and the follower sees its end")
  func followed() async throws {
    try await withTemporaryFolder { home in
      // Enough of them that it is not over before it is killed, however late that comes.
      let blocks = 40
      let talk = Conversation(home: home)
      let manifest = try Manifests.sleeping(name: "followed", blocks: blocks)
      _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
      async let following = talk.follow(manifest.id)
      try await talk.wait(for: "sample", of: manifest.id)
      kill(try #require(talk.folder(manifest.id).runningPID()), SIGKILL)
      let events = try await following
      #expect(outcome(events)?.outcome == .done)
      #expect(events.count { if case .started = $0 { true } else { false } } == 1)
      #expect(events.contains { if case .resumed(let body) = $0 { body.reason == .runnerKilled } else { false } })
      #expect(places(measured(events)).count == 2 * blocks)
    }
  }

  @Test("a worker that dies each time is given up with the reason")
  func restartLimit() async throws {
    try await withTemporaryFolder { home in
      let talk = Conversation(home: home)
      var manifest = try Manifests.sleeping(name: "deadly", blocks: 2)
      let words = ["python", "-c", "import os; print('farewell'); os.kill(os.getppid(), 9)"]
      manifest.layers.startup?.commands = [StartupCommand(name: "deadly", arguments: words, isControl: false)]
      _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
      let events = try talk.follow(manifest.id)
      let finished = try #require(outcome(events))
      #expect(finished.outcome == .failed)
      #expect(finished.problem?.what.contains("died 4 times in a row") == true)
      #expect(finished.problem?.why?.contains("signal 9") == true)
      #expect(events.count { if case .resumed = $0 { true } else { false } } == JobSupervisor.patience)
    }
  }

  @Test(
    "cancelled while it has no runner, a job gets its last word and no runner but for that")
  func cancelledWhileLost() async throws {
    try await withTemporaryFolder { home in
      let talk = Conversation(home: home)
      let manifest = try Manifests.sleeping(name: "lost", blocks: 1000)
      let folder = talk.folder(manifest.id)
      _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
      try await talk.wait(for: "sample", of: manifest.id)
      _ = try await strike(.both, folder, after: 0)
      #expect(folder.state == .lost)
      let answers = try talk.send([.cancel(CancelRequest(job: manifest.id))])
      #expect(answers == [.cancelled(Cancelled(job: manifest.id, wasRunning: false))])
      let events = try talk.follow(manifest.id)
      #expect(outcome(events)?.outcome == .cancelled)
      #expect(!events.contains { if case .resumed = $0 { true } else { false } })
    }
  }

  @Test(
    "a job goes on with the agent that it was begun with, or with this one where that is gone")
  func sameAgent() async throws {
    try await withTemporaryFolder { home in
      let talk = Conversation(home: home)
      let manifest = try Manifests.sleeping(name: "steady", blocks: 1000)
      let folder = talk.folder(manifest.id)
      let own = try BuiltProduct.path("cf-bench-agent")
      _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
      try await talk.wait(for: "blockFinished", of: manifest.id)
      #expect(MachineFiles().text(folder.agentNote) == own)
      _ = try await strike(.both, folder, after: 0)
      let script = "#!/bin/sh\ntouch \(home)/was-here\nexec \(own) \"$@\"\n"
      try placeProgram(script, at: home + "/older")
      try Data("\(home)/older".utf8).write(to: URL(filePath: folder.agentNote))
      _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
      #expect(FileManager.default.fileExists(atPath: home + "/was-here"))
      _ = try await strike(.both, folder, after: 0)
      unlink(home + "/older")
      _ = try talk.send([.cancel(CancelRequest(job: manifest.id))])
      #expect(outcome(try talk.follow(manifest.id))?.outcome == .cancelled)
      #expect(MachineFiles().text(folder.agentNote) == own)
    }
  }

  @Test("of several who take a lost job up at once, one starts it")
  func atOnce() async throws {
    try await withTemporaryFolder { home in
      let talk = Conversation(home: home)
      let manifest = try Manifests.sleeping(name: "wanted", blocks: Self.blocks)
      _ = try talk.send([.submit(SubmitRequest(manifest: manifest))])
      try await talk.wait(for: "blockFinished", of: manifest.id)
      _ = try await strike(.both, talk.folder(manifest.id), after: 0)
      let journals = try await withThrowingTaskGroup(of: [JobEvent].self) { group in
        for _ in 0..<4 { group.addTask { try talk.follow(manifest.id) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(journals.count == 4 && Set(journals.map(\.count)).count == 1)
      let events = try #require(journals.first)
      #expect(outcome(events)?.outcome == .done)
      #expect(events.count { if case .resumed = $0 { true } else { false } } == 1)
    }
  }
}
