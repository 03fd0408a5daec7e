import Foundation
import Testing

@testable import AgentCore

@Suite("What waits for a slow reader has a bound")
struct OutputBufferTests {
  @Test("a reader that always leaves some of it makes nothing grow, and gets every byte in order")
  func slow() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { ends.forEach { close($0) } }
    try #require(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
    let out = OutputBuffer(descriptor: ends[1])
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    var (written, seen, most): (UInt64, UInt64, Int) = (0, 0, 0)
    for _ in 0..<2_000 {
      while !out.isFull {
        chunk.withUnsafeMutableBytes { bytes in
          for number in bytes.bindMemory(to: UInt64.self).indices {
            bytes.bindMemory(to: UInt64.self)[number] = written
            written += 1
          }
          out.send(UnsafeRawBufferPointer(bytes))
        }
      }
      let count = read(ends[0], &chunk, 32 << 10)
      if count > 0 {
        chunk[..<count].withUnsafeBytes { bytes in
          for number in bytes.bindMemory(to: UInt64.self) {
            if number != seen { Issue.record("\(number) came where \(seen) belongs") }
            seen += 1
          }
        }
      }
      out.flush()
      most = max(most, out.held)
    }
    #expect(seen > 1_000_000 && !out.isEmpty)
    #expect(most <= 1 << 20, "\(most) bytes")
  }
}
