import Foundation
import SSH
import Shared
import Tools

/// The folder `~/bench` of the VM: the scripts, both programs below `bin`, and the project that layers 3 and 4 run codeflash
/// on.
struct BenchFolder {
  var agent: AgentBinary

  var scripts: String? {
    InstalledFiles.places(of: "bench").first { FileManager.default.fileExists(atPath: $0 + "/bench_all.sh") }
  }

  func pack() async throws -> BenchArchive {
    let scratch = try ScratchFolder("delivery")
    do { return try await pack(in: scratch) } catch {
      scratch.remove()
      throw error
    }
  }

  private func pack(in scratch: ScratchFolder) async throws -> BenchArchive {
    let folder = scratch.path + "/bench"
    try FileManager.default.createDirectory(atPath: folder + "/bin", withIntermediateDirectories: true)
    if let scripts {
      for name in try FileManager.default.contentsOfDirectory(atPath: scripts)
      where !name.hasPrefix(".") && name != "bin" {
        try FileManager.default.copyItem(atPath: "\(scripts)/\(name)", toPath: "\(folder)/\(name)")
      }
    }
    // Found there as it is here: below a folder that holds the programs' own.
    if let project = try? ProjectFolder.find(Settings()) {  // without it here, there is none to bring
      try FileManager.default.createDirectory(atPath: folder + "/fixtures", withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: project, toPath: "\(folder)/\(ProjectFolder.builtIn)")
    }
    try FileManager.default.copyItem(atPath: agent.path, toPath: folder + "/bin/cf-bench-agent")
    try FileManager.default.copyItem(atPath: Executable.path, toPath: folder + "/bin/cf-bench")
    let file = scratch.path + "/bench.tar.gz"
    let packed = try await LocalTool.run("tar", ["-czf", file, "-C", folder, "."])
    guard packed.succeeded else {
      throw Problem(
        what: "the scripts and programs for the VM can't be packed", why: packed.error,
        fix: "make room below \(FileManager.default.temporaryDirectory.path), or set TMPDIR to where there is some",
        exitStatus: .infrastructure)
    }
    let digest = try FileDigest(path: file)
    return BenchArchive(scratch: scratch, path: file, sha256: digest.id.sha256, bytes: digest.bytes)
  }
}

/// That folder as one file.
struct BenchArchive: Sendable {
  var scratch: ScratchFolder
  var path: String
  var sha256: String
  var bytes: Int

  /// Unpacked only once all of it has come, and is what was sent.
  func deliver(over connection: SSHConnection, to machine: String) async throws {
    let output = try await connection.run(
      AgentDelivery.unpackCommand(sha256: sha256), inputFile: path, outputLimit: 64 << 10, limit: .seconds(300))
    guard output.exit == .status(0) else {
      throw DeliveryError(machine: machine, words: String(decoding: output.standardError, as: UTF8.self))
    }
  }

  func discard() { scratch.remove() }
}

/// The program that runs.
enum Executable {
  static var path: String {
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path
    return own == "/proc/self/exe" ? CommandLine.arguments[0] : own
  }
}
