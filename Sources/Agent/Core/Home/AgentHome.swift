import FoundationEssentials
import Shared

/// The one folder that holds everything of the agent's: `$CF_BENCH_HOME`, or `~/.cf-bench`.
struct AgentHome: Sendable {
  let path: String

  init(environment: [String: String]) {
    if let path = environment["CF_BENCH_HOME"], !path.isEmpty {
      self.path = path
    } else {
      self.path = (environment["HOME"] ?? "/tmp") + "/.cf-bench"
    }
  }

  /// Installed agents: `agents/SHA256/cf-bench-agent`.
  var agents: String { path + "/agents" }
  /// The program of one of them.
  func agent(_ sha256: String) -> String { "\(agents)/\(sha256)/cf-bench-agent" }
  /// Programs that were brought here for want of them.
  var tools: String { path + "/tools" }
  /// Jobs: `jobs/ID/`.
  var jobs: String { path + "/jobs" }
  /// Uploaded bundles and archives, each named by its SHA-256.
  var uploads: String { path + "/uploads" }
  /// Bare clones of repositories, kept between jobs.
  var repositories: String { path + "/repositories" }
  /// Checked-out commits and unpacked folders, kept between jobs.
  var checkouts: String { path + "/checkouts" }
  /// Python environments, kept between jobs.
  var environments: String { path + "/environments" }

  /// What a job changed at the machine and has to put back; there only while something is changed.
  var tuningRecord: String { path + "/tuning/tuning.json" }

  func job(_ id: JobID) -> String { "\(jobs)/\(id)" }
}

extension FileManager {
  /// Removes a file or folder; does nothing where there is none.
  func removeIfThere(_ path: String) throws {
    if fileExists(atPath: path) { try removeItem(atPath: path) }
  }

  /// Makes an empty folder, in place of what stands there.
  func makeFresh(_ path: String) throws {
    try removeIfThere(path)
    try createDirectory(atPath: path, withIntermediateDirectories: true)
  }
}
