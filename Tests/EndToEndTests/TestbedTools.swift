import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

extension Testbed {
  /// Runs another program in the testbed's environment.
  func tool(_ name: String, _ arguments: [String]) async throws -> Result {
    let keys = environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
    let result = try await Subprocess.run(
      .name(name), arguments: Arguments(arguments),
      environment: .custom(Dictionary(uniqueKeysWithValues: keys)), workingDirectory: FilePath(folder),
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    let status: Int32? = if case .exited(let code) = result.terminationStatus { code } else { nil }
    return Result(status: status, output: result.standardOutput, error: result.standardError)
  }

  func git(_ arguments: String...) async throws {
    let result = try await tool("git", arguments)
    try #require(result.status == 0, "git \(arguments): \(result.error)")
  }

  func commit(_ repository: String, _ message: String) async throws {
    try await git("-C", repository, "add", "-A")
    try await git(
      "-C", repository, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", message)
  }

  /// Has a small file system of its own for the length of `body`.
  func withMount(options: String, _ body: (String) async throws -> Void) async throws {
    let mount = folder + "/mount"
    try await withSmallDisk(at: mount, options: options) { try await body(mount) }
  }

  /// A `PATH` that holds everything of today's but one program.
  func pathWithout(_ name: String) async throws -> String { try await pathWithout([name]) }

  /// The same without some.
  func pathWithout(_ names: [String]) async throws -> String {
    let shadow = folder + "/bin"
    try FileManager.default.createDirectory(atPath: shadow, withIntermediateDirectories: true)
    // What is on the PATH and can't be listed holds no program to link to.
    for entry in (environment["PATH"] ?? "").split(separator: ":") {
      for program in (try? FileManager.default.contentsOfDirectory(atPath: String(entry))) ?? []
      where !names.contains(program) {
        let link = shadow + "/" + program
        guard !FileManager.default.fileExists(atPath: link) else { continue }
        try? FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "\(entry)/\(program)")
      }
    }
    return shadow
  }
}
