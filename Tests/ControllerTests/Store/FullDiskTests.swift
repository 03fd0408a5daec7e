import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore

@Suite("A full disk under the results")
struct FullDiskTests {
  @Test("leaves the old file as it was, and no temporary one")
  func full() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      try await withSmallDisk(at: folder + "/disk", options: "size=64k") {
        let path = FilePath(folder + "/disk/report.md")
        try StoredFile.write("old", to: path)
        #expect(throws: ResultsError.self) { try StoredFile.write([UInt8](repeating: 7, count: 1 << 20), to: path) }
        #expect(try StoredFile.read(path) == Array("old".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/disk") == ["report.md"])
      }
    }
  }
}
