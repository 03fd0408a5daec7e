import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("A job waits for the machine, measures what is left of it, and says how it ended", .programs)
struct JobPerformTests {
  /// A job in this process. Not confined, since that is for good; its interpreters are not there, so that it ends before
  /// anything is installed.
  private struct Bench {
    var home: AgentHome
    var folder: JobFolder
    var manifest: JobManifest
    var environment: [String: String]
    var journal: JournalWriter

    func perform(
      _ history: [JobEvent] = [], cut: String? = nil, leave: () -> Void = {}
    ) -> (outcome: Finished.Outcome, problem: Problem?) {
      Job(
        manifest: manifest, folder: folder, home: home, environment: environment, journal: journal,
        history: JobHistory(history)
      ).perform(cut: cut, leave: leave)
    }

    func events() throws -> [JobEvent] {
      journal.sync()
      let bytes = try Data(contentsOf: URL(filePath: journal.journalPath))
      return try bytes.split(separator: UInt8(ascii: "\n")).map { try NumberedEvent(line: $0).event }
    }
  }

  private func with(
    pythons: [String] = ["/no/such/python"], queueSeconds: Double = 60, _ body: (Bench) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { path in
      var manifest = try Manifests.sleeping(name: "job", blocks: 1, queueSeconds: queueSeconds)
      manifest.python = PythonPlan(versions: pythons, fallbackToSystem: false)
      let environment = [
        "PATH": "/usr/bin:/bin", "HOME": path, "CF_BENCH_HOME": path, "CF_BENCH_LOCK": path + "/lock",
        "CF_BENCH_CONFINE": "no", "CF_BENCH_AGENT_PACE": "0.01",
      ]
      let home = AgentHome(environment: environment)
      let folder = JobFolder(manifest.id, in: home)
      try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
      try await body(
        Bench(
          home: home, folder: folder, manifest: manifest, environment: environment,
          journal: try JournalWriter(folder: folder.path)))
    }
  }

  private func started(_ bench: Bench, boot: String? = BootID.current) -> JobEvent {
    .started(Started(job: bench.manifest.id, agentVersion: "1", agentSHA256: "a", pid: 1, bootID: boot))
  }

  @Test("it begins with what it is and where, and ends with why nothing could be measured")
  func nothingMeasured() async throws {
    try await with { bench in
      let end = bench.perform()
      #expect(end.outcome == .failed && end.problem?.why?.contains("no interpreter") == true, "\(end)")
      let events = try bench.events()
      guard case .started(let started) = events.first else {
        Issue.record("it begins with \(events)")
        return
      }
      #expect(started.job == bench.manifest.id && started.bootID == BootID.current)
      #expect(events.count { if case .host = $0 { true } else { false } } == 2)
      #expect(events.phases.contains { $0.contains("unconfined") })
      #expect(events.troubles.isEmpty, "what ends a job of one interpreter is no trouble of a part of it")
    }
  }

  @Test("of several interpreters each that can't be had is a trouble of its own")
  func severalInterpreters() async throws {
    try await with(pythons: ["/no/such/python", "/nor/this/one"]) { bench in
      #expect(bench.perform().outcome == .failed)
      let troubles = try bench.events().compactMap { if case .trouble(let body) = $0 { body.python } else { nil } }
      #expect(troubles == ["/no/such/python", "/nor/this/one"])
    }
  }

  @Test(
    "taken over, it says why the last worker ended, and that the journal's end was cut off", arguments: [true, false])
  func takenOver(stayedUp: Bool) async throws {
    try await with { bench in
      _ = bench.perform([started(bench, boot: stayedUp ? BootID.current : "another")], cut: "from event 7 on")
      let events = try bench.events()
      guard case .resumed(let resumed) = events.first else {
        Issue.record("it begins with \(events)")
        return
      }
      #expect(resumed.attempt == 2 && resumed.reason == (stayedUp ? .runnerKilled : .rebooted))
      #expect(events.troubles.first?.why == "from event 7 on")
    }
  }

  @Test("an interpreter that was finished before is not measured again, and its trouble makes the job partial")
  func complete() async throws {
    try await with(pythons: ["3.11"]) { bench in
      let done = [started(bench), .layerFinished(LayerFinished(layer: .startup, python: "3.11", seconds: 1))]
      #expect(bench.perform(done).outcome == .done)
      let trouble = JobEvent.trouble(
        Trouble(python: "3.11", problem: Problem(what: "w", fix: "f", exitStatus: .partial)))
      #expect(bench.perform(done + [trouble]).outcome == .partial)
      let events = try bench.events()
      #expect(!events.contains { if case .continued = $0 { true } else { false } })
    }
  }

  @Test("an interpreter that can't be had any more keeps what was measured with it")
  func keptWithoutInterpreter() async throws {
    try await with { bench in
      let ready = SideReady(
        side: .head, label: "six", python: "/no/such/python", interpreterVersion: "3", interpreterNote: nil,
        commit: nil,
        identity: "six", distributions: [], reused: true, seconds: 1)
      #expect(bench.perform([started(bench), .sideReady(ready)]).outcome == .failed)
      let events = try bench.events()
      #expect(events.contains(.continued(Continued(python: "/no/such/python", keepsBlocks: true))))
    }
  }

  @Test("it waits while another has the machine, no longer than it may, and leaves before it gives the machine back")
  func queue() async throws {
    try await with(queueSeconds: 0.05) { bench in
      let lock = try #require(FileLock(path: bench.home.path + "/lock", create: true))
      #expect(lock.tryLock())
      lock.write("other of somebody")
      let end = bench.perform()
      #expect(end.outcome == .failed && end.problem?.fix.contains("limits.queue") == true)
      #expect(try bench.events().contains(.queued(Queued(holder: "other of somebody", ahead: 1))))
      lock.unlock()
      var wasHeld: Bool?
      _ = bench.perform { wasHeld = lock.isHeld }
      #expect(wasHeld == true)
      // A program that another test starts just then has the file until it is on its own.
      try await waitUntil { !lock.isHeld }
    }
  }

  @Test("a job in whose favour it was ended is named")
  func superseded() async throws {
    try await with { bench in
      let newer = try #require(JobID("newer"))
      try DurableFile.write(Array(newer.text.utf8), to: bench.folder.path + "/superseded")
      let end = bench.perform()
      #expect(end.outcome == .cancelled && end.problem?.why?.contains("newer") == true)
    }
  }
}
