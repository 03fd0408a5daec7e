import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

/// A queue of its own, with jobs that have folders and no runners.
struct QueueTestbed {
  var folder: String
  private var homeName = "home"

  init(folder: String) { self.folder = folder }

  var environment: [String: String] { ["CF_BENCH_LOCK": folder + "/lock", "CF_BENCH_HOME": "\(folder)/\(homeName)"] }
  /// The same queue from another home.
  var other: QueueTestbed {
    var other = self
    other.homeName = "other"
    return other
  }
  var home: AgentHome { AgentHome(environment: environment) }
  var queue: QueueFolder { QueueFolder(environment) }
  var jobsHere: JobsHere { JobsHere(home: home, environment: environment) }

  static func with(_ body: (QueueTestbed) async throws -> Void) async throws {
    try await withTemporaryFolder { try await body(QueueTestbed(folder: $0)) }
  }

  func manifest(_ name: String, branch: String? = nil, budget: Double = 300) throws -> JobManifest {
    var manifest = try Manifests.sleeping(name: name, blocks: 1)
    manifest.branch = branch
    var base = manifest.sides[0]
    base.side = .base
    manifest.sides = [base, manifest.sides[0]]
    manifest.stopping = StoppingPlan(alpha: 0.01, delta: 0.02, budgetSeconds: budget)
    manifest.limits.totalSeconds = 7200
    return manifest
  }

  /// A job's folder as a submit leaves it.
  func submit(_ manifest: JobManifest) throws -> JobFolder {
    let folder = JobFolder(manifest.id, in: home)
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try JSONEncoder().encode(manifest).write(to: URL(filePath: folder.manifest))
    return folder
  }

  /// A place in the queue, as a job's runner takes it.
  func join(_ name: String, branch: String? = nil, budget: Double = 300) throws -> QueueReservation {
    let manifest = try manifest(name, branch: branch, budget: budget)
    return try QueueReservation(environment, manifest, try submit(manifest))
  }

  func live() throws -> [String] { try queue.withGate { try queue.live().map(\.entry.job.text) } }
}

/// Raised by a test to leave a wait.
struct Enough: Error {}
