import FoundationEssentials
import Glibc
import Shared

/// The jobs that this home keeps, told from their manifests, locks and last lines: no journal is read from the front.
struct JobListing {
  var home: AgentHome
  var environment: [String: String]

  /// The newest last.
  func list() throws -> JobsReply {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: home.jobs)) ?? []  // no folder: no jobs yet
    let queue = QueueFolder(environment)
    let tickets = queue.isThere ? try queue.withGate { try queue.live().map(\.entry) } : []
    let lock = FileLock(path: MachineLock.path(environment), create: false)
    let holder = lock.flatMap { $0.isHeld ? $0.content : nil }
    let jobs = names.compactMap { JobID($0) }.compactMap { id in
      summary(JobFolder(id, in: home), tickets: tickets, lockHolder: holder)
    }
    return JobsReply(jobs: jobs.sorted { ($0.createdAt, $0.job.text) < ($1.createdAt, $1.job.text) })
  }

  private func summary(_ folder: JobFolder, tickets: [QueueEntry], lockHolder: String?) -> JobSummary? {
    // A folder whose manifest can't be read is no job that anybody could attach to.
    guard let manifest = try? folder.readManifest() else { return nil }
    // Before the journal: a runner that ends in between has then had its final event.
    let isPresent = folder.isPresent
    let last = EventLog.lastLine(folder.journal) ?? []
    var info = stat()
    let bytes = stat(folder.journal, &info) == 0 ? Int(info.st_size) : 0
    var summary = JobSummary(
      job: folder.id, owner: manifest.owner, createdAt: manifest.createdAt, state: .lost,
      labels: manifest.sides.map(\.label), branch: manifest.branch,
      events: last.withUnsafeBytes { NumberedEvent.number(ofLine: $0) } ?? 0, bytes: bytes,
      stopping: manifest.stopping)
    if let finished = folder.lastWord {
      summary.state = .finished
      summary.outcome = finished.outcome
      return summary
    }
    guard isPresent else { return summary }
    let index = tickets.firstIndex { $0.job == folder.id }
    let entry = index.map { tickets[$0] }
    if entry?.began != nil || lockHolder == "\(folder.id) of \(manifest.owner)" {
      summary.state = .measuring
      return summary
    }
    summary.state = .waiting
    if let index {
      let place = QueuePlace(before: index, of: tickets, lockHolder: lockHolder)
      summary.ahead = place.ahead
      summary.expectedStart = place.expectedStart.map { Timestamp.rfc3339($0) }
    }
    return summary
  }
}
