import Foundation
import SystemPackage
import TestSupport

/// A folder of a test's own, gone with it.
final class TemporaryFolder {
  let path: FilePath

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "cf-bench-results-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = FilePath(url.path)
  }

  deinit { removeFolder(path.string) }

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
