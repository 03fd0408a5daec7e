import Foundation
import SystemPackage

/// A folder of a test's own, gone with it.
final class TemporaryFolder {
  let path: FilePath

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "cf-bench-results-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = FilePath(url.path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path.string) }  // A temporary folder left behind fails no test.

  func names(_ folder: FilePath? = nil) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: (folder ?? path).string).sorted()
  }

  static func text(_ path: FilePath) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: path.string)), as: UTF8.self)
  }

  static func write(_ bytes: some Sequence<UInt8>, _ path: FilePath) throws {
    try Data(bytes).write(to: URL(filePath: path.string))
  }
}
