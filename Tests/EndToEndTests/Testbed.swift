import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// A folder with everything one end-to-end test needs, and the built `cf-bench` to run in it.
struct Testbed: Sendable {
  var folder: String
  var environment: [String: String]

  struct Result: Sendable {
    var status: Int32?
    var output: String
    var error: String
  }

  /// Runs `body` with a fresh testbed and removes it afterwards.
  static func with(_ body: (Testbed) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/tmp", withIntermediateDirectories: false)
      try Data(FixtureProject.targets.utf8).write(to: URL(filePath: folder + "/targets.yaml"))
      try await body(Testbed(folder: folder, environment: environment(for: folder)))
    }
  }

  private static func environment(for folder: String) -> [String: String] {
    var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("CF_BENCH_") }
    environment["CF_BENCH_HOME"] = folder + "/far"
    environment["CF_BENCH_LOCK"] = folder + "/lock"
    environment["CF_BENCH_MACHINE"] = "local"
    environment["NO_COLOR"] = "1"
    environment["TMPDIR"] = folder + "/tmp"
    environment["PATH"] = "\(packageRoot)/.tools/bin:" + (environment["PATH"] ?? "/usr/bin:/bin")
    return environment
  }

  static var packageRoot: String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
  }

  func read(_ name: String) throws -> String {
    try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
  }

  /// Base and head projects as `path:` revisions; the base waits twenty times as long.
  func writeProjects() throws {
    _ = try FixtureProject(in: folder + "/slow", spin: 2_000_000)
    _ = try FixtureProject(in: folder + "/fast", spin: 100_000)
  }

  /// Runs `cf-bench` to its end; at most `limit` seconds.
  func bench(_ arguments: [String], extra: [String: String] = [:], limit: Double = 240) async throws -> Result {
    let merged = environment.merging(extra) { $1 }
    let keys = merged.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
    let result = try await Subprocess.run(
      .path(FilePath(try BuiltProduct.path("cf-bench"))), arguments: Arguments(arguments),
      environment: .custom(Dictionary(uniqueKeysWithValues: keys)), workingDirectory: FilePath(folder),
      output: .string(limit: 4 << 20), error: .string(limit: 4 << 20))
    let status: Int32? = if case .exited(let code) = result.terminationStatus { code } else { nil }
    return Result(status: status, output: result.standardOutput, error: result.standardError)
  }

  /// The result folders, sorted by name.
  func results() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder + "/results").sorted()
  }

  /// The one comparison folder of the run.
  func comparisonFolder() throws -> String {
    "results/" + (try #require(try results().first { $0.contains("-vs-") }))
  }
}
