import Foundation
import Shared

/// Sees to it, before a job is handed over, that the benchmark host has the programs that it needs: uv is brought where it is
/// missing, and all else that is missing is named at once, each with the command that installs it.
struct ToolSupply {
  var needed: [HostTool]
  var environment: [String: String]

  /// What the sides and layers of a job need. hyperfine is not among it: without it the agent times the commands itself.
  init(_ manifest: JobManifest, environment: [String: String]) {
    self.environment = environment
    let runsCodeflash = manifest.layers.optimize != nil || manifest.layers.memory?.measuresRun == true
    let sources = manifest.sides.map(\.source)
    let hasGit = sources.contains { if case .git = $0 { true } else if case .bundle = $0 { true } else { false } }
    let hasTree = sources.contains { if case .tree = $0 { true } else { false } }
    needed = [.uv] + (hasGit || runsCodeflash ? [.git] : []) + (hasTree || runsCodeflash ? [.tar] : [])
  }

  func supply(_ session: AgentSession, note: (String) -> Void) async throws {
    guard let there = session.tools else { return }
    var missing = needed.filter { !there.contains($0.rawValue) }
    if missing.contains(.uv), let uv = try ownUV(for: session) {
      note("bringing uv to \(session.machine) (\(uv.bytes >> 20) MB)")
      try await session.deliver(uv.path, bytes: uv.bytes, as: uv.id.sha256, kind: .uv)
      missing.removeAll { $0 == .uv }
    }
    guard !missing.isEmpty else { return }
    throw Problem(
      what:
        "\(missing.map(\.rawValue).joined(separator: " and ")) \(missing.count == 1 ? "is" : "are") missing on \(session.machine)",
      why: missing.map { "\($0.rawValue) \($0.purpose)" }.joined(separator: "; "),
      fix: "run there: " + missing.map(\.installation).joined(separator: "; "), exitStatus: .infrastructure)
  }

  /// This machine's uv, where it runs on a processor like the host's.
  private func ownUV(for session: AgentSession) throws -> (path: String, bytes: Int, id: UploadID)? {
    guard let path = try Self.uv(for: session.architecture, environment: environment) else { return nil }
    let digest = try FileDigest(path: path)
    return (path, digest.bytes, digest.id)
  }

  /// Where it is; what is no program of that processor, such as a wrapper in shell, is passed over.
  static func uv(for architecture: String?, environment: [String: String]) throws -> String? {
    let places = folders + (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return try places.map { URL(filePath: "\($0)/uv").resolvingSymlinksInPath().path }.first {
      guard let architecture, FileManager.default.isExecutableFile(atPath: $0) else { return false }
      return try AgentBinary.architecture(of: $0) == architecture
    }
  }

  /// Where programs lie that came with this one: beside it, in what was installed with it, and in `.tools/bin` of the checkout
  /// that it was built in.
  static let folders: [String] =
    ([AgentBinary.ownFolder] + InstalledFiles.places(of: "tools") + InstalledFiles.places(of: ".tools/bin")).filter {
      FileManager.default.isExecutableFile(atPath: $0 + "/uv")
    }.uniqued()
}
