import Foundation
import Shared

/// The agent that this controller brings along: one file beside the controller, or where `CF_BENCH_AGENT` says.
struct AgentBinary: Sendable {
  var path: String
  var sha256: String
  var bytes: Int
  /// The processor that it was built for, as `uname -m` says it; `nil` when its file does not tell.
  var architecture: String?

  static func find(environment: [String: String]) throws -> AgentBinary {
    let path = environment["CF_BENCH_AGENT"] ?? ownFolder + "/cf-bench-agent"
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw Problem(
        what: "the agent's program is missing", why: "there is no readable file \(path)",
        fix: "run 'make build', or say where it is with CF_BENCH_AGENT=FILE", exitStatus: .usage)
    }
    let digest = try FileDigest(path: path)
    return AgentBinary(
      path: path, sha256: digest.id.sha256, bytes: digest.bytes, architecture: try architecture(of: path))
  }

  /// The machine that an ELF file names (elf(5): `e_machine`, in the file's own order of bytes).
  static func architecture(of path: String) throws -> String? {
    let file = try FileHandle(forReadingFrom: URL(filePath: path))
    defer { try? file.close() }  // only read from
    let header = [UInt8](try file.read(upToCount: 20) ?? Data())
    guard header.count == 20, header.prefix(4) == [0x7f, 0x45, 0x4c, 0x46] else { return nil }
    let isLittle = header[5] == 1
    return switch isLittle ? Int(header[18]) | Int(header[19]) << 8 : Int(header[19]) | Int(header[18]) << 8 {
    case 3: "i686"
    case 40: "arm"
    case 62: "x86_64"
    case 183: "aarch64"
    case 243: "riscv64"
    default: nil
    }
  }

  static var ownFolder: String {
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let path = own.path == "/proc/self/exe" ? URL(filePath: CommandLine.arguments[0]) : own
    return path.deletingLastPathComponent().path
  }
}
