import Foundation
import Shared

/// The agent that this controller brings along: one file beside the controller, or where `CF_BENCH_AGENT` says.
struct AgentBinary: Sendable {
  var path: String
  var sha256: String
  var bytes: Int

  static func find(environment: [String: String]) throws -> AgentBinary {
    let path = environment["CF_BENCH_AGENT"] ?? ownFolder + "/cf-bench-agent"
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw Problem(
        what: "the agent's program is missing", why: "there is no readable file \(path)",
        fix: "run 'make build', or say where it is with CF_BENCH_AGENT=FILE", exitStatus: .usage)
    }
    let digest = try FileDigest(path: path)
    return AgentBinary(path: path, sha256: digest.id.sha256, bytes: digest.bytes)
  }

  static var ownFolder: String {
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let path = own.path == "/proc/self/exe" ? URL(filePath: CommandLine.arguments[0]) : own
    return path.deletingLastPathComponent().path
  }
}
