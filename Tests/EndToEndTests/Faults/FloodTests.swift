import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore

@Suite("Too much output and too slow a reader take neither memory nor time from a job", .programs)
struct FloodTests {
  @Test("a target that prints gigabytes")
  func flood() async throws {
    let began = ContinuousClock.now
    // Four passes print a share each: two timed runs, one that traces imports, one that only warms up.
    let megabytes = TrialReport.isThorough ? 5 << 10 : 200
    var words = ""
    var held = true
    try await FaultHost.with(settings: FixtureProject.settings(blocks: 2)) { host in
      let project = try FixtureProject(in: host.testbed.folder + "/loud", spin: 1)
      try project.write(
        "\(FixtureProject.name)/__init__.py", Self.flood(megabytes / 4, "'importtime' in sys._xoptions"))
      try project.write(
        "\(FixtureProject.name)/cli.py",
        Self.flood(megabytes / 4, "True").replacing("if True:", with: "def main():")
          + "\n\ndef spin(count):\n    return sum(range(count))\n")
      let memory = AgentMemory(below: host.home)
      let result = try await host.start(["run", "path:loud"]).end(within: 600)
      let peak = await memory.end()
      #expect(result.status == 0, "\(result.error)")
      #expect(peak.megabytes <= AgentMemory.limit, "\(peak)")
      let job = try #require(host.jobs.first)
      let log = try FileManager.default.attributesOfItem(atPath: "\(host.home)/jobs/\(job)/runner.log")[.size] as? Int
      #expect((log ?? 0) <= 1 << 20)
      held = result.status == 0 && peak.megabytes <= AgentMemory.limit && (log ?? 0) <= 1 << 20
      words = String(format: "%.1f MiB (%@), log of %d bytes", peak.megabytes, peak.role, log ?? 0)
    }
    TrialReport.print(
      "\(megabytes) MiB of job output", trials: 1, held: held ? 1 : 0, worst: words, since: began)
  }

  /// Python that prints so many MiB, half on standard output and half on standard error, where a condition holds.
  private static func flood(_ megabytes: Int, _ condition: String) -> String {
    """
    import os, sys

    if \(condition):
        chunk = (b"x" * 127 + b"\\n") * 8192
        for number in range(\(megabytes)):
            view = chunk
            while view:
                view = view[os.write(1 + number % 2, view):]
    """
  }

  @Test("a controller that stops reading")
  func stalled() async throws {
    let began = ContinuousClock.now
    let pause = TrialReport.isThorough ? 60.0 : 3
    let events = TrialReport.isThorough ? 10_000 : 1000
    let words = Box("")
    let held = Box(false)
    try await FaultHost.with { host in
      try await WrittenJob.with(host) { written in
        for _ in 0..<100 { try written.emit() }
        // The folder of a controller that was killed before its first event.
        let results = FilePath(host.testbed.folder + "/results")
        _ = try RunFolder.create(in: results, base: nil, head: "x", job: written.id, alpha: 0.01, delta: 0.02)
        let memory = AgentMemory(below: host.home)
        let bench = try host.start(["attach", written.id.text])
        try await waitFor("the first events", 60) { !(try host.testbed.copies().isEmpty) || !bench.isRunning }
        kill(bench.pid, SIGSTOP)
        let stopped = ContinuousClock.now
        var slowest = 0.0
        for _ in 0..<events {
          let start = ContinuousClock.now
          try written.emit()
          slowest = max(slowest, (ContinuousClock.now - start) / .milliseconds(1))
        }
        try await Task.sleep(until: stopped + .seconds(pause))
        kill(bench.pid, SIGCONT)
        try written.end()
        let result = try await bench.end(within: 300)
        let peak = await memory.end()
        #expect(result.status == 0, "\(result.error)")
        #expect(peak.megabytes <= AgentMemory.limit, "\(peak)")
        let copy = try #require(try host.testbed.copies().first)
        let isSame = FileManager.default.contentsEqual(atPath: copy, andPath: host.journal(written.id.text))
        #expect(isSame, "the controller's copy is another one")
        held.value = isSame && result.status == 0 && peak.megabytes <= AgentMemory.limit
        words.value = String(
          format: "%.1f MiB (%@), %.0f ms for the slowest event meanwhile", peak.megabytes, peak.role, slowest)
      }
    }
    TrialReport.print(
      "a reader stalled for \(Int(pause)) s, \(events) events of 20 KB", trials: 1, held: held.value ? 1 : 0,
      worst: words.value, since: began)
  }
}

extension Testbed {
  /// The events that controllers have on their disk.
  fileprivate func copies() throws -> [String] {
    guard FileManager.default.fileExists(atPath: folder + "/results") else { return [] }
    return try results().map { "\(folder)/results/\($0)/events.ndjson" }.filter {
      FileManager.default.fileExists(atPath: $0) && !(FileManager.default.contents(atPath: $0) ?? Data()).isEmpty
    }
  }
}
