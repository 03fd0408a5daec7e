import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

/// Whether this machine's address layout may be turned here: for root, outside of containers that show it read-only.
private enum RealMachine {
  static let path = KernelPaths.addressRandomisation
  static var value: String? { MachineFiles().text(path) }
  static let canTurn = geteuid() == 0 && access(path, W_OK) == 0 && value != nil && value != "0"
  static let why: Comment = "kernel.randomize_va_space can be turned by root only, and has to be on to begin with"

  /// Puts the value back whatever the test came to.
  static func keeping<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let before = try #require(value)
    defer { _ = MachineFiles().write(before, to: path) }
    return try await body(before)
  }
}

@Suite("Tuning on this very machine", .programs, .serialized, .enabled(if: RealMachine.canTurn, RealMachine.why))
struct RealTuningTests {
  @Test("the address layout goes to 0 and back")
  func randomisation() async throws {
    try await RealMachine.keeping { before in
      try await withTemporaryFolder { folder in
        let tuning = MachineTuning(record: folder + "/tuning.json")
        let report = try #require(tuning.tune().first { $0.knob == .addressRandomisation })
        #expect(report.outcome == .changed && report.before == before && report.after == "0")
        #expect(RealMachine.value == "0")
        #expect(tuning.restore() == [])
        #expect(RealMachine.value == before)
        #expect(!FileManager.default.fileExists(atPath: tuning.record))
      }
    }
  }

  @Test("a runner that is killed leaves it tuned; the next agent puts it back")
  func killed() async throws {
    try await RealMachine.keeping { before in
      try await withTemporaryFolder { path in
        let home = AgentHome(environment: ["CF_BENCH_HOME": path])
        var manifest = try Manifests.sleeping(name: "killed-while-tuned", blocks: 1000)
        manifest.tune = true
        try serve(home, try AgentRequest.submit(SubmitRequest(manifest: manifest)).line())
        let folder = JobFolder(manifest.id, in: home)
        let reports = try await tuned(folder)
        let pid = try #require(folder.runningPID())
        SessionProcesses.kill(leader: pid)
        try await waitUntil { !(folder.runningPID() != nil) }
        #expect(RealMachine.value == "0")
        #expect(FileManager.default.fileExists(atPath: home.tuningRecord))
        try serve(home, [])
        #expect(RealMachine.value == before)
        #expect(!FileManager.default.fileExists(atPath: home.tuningRecord))

        #expect(reports.map(\.knob) == TuningReport.Knob.allCases)
        let affinity = try #require(reports.first { $0.knob == .affinity })
        #expect(affinity.after == affinity.wanted)
        let priority = try #require(reports.first { $0.knob == .priority })
        #expect(priority.outcome == .notPermitted || priority.after == "-10")
      }
    }
  }

  @Test("cancelled in the middle it puts everything back itself")
  func cancelled() async throws {
    try await RealMachine.keeping { before in
      try await withTemporaryFolder { path in
        let home = AgentHome(environment: ["CF_BENCH_HOME": path])
        var manifest = try Manifests.sleeping(name: "cancelled-while-tuned", blocks: 1000)
        manifest.tune = true
        try serve(home, try AgentRequest.submit(SubmitRequest(manifest: manifest)).line())
        let folder = JobFolder(manifest.id, in: home)
        _ = try await tuned(folder)
        #expect(RealMachine.value == "0")
        kill(try #require(folder.runningPID()), SIGTERM)
        try await waitUntil { !(folder.runningPID() != nil) }
        #expect(RealMachine.value == before)
        #expect(!FileManager.default.fileExists(atPath: home.tuningRecord))
      }
    }
  }

  /// One conversation with an agent.
  private func serve(_ home: AgentHome, _ input: [UInt8]) throws {
    let outcome = try ChildProcess(
      program: try BuiltProduct.path("cf-bench-agent"), arguments: ["serve"],
      // The rest is the machine's own (certificates, proxy): a job that can't install its side would end before it is killed.
      environment: ProcessInfo.processInfo.environment.merging([
        "PATH": "\(SchemaValidator.packageRoot.path)/.tools/bin:/usr/local/bin:/usr/bin:/bin", "HOME": home.path,
        "CF_BENCH_HOME": home.path, "CF_BENCH_LOCK": home.path + "/lock",
      ]) { $1 }, directory: "/", input: input, limitSeconds: 300
    ).run()
    #expect(outcome.end == .exited(0), "\(outcome.errorText)")
  }

  /// Waits until a job has turned everything.
  private func tuned(_ folder: JobFolder) async throws -> [TuningReport] {
    while true {
      let lines = try String(contentsOfFile: folder.journal, encoding: .utf8).split(separator: "\n")
      let events = lines.compactMap { try? NumberedEvent(line: Array($0.utf8)).event }  // the last may be half there
      let reports = events.compactMap { if case .tuned(let report) = $0 { report } else { nil } }
      if reports.count == TuningReport.Knob.allCases.count { return reports }
      if case .finished(let finished) = events.last {
        Issue.record("the job ended: \(finished)")
        return reports
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }
}
