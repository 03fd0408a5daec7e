import Foundation
import Shared
import Subprocess
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore

@Suite("Standard error whose reader takes nothing, as of a terminal after Ctrl-S", .programs)
struct StoppedTerminalTests {
  @Test("holds up no event and breaks no connection; what was said is there once it reads")
  func stopped() async throws {
    try await PlayedJob.with { line in
      let folder = try line.makeFolder()
      let (reader, writer) = try FileDescriptor.pipe()
      defer { try? reader.close() }
      let keys = line.testbed.environment.merging(["CF_BENCH_LINE_PACE": "0.1"]) { $1 }.map {
        (Environment.Key(stringLiteral: $0.key), $0.value)
      }
      let result = try await Subprocess.run(
        .path(FilePath(try BuiltProduct.path("cf-bench"))),
        arguments: Arguments(["attach", line.job.text] + line.machine),
        environment: .custom(Dictionary(uniqueKeysWithValues: keys)), workingDirectory: FilePath(line.testbed.folder),
        input: .none, output: .discarded, error: .fileDescriptor(writer, closeAfterSpawningProcess: true)
      ) { _ in
        // Far more than a pipe holds, a line an event.
        try line.write(upTo: 5000)
        let deadline = ContinuousClock.now + .seconds(120)
        while FileManager.default.contents(atPath: folder.events.string) != (try line.journal()) {
          try #require(ContinuousClock.now < deadline, "the events have stopped")
          try await Task.sleep(for: .milliseconds(20))
        }
        try line.finish()
        var said: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = try chunk.withUnsafeMutableBytes({ try reader.read(into: $0) }), count > 0 {
          said += chunk[..<count]
        }
        let text = String(decoding: said, as: UTF8.self)
        #expect(text.contains("event 2, ") && text.contains("event 5000, ") && !text.contains("connection lost"))
      }
      #expect(result.terminationStatus == .exited(0))
    }
  }
}
