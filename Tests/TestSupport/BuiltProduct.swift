import Foundation

/// The programs that were built together with the tests.
public enum BuiltProduct {
  public struct Missing: Error, CustomStringConvertible {
    public var description: String
  }

  /// The path of `cf-bench` or `cf-bench-agent`, which lie beside the test bundle.
  public static func path(_ name: String) throws -> String {
    let own = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let folder = own.deletingLastPathComponent()
    let path = folder.appending(path: name).path
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw Missing(description: "\(name) is not built: no program at \(path); run 'swift build' first")
    }
    return path
  }
}
