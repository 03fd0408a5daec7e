import Foundation
import Shared
import TestSupport
import Testing

@Suite("What the system refuses is told in its own words, without names of types")
struct SystemErrorTextTests {
  @Test("Foundation's errors name the file and the reason")
  func files() async throws {
    try await withTemporaryFolder { folder in
      let file = folder + "/file"
      try Data("x".utf8).write(to: URL(filePath: file))
      let below = "\(file)/below", missing = "\(folder)/missing/file"
      #expect(words { try Data(contentsOf: URL(filePath: missing)) } == "\(missing): No such file or directory")
      #expect(words { try Data().write(to: URL(filePath: below)) } == "\(below): Not a directory")
      #expect(
        words { try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false) }
          == "\(file): File exists")
      #expect(words { try FileManager.default.removeItem(atPath: missing) } == "\(missing): No such file or directory")
    }
    #expect(words { try Data("x".utf8).write(to: URL(filePath: "/dev/full")) } == "/dev/full: No space left on device")
  }

  @Test("errors of reading and of waiting are sentences too")
  func others() {
    #expect(words { try JSONDecoder().decode([Int].self, from: Data("{".utf8)) } == "it is not valid JSON")
    #expect(words { throw CancellationError() } == "cancelled")
    #expect(words { throw POSIXError(.EACCES) } == "Permission denied")
    #expect(words { throw CocoaError(.fileReadTooLarge) } == "the system's error 263")
    #expect(words { throw Problem(what: "it rains", fix: "wait", exitStatus: .partial) } == "it rains")
  }

  private func words(_ work: () throws -> Any) -> String? {
    do { _ = try work() } catch { return SystemErrorText.describe(error) }
    return nil
  }
}
