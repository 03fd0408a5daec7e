import Foundation
import Subprocess

/// The system would not mount anything.
public struct NoMount: Error, CustomStringConvertible {
  public var description: String
}

/// Makes this folder a file system of its own, in memory, for the length of `body`. Needs root, as CI is.
/// - Parameter options: as `mount -o` takes them, such as `size=1m`.
public func withSmallDisk<Value>(
  at folder: String, options: String, _ body: () async throws -> Value
) async throws -> Value {
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  try await mount("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder])
  let result: Result<Value, any Error>
  do { result = .success(try await body()) } catch { result = .failure(error) }
  // Lazily: whoever still has a file open there must not hold up the test's end.
  try await mount("umount", ["-l", folder])
  return try result.get()
}

private func mount(_ program: String, _ arguments: [String]) async throws {
  let done = try await run(
    .name(program), arguments: Arguments(arguments), output: .discarded, error: .string(limit: 1 << 16))
  guard done.terminationStatus.isSuccess else {
    throw NoMount(description: "\(program) \(arguments.joined(separator: " ")) needs root: \(done.standardError)")
  }
}
