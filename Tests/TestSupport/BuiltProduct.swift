import Foundation
import Synchronization

/// The programs that were built together with the tests.
public enum BuiltProduct {
  public struct Missing: Error, CustomStringConvertible {
    public var description: String
  }

  /// The path of `cf-bench` or `cf-bench-agent`: copies without symbols, which start, hash, copy and pack three times as fast
  /// as what was linked. Throws where the test has no ``Lane``.
  public static func path(_ name: String) throws -> String {
    guard Lane.isHeld else {
      throw Missing(description: "a suite that runs \(name) has a lane: @Suite(\"…\", .programs)")
    }
    return try folder.withLock { folder in
      let made = try folder ?? strip()
      folder = made
      let path = "\(made)/\(name)"
      guard FileManager.default.isExecutableFile(atPath: path) else {
        throw Missing(description: "\(name) is not built: no program at \(path); run 'swift build' first")
      }
      return path
    }
  }

  private static let folder = Mutex<String?>(nil)

  /// Lies two levels below the checkout, as a folder of built programs does: cf-bench finds `bench/` from there.
  private static func strip() throws -> String {
    let built = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent().path
    let folder = SchemaValidator.packageRoot.path + "/.build/stripped"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for name in ["cf-bench", "cf-bench-agent"] {
      let (from, to) = ("\(built)/\(name)", "\(folder)/\(name)")
      if let made = modified(to), let linked = modified(from), made > linked { continue }
      let draft = "\(to)-\(UUID().uuidString)"
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = ["strip", "-o", draft, from]
      try process.run()
      process.waitUntilExit()
      guard process.terminationStatus == 0, rename(draft, to) == 0 else {
        throw Missing(description: "\(from) can't be stripped: is it built, and is binutils installed?")
      }
    }
    return folder
  }

  private static func modified(_ path: String) -> Date? {
    try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date  // nil: it is not there
  }
}
