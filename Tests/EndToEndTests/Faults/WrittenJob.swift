import Foundation
import Shared
import Testing

@testable import AgentCore

/// A job on the benchmark host whose runner is the test: it holds the runner's lock and writes the journal.
final class WrittenJob {
  let id: JobID
  private let journal: JournalWriter
  private let lock: FileLock
  private var count = 0

  static func with(_ host: FaultHost, _ body: (WrittenJob) async throws -> Void) async throws {
    let job = try WrittenJob(host)
    try await body(job)
  }

  private init(_ host: FaultHost) throws {
    id = try #require(JobID("20260131T123456Z-written"))
    let home = AgentHome(environment: ["CF_BENCH_HOME": host.home])
    let folder = JobFolder(id, in: home)
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    let manifest = JobManifest(
      id: id, createdAt: Timestamp.rfc3339(), owner: "test", target: TargetPlan(package: "p", importName: "p"),
      sides: [SidePlan(side: .head, label: "x", source: .release(requirement: "p==1"))],
      python: PythonPlan(versions: ["3.12"], fallbackToSystem: true), requirements: [], layers: LayerPlans(), seed: 0,
      limits: JobLimits(queueSeconds: 60, setupSeconds: 60, totalSeconds: 600))
    try JSONEncoder().encode(manifest).write(to: URL(filePath: folder.manifest))
    lock = try #require(FileLock(path: folder.runnerLock, create: true))
    try #require(lock.tryLock())
    lock.write("\(getpid())")
    journal = try JournalWriter(folder: folder.path)
    try journal.emit(
      .started(
        Started(
          job: id, agentVersion: Version.current, agentSHA256: "", pid: getpid(), importName: "p", budgetSeconds: nil)))
  }

  /// Writes an event of about 20 KB.
  func emit() throws {
    count += 1
    let text = String(repeating: "event \(count) ", count: 20_000 / "event \(count) ".utf8.count)
    try journal.emit(.phase(Phase(text: text)))
  }

  /// Writes the final event. The lock stays the test's until the job goes.
  func end() throws {
    try journal.emitLast(.finished(Finished(outcome: .done, seconds: 1)))
  }
}
