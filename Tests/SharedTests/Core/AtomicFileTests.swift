import Foundation
import Shared
import TestSupport
import Testing

@Suite("A file that is replaced whole, or not at all")
struct AtomicFileTests {
  @Test("on a full disk the old content stands, and nothing is left beside it")
  func fullDisk() async throws {
    try await withTemporaryFolder { folder in
      try await withSmallDisk(at: folder + "/disk", options: "size=64k") {
        let path = folder + "/disk/file"
        try DurableFile.write(Array("old".utf8), to: path)
        let failure = #expect(throws: StorageFailure.self) {
          try DurableFile.write([UInt8](repeating: 0x78, count: 1 << 20), to: path)
        }
        #expect(failure?.isFull == true)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/disk") == ["file"])
      }
    }
  }

  @Test("a place that takes no file leaves nothing beside it")
  func noPlace() async throws {
    try await withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/place/full", withIntermediateDirectories: true)
      #expect(throws: StorageFailure.self) { try DurableFile.write([1], to: folder + "/place") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["place"])
    }
  }
}
