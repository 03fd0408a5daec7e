import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import AgentCore
@testable import ControllerCore

@Suite("Whatever happens to the line, every event arrives once, in order, as it was written", .programs)
struct BrokenConnectionTests {
  /// Quick pauses: what is waited for is the test's own doing.
  private static let quick = ["CF_BENCH_LINE_PACE": "0.2"]

  private func events(_ folder: RunFolder) -> Data {
    (try? Data(contentsOf: URL(filePath: folder.events.string))) ?? Data()  // nothing has come yet
  }

  @Test("a line that is cut at random bytes, over and over")
  func manyCuts() async throws {
    let trials = TrialReport.count(usual: 30)
    let began = ContinuousClock.now
    let cuts = CuttingProxy.Cuts(up: 8_000, down: 16_000, count: trials)
    var held = false
    var seen = (events: 0, cuts: 0)
    try await PlayedJob.with(cuts: cuts, random: TrialReport.random(for: "cuts")) { line in
      let folder = try line.makeFolder()
      let result = try await line.testbed.whileBench(
        ["attach", line.job.text, "--reconnect-for", "10m"] + line.machine, extra: ["CF_BENCH_LINE_PACE": "0.005"]
      ) { bench in
        // Ten events a cut, and always enough waiting that the next cut comes.
        while line.proxy.cuts < trials || line.writer.last < 10 * trials {
          try line.write(upTo: max(line.writer.last, 10 * line.proxy.cuts + 100))
          try await bench.wait(for: "the next cut") {
            line.proxy.cuts >= trials || 10 * line.proxy.cuts + 90 > line.writer.last
          }
          if line.proxy.cuts >= trials { try line.write(upTo: 10 * trials) }
        }
        try line.finish()
      }
      #expect(result.status == 0, "\(result.error)")
      let journal = try line.journal()
      seen = (line.writer.last, line.proxy.cuts)
      held = events(folder) == journal && result.status == 0
      #expect(events(folder) == journal)
      #expect(line.proxy.cuts >= trials && line.writer.last > 10 * trials)
      #expect(result.error.contains("the line is gone") && result.error.contains("back after"))
    }
    TrialReport.print(
      "events through a line that is cut", trials: trials, held: held ? trials : 0,
      worst: "\(seen.events) events, \(seen.cuts) cuts", since: began)
  }

  @Test("a line that falls silent is given up, and taken up again when it lives")
  func stalled() async throws {
    try await PlayedJob.with { line in
      let folder = try line.makeFolder()
      try line.write(upTo: 50)
      let result = try await line.testbed.whileBench(["attach", line.job.text] + line.machine, extra: Self.quick) {
        bench in
        try await bench.wait(for: "the first events") { events(folder) == (try line.journal()) }
        line.proxy.isStalled = true
        try line.write(upTo: 100)
        try await bench.wait(saying: "the line is gone (nothing came for 4 s)")
        line.proxy.isStalled = false
        try await bench.wait(saying: "back after")
        try line.finish()
      }
      #expect(result.status == 0, "\(result.error)")
      #expect(events(folder) == (try line.journal()))
    }
  }

  @Test("sshd is killed, and comes back after a while")
  func sshdKilled() async throws {
    try await PlayedJob.with { line in
      let folder = try line.makeFolder()
      try line.write(upTo: 20)
      let result = try await line.testbed.whileBench(["attach", line.job.text] + line.machine, extra: Self.quick) {
        bench in
        try await bench.wait(for: "the first events") { events(folder) == (try line.journal()) }
        let killed = SSHDProcesses.killAll(of: line.server)
        #expect(killed >= 2)
        try await bench.wait(saying: "the line is gone")
        try line.write(upTo: 60)
        let again = try SSHDProcesses.start(line.server)
        try await bench.wait(saying: "back after")
        try line.finish()
        try await bench.wait(for: "the rest") { events(folder) == (try line.journal()) }
        again.terminate()
      }
      #expect(result.status == 0, "\(result.error)")
      #expect(events(folder) == (try line.journal()))
    }
  }

  @Test("a line that does not come back ends the command with the way to go on, and a report")
  func goneForGood() async throws {
    try await PlayedJob.with { line in
      let folder = try line.makeFolder()
      try line.write(upTo: 20)
      let result = try await line.testbed.whileBench(
        ["attach", line.job.text, "--reconnect-for", "1s"] + line.machine, extra: Self.quick
      ) { bench in
        try await bench.wait(for: "the first events") { events(folder) == (try line.journal()) }
        line.proxy.stop()
      }
      #expect(result.status == Shared.ExitStatus.infrastructure.rawValue, "\(result.error)")
      #expect(result.error.contains("did not come back within 1 s"))
      #expect(result.error.contains("cf-bench attach played --machine ssh://"))
      #expect(FileManager.default.fileExists(atPath: folder.path.appending("summary.md").string))
      #expect(events(folder) == (try line.journal()))
    }
  }

  @Test("a controller that was killed is taken over in the same folder, and by nobody twice")
  func takenOver() async throws {
    try await PlayedJob.with { line in
      let folder = try line.makeFolder()
      try line.write(upTo: 40)
      let attach = ["attach", line.job.text] + line.machine
      _ = try await line.testbed.whileBench(attach, extra: Self.quick) { bench in
        try await bench.wait(for: "the first events") { events(folder) == (try line.journal()) }
        let second = try await line.testbed.bench(attach)
        #expect(second.status == Shared.ExitStatus.usage.rawValue)
        #expect(second.error.contains("being written by another cf-bench"))
        try line.write(upTo: 70)
        kill(bench.pid, SIGKILL)
      }
      // A line that was not whole yet when the kill came.
      let half = try FileHandle(forWritingTo: URL(filePath: folder.events.string))
      try half.seekToEnd()
      try half.write(contentsOf: Data("{\"seq\":7".utf8))
      try half.close()
      let result = try await line.testbed.whileBench(attach, extra: Self.quick) { bench in
        try await bench.wait(saying: "going on in")
        try line.write(upTo: 90)
        try line.finish()
      }
      #expect(result.status == 0, "\(result.error)")
      #expect(events(folder) == (try line.journal()))
      #expect(try line.testbed.results().count == 1)
    }
  }
}
