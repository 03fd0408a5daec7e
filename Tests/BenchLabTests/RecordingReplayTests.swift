import Calibration
import Foundation
import Shared
import Testing

@testable import BenchLab

@Suite("Orders imposed on recorded runs")
struct RecordingReplayTests {
  private func series(_ metric: String, seed: UInt64, sigma: Double) -> Recordings.Series {
    var random = SeededStream(seed: seed, 1, 1, 1)
    let logs = (0..<120).map { _ in
      sigma * ((0..<12).reduce(0.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) } - 6)
    }
    return Recordings.Series(layer: .startup, metric: metric, logs: logs)
  }

  @Test(
    "identical code is not called different, a plain difference is found in few runs, sooner than by one coin a block")
  func decides() async throws {
    let recordings = Recordings(
      machine: "here", series: (1...6).map { series("m\($0)", seed: UInt64($0), sigma: 0.01) })
    let entries = await RecordingReplay(recordings: recordings, seed: 5).run()
    func entry(_ design: RecordingReplay.Design, _ effect: Double) throws -> RecordingReplay.Entry {
      try #require(entries.first { $0.design == design && $0.effect == effect && $0.metrics == 1 })
    }
    #expect(entries.filter { $0.effect == 0 }.allSatisfy { $0.wrong <= 0.02 })
    #expect(try entry(.six, 0.1).right == 1 && entry(.six, 0.1).medianRuns == 16)
    let (former, twenty) = (try entry(.former, 0.1).medianRuns, try entry(.twenty, 0.1).medianRuns)
    #expect(former == 36 && twenty == 18, "\(former ?? 0), \(twenty ?? 0)")
  }

  @Test("a control explains all of what it is itself, and next to nothing of what has noise of its own")
  func controlVariate() {
    let pass = series("python -c pass", seed: 1, sigma: 0.01)
    var same = pass
    same.metric = "same"
    let other = series("other", seed: 2, sigma: 0.01)
    let found = RecordingReplay(recordings: Recordings(machine: "", series: [pass, same, other]), seed: 5)
      .controlVariates()
    #expect(found.map(\.metric) == ["same", "other"])
    #expect(found[0].explained > 0.999 && found[1].explained < 0.3)
  }

  @Test("times are taken from events in their order, and a file without enough of them is refused in words")
  func reading() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "cf-bench-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "events.ndjson").path
    let lines = (0..<8).map { number in
      #"{"seq":\#(number),"type":"sample","body":{"layer":"startup","metric":"x","python":"3.12","side":"head","block":\#(number / 2),"#
        + #""position":\#(number % 2),"value":\#(1 + number % 2),"unit":"s","isControl":false}}"#
    }
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: file))
    let recordings = try Recordings.read([file], least: 8)
    #expect(recordings.series.count == 1 && recordings.series[0].logs.count == 8)
    #expect(abs(recordings.series[0].logs[1] - recordings.series[0].logs[0] - 0.69315) < 1e-4)
    #expect(throws: (any Error).self) { try Recordings.read([file], least: 9) }
  }
}
