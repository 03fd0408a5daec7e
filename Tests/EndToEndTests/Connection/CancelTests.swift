import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore

@Suite("A cancel reaches the benchmark host wherever the job has come to, and what was measured is reported", .programs)
struct CancelTests {
  private static let quick = ["CF_BENCH_LINE_PACE": "0.2"]
  private static let run = ["run", "slowpoke==1.0", "--layers", "startup"]

  /// What a cancelled job's journal has in the end.
  private static func lines() throws -> [String] {
    var chain = JournalChain()
    return try PlayedAgent.lines(
      [.phase(Phase(text: "one")), .phase(Phase(text: "two")), .finished(Finished(outcome: .cancelled, seconds: 1))],
      chain: &chain)
  }

  /// A job that goes on until it is cancelled.
  private static func play() throws -> PlayedAgent.Play {
    // The same lines in both: made twice, they would have other times, and so another chain.
    let lines = try lines()
    return PlayedAgent.Play(acts: [
      .init(lines: Array(lines.dropLast()), ends: false, stays: true), .init(lines: lines),
    ])
  }

  private func expectReported(_ result: Testbed.Result, _ testbed: Testbed) throws {
    #expect(result.status == Shared.ExitStatus.cancelled.rawValue, "\(result.error)")
    let folder = try #require(try testbed.results().first)
    let events = try testbed.read("results/\(folder)/events.ndjson")
    #expect(events.contains("\"outcome\":\"cancelled\""), "\(events)\n\(result.error)")
    #expect(FileManager.default.fileExists(atPath: testbed.folder + "/results/\(folder)/summary.md"))
  }

  /// Signals the controller, and waits until the benchmark host was asked to end the job.
  private func interrupt(_ bench: RunningBench, _ agent: PlayedAgent) async throws {
    kill(bench.pid, SIGINT)
    try await bench.wait(for: "the cancel") { !(try agent.asked("cancel").isEmpty) }
  }

  @Test("while it measures")
  func measuring() async throws {
    try await PlayedAgent.with(try Self.play()) { agent in
      let result = try await agent.testbed.whileBench(Self.run + agent.machine, extra: Self.quick) { bench in
        try await bench.wait(saying: "two")
        try await interrupt(bench, agent)
      }
      try expectReported(result, agent.testbed)
      #expect(result.error.contains("cancelling"))
    }
  }

  @Test("between submit and accepted: over the same session, behind the submit")
  func submitting() async throws {
    var play = try Self.play()
    play.holdsSubmit = true
    try await PlayedAgent.with(play) { agent in
      let result = try await agent.testbed.whileBench(Self.run + agent.machine, extra: Self.quick) { bench in
        try await bench.wait(for: "the submit") { !(try agent.asked("submit").isEmpty) }
        try await interrupt(bench, agent)
      }
      try expectReported(result, agent.testbed)
      let sessions = try (agent.asked("submit") + agent.asked("cancel")).compactMap { $0["session"] as? Int }
      #expect(sessions.count == 2 && Set(sessions).count == 1)
    }
  }

  @Test("while the line is gone: as soon as it is back")
  func reconnecting() async throws {
    try await PlayedAgent.with(try Self.play()) { agent in
      let result = try await agent.testbed.whileBench(Self.run + agent.machine, extra: Self.quick) { bench in
        try await bench.wait(saying: "two")
        agent.proxy.isStalled = true
        try await bench.wait(saying: "the line is gone")
        kill(bench.pid, SIGINT)
        try await bench.wait(saying: "cancelling")
        agent.proxy.isStalled = false
      }
      try expectReported(result, agent.testbed)
    }
  }

  @Test("when the line stays gone: with the command that ends the job later")
  func unreachable() async throws {
    try await PlayedAgent.with(try Self.play()) { agent in
      let extra = Self.quick.merging(["GITHUB_ACTIONS": "true"]) { $1 }
      let result = try await agent.testbed.whileBench(Self.run + agent.machine, extra: extra) { bench in
        try await bench.wait(saying: "two")
        agent.proxy.stop()
        kill(bench.pid, SIGINT)
      }
      #expect(result.status == Shared.ExitStatus.cancelled.rawValue, "\(result.error)")
      #expect(result.error.contains("run: cf-bench cancel ") && result.error.contains("--machine ssh://"))
      let folder = try #require(try agent.testbed.results().first)
      #expect(FileManager.default.fileExists(atPath: agent.testbed.folder + "/results/\(folder)/summary.md"))
    }
  }

  @Test("a SIGTERM after the SIGINT does not cut the orderly end short")
  func terminated() async throws {
    var play = try Self.play()
    play.holdsCancel = true
    try await PlayedAgent.with(play) { agent in
      let result = try await agent.testbed.whileBench(Self.run + agent.machine, extra: Self.quick) { bench in
        try await bench.wait(saying: "two")
        try await interrupt(bench, agent)
        kill(bench.pid, SIGTERM)
        kill(bench.pid, SIGHUP)
        try agent.testbed.write("go", "")
      }
      try expectReported(result, agent.testbed)
    }
  }

  @Test("a second Ctrl-C returns at once, whatever the benchmark host does")
  func twice() async throws {
    var play = try Self.play()
    play.holdsCancel = true
    try await PlayedAgent.with(play) { agent in
      var began = ContinuousClock.now
      let result = try await agent.testbed.whileBench(Self.run + agent.machine, extra: Self.quick) { bench in
        try await bench.wait(saying: "two")
        try await interrupt(bench, agent)
        began = .now
        kill(bench.pid, SIGINT)
      }
      // The orderly end would wait for half a minute.
      #expect(ContinuousClock.now - began < .seconds(25))
      #expect(result.status == Shared.ExitStatus.cancelled.rawValue)
    }
  }

  @Test(
    "GitHub's sequence on a job that waits for the machine: it ends in order, and no process stays")
  func queued() async throws {
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: 1))
      try testbed.writeProjects()
      let lock = try #require(FileLock(path: testbed.folder + "/lock", create: true))
      try #require(lock.tryLock())
      lock.write("holding of ada@laptop")
      let result = try await testbed.whileBench(["run", "path:fast", "--layers", "startup"]) { bench in
        try await bench.wait(saying: "ada@laptop")
        kill(bench.pid, SIGINT)
        for (signal, wait) in [(SIGTERM, 7.5), (SIGKILL, 2.5)] {
          let deadline = ContinuousClock.now + .seconds(wait)
          while kill(bench.pid, 0) == 0, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(20)) }
          kill(bench.pid, signal)
        }
      }
      withExtendedLifetime(lock) {}
      try expectReported(result, testbed)
      let entries = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }
      let left = entries.filter { pid in
        // One that is gone meanwhile has none.
        let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
        return executable?.hasPrefix(testbed.folder) ?? false
      }
      #expect(left.isEmpty)
    }
  }
}
