import Foundation
import Shared
import Subprocess
import SystemPackage
import TestSupport
import Testing

@Suite("A run that is disturbed loses nothing and leaves nothing behind", .programs)
struct LifeTests {
  /// A run in progress: `cf-bench` as a child, and the events it has put on disk.
  private struct Running {
    var testbed: Testbed
    var pid: pid_t

    /// The lines on disk so far; none before the folder is there.
    func events() throws -> [NumberedEvent] {
      guard let folder = try? testbed.results().first(where: { $0.contains("-vs-") }),
        let text = try? testbed.read("results/\(folder)/events.ndjson")
      else {
        return []  // not there yet
      }
      let whole = text[..<(text.lastIndex(of: "\n") ?? text.startIndex)]
      return try whole.split(separator: "\n").map { try NumberedEvent(line: Array($0.utf8)) }
    }

    /// Waits until the events on disk fulfil `condition`.
    func wait(_ condition: ([NumberedEvent]) -> Bool) async throws -> [NumberedEvent] {
      while true {
        let events = try events()
        if condition(events) { return events }
        try #require(kill(pid, 0) == 0, "cf-bench ended before the events were there")
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  private func whileRunning(
    blocks: Int, spin: Int = 3_000_000, _ body: @escaping @Sendable (Running) async throws -> Void
  ) async throws -> (Testbed.Result, [NumberedEvent], [pid_t]) {
    var outcome: (Testbed.Result, [NumberedEvent], [pid_t])?
    try await Testbed.with { testbed in
      try testbed.write("cf-bench.yaml", FixtureProject.settings(blocks: blocks))
      try testbed.writeProjects()
      let keys = testbed.environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
      let log = try FileDescriptor.open(
        FilePath(testbed.folder + "/log"), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
      let result = try await Subprocess.run(
        .path(FilePath(try BuiltProduct.path("cf-bench"))),
        arguments: ["compare", "path:slow", "path:fast", "--layers", "startup"],
        environment: .custom(Dictionary(uniqueKeysWithValues: keys)), workingDirectory: FilePath(testbed.folder),
        input: .none, output: .discarded, error: .fileDescriptor(log, closeAfterSpawningProcess: true)
      ) { execution in
        try await body(Running(testbed: testbed, pid: execution.processIdentifier.value))
      }
      let status: Int32? = if case .exited(let code) = result.terminationStatus { code } else { nil }
      let events = try Running(testbed: testbed, pid: 0).events()
      // The last word is written before its process is gone; one that stays is told by the expectation.
      try? await waitFor("the agents' end", 30) { agents(of: testbed).isEmpty }
      // What a comparison that was cut short says of what it has.
      let document = (try? testbed.comparisonFolder()).flatMap { try? testbed.read($0 + "/comparison.json") }
      outcome = (
        Testbed.Result(status: status, output: document ?? "", error: try testbed.read("log")), events,
        agents(of: testbed)
      )
    }
    return try #require(outcome)
  }

  /// Process ids of this testbed's agents.
  private func agents(of testbed: Testbed) -> [pid_t] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { pid_t($0) }.filter { pid in
      let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
      return executable?.hasPrefix(testbed.folder + "/far/agents/") ?? false
    }
  }

  private func isServe(_ pid: pid_t) -> Bool {
    let line = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
    return line.split(separator: "\0").last == "serve"
  }

  @Test("a sample is on the controller's disk while the next one is measured")
  func streaming() async throws {
    let (result, events, _) = try await whileRunning(blocks: 10) { running in
      let seen = try await running.wait { events in
        events.contains { if case .sample = $0.event { true } else { false } }
      }
      #expect(!seen.contains { if case .finished = $0.event { true } else { false } })
    }
    #expect(result.status == 0, "\(result.error)")
    #expect(events.map(\.number) == Array(1...events.count))
  }

  @Test("kill -9 of serve leaves the runner measuring, and every event arrives once")
  func serveKilled() async throws {
    let (result, events, left) = try await whileRunning(blocks: 10) { running in
      _ = try await running.wait { events in
        events.contains { if case .sample = $0.event { true } else { false } }
      }
      let serve = try #require(agents(of: running.testbed).first(where: isServe))
      let runner = try #require(agents(of: running.testbed).first { !isServe($0) })
      let before = try running.events().count
      kill(serve, SIGKILL)
      #expect(kill(runner, 0) == 0)
      _ = try await running.wait { $0.count > before + 4 }
    }
    #expect(result.status == 0, "\(result.error)")
    #expect(events.map(\.number) == Array(1...events.count))
    guard case .finished(let finished) = events.last?.event else {
      Issue.record("the last event is not 'finished'")
      return
    }
    #expect(finished.outcome == .done)
    #expect(left.isEmpty)
  }

  @Test("Ctrl-C ends the job, the agent and the private sshd, and keeps what was measured")
  func cancelled() async throws {
    let (result, events, left) = try await whileRunning(blocks: 200) { running in
      _ = try await running.wait { events in
        events.count { if case .sample = $0.event { true } else { false } } >= 8
      }
      kill(running.pid, SIGINT)
    }
    #expect(result.status == Shared.ExitStatus.cancelled.rawValue, "\(result.error)")
    #expect(events.count { if case .sample = $0.event { true } else { false } } >= 8)
    guard case .finished(let finished) = events.last?.event else {
      Issue.record("the last event is not 'finished': \(result.error)")
      return
    }
    #expect(finished.outcome == .cancelled)
    #expect(left.isEmpty)
    let document = try JSONDecoder().decode(ComparisonDocument.self, from: Data(result.output.utf8))
    let metric = try #require(document.metrics.first)
    #expect(!document.complete && metric.blocks >= 1 && metric.ratio > 0 && metric.verdict == .undecided)
  }

  @Test("kill -9 of the controller takes its sshd with it and leaves the runner to finish")
  func controllerKilled() async throws {
    // Enough blocks that it is still measuring when it is killed, however late that comes.
    _ = try await whileRunning(blocks: 20) { running in
      _ = try await running.wait { events in
        events.contains { if case .sample = $0.event { true } else { false } }
      }
      let testbed = running.testbed
      func servers() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: testbed.folder + "/tmp").filter {
          $0.hasPrefix("cf-bench-sshd-")
        }
      }
      #expect(try servers().count == 1)
      kill(running.pid, SIGKILL)
      while !(try servers().isEmpty) { try await Task.sleep(for: .milliseconds(20)) }
      let job = try #require(try FileManager.default.contentsOfDirectory(atPath: testbed.folder + "/far/jobs").first)
      let journal = "far/jobs/\(job)/journal.ndjson"
      while !(try testbed.read(journal).contains("\"type\":\"finished\"")) {
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(try testbed.read(journal).split(separator: "\n").last?.contains("\"outcome\":\"done\"") == true)
    }
  }
}
