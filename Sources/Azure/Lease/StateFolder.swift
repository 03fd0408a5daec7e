import FoundationEssentials
import Shared

/// What this person's cf-bench keeps between commands: open intents, the ledger, keys and host keys. Readable by nobody else.
///
/// `$CF_BENCH_STATE`, or `cf-bench` below `$XDG_STATE_HOME` or `~/.local/state` (XDG Base Directory Specification 0.8).
public struct StateFolder: Sendable, Equatable {
  public let path: String

  public init(environment: [String: String]) {
    if let path = environment["CF_BENCH_STATE"], !path.isEmpty {
      self.path = path
    } else if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
      path = state + "/cf-bench"
    } else {
      path = (environment["HOME"] ?? "/tmp") + "/.local/state/cf-bench"
    }
  }

  var intents: String { path + "/intents" }
  public var ledger: String { path + "/ledger.ndjson" }

  /// Where the keys for one VM lie.
  public func keys(of vm: AzureVM) -> String {
    let name = [vm.subscription ?? "default", vm.group, vm.name].map { part in
      String(part.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" })
    }
    return "\(path)/azure/\(name.joined(separator: "_"))"
  }

  /// Makes a folder of this state, and those above it.
  public func make(_ folder: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch { throw Self.failure(folder, SystemErrorText.describe(error)) }
  }

  /// Puts a whole file there, safe from a crash.
  public func write(_ text: String, to file: String) throws {
    do { try DurableFile.write(Array(text.utf8), to: file) } catch { throw Self.failure(file, error.why ?? "") }
  }

  static func failure(_ path: String, _ why: String) -> Problem {
    Problem(
      what: "can't keep what cf-bench has to remember", why: "\(path): \(why)",
      fix: "make room or make it writable, or set CF_BENCH_STATE to a folder that is; nothing is started without it",
      exitStatus: .infrastructure)
  }
}
