import Foundation
import TestSupport
import Testing

@testable import AgentCore

@Suite("A job's log keeps its beginning and its end, however much is said")
struct CappedLogTests {
  @Test("what fits is kept as it came, over two supervisors")
  func whole() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/log"
      let first = CappedLog(path: path)
      first.append("one\n")
      first.end()
      CappedLog(path: path).append("two\n")
      let found = try String(contentsOfFile: path, encoding: .utf8)
      #expect(found == "one\ntwo\n")
    }
  }

  @Test("of 8 MB the first and the last 256 KiB stay, and a line says what is missing", arguments: [1000, 300_000])
  func capped(piece: Int) async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/log"
      let log = CappedLog(path: path)
      let total = 8_000_000 / piece * piece
      let said = (0..<total / 1000).flatMap { repeatElement(UInt8(truncatingIfNeeded: $0), count: 1000) }
      for start in stride(from: 0, to: total, by: piece) {
        said[start..<(start + piece)].withUnsafeBytes { log.append($0) }
        log.flush()
      }
      log.end()
      let found = [UInt8](try Data(contentsOf: URL(filePath: path)))
      let left = total - 2 * CappedLog.part
      let mark = Array("\n[cf-bench: \(left) bytes were left out here]\n".utf8)
      #expect(found.count == 2 * CappedLog.part + mark.count)
      // As plain truths: half a million bytes are no help in a failure's words, and take minutes to be told apart.
      let isFirstThere = found[..<CappedLog.part] == said[..<CappedLog.part]
      #expect(isFirstThere)
      #expect(Array(found[CappedLog.part...].prefix(mark.count)) == mark)
      let isLastThere = Array(found.suffix(CappedLog.part)) == Array(said.suffix(CappedLog.part))
      #expect(isLastThere)
    }
  }
}
