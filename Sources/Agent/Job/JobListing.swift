import FoundationEssentials
import Shared

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

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
    // Before the journal: a runner that ends in between has then had its last word.
    let isPresent = folder.isPresent
    let tail = JournalTail(folder.journal)
    var summary = JobSummary(
      job: folder.id, owner: manifest.owner, createdAt: manifest.createdAt, state: .lost,
      labels: manifest.sides.map(\.label), branch: manifest.branch, events: tail.number, bytes: tail.bytes,
      stopping: manifest.stopping)
    if let finished = tail.finished {
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
      let place = QueuePlace(before: Array(tickets[..<index]), lockHolder: lockHolder)
      summary.ahead = place.ahead
      summary.expectedStart = place.expectedStart.map { Timestamp.rfc3339($0) }
    }
    return summary
  }
}

/// The end of a journal: its last whole line, found from the back.
private struct JournalTail {
  var number = 0
  var bytes = 0
  var finished: Finished?

  init(_ path: String) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return }  // none yet: no events
    defer { close(file) }
    bytes = Int(max(0, lseek(file, 0, SEEK_END)))
    // Most last lines are short; a long one is looked for in ever larger pieces.
    var size = 8 << 10
    while true {
      let start = max(0, bytes - size)
      var chunk = [UInt8](repeating: 0, count: bytes - start)
      let count = pread(file, &chunk, chunk.count, off_t(start))
      guard count > 0, let end = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) else {
        guard count > 0, start > 0, size <= WireLine.maximumBytes else { return }
        size *= 4
        continue
      }
      let before = chunk[..<end].lastIndex(of: UInt8(ascii: "\n"))
      if before == nil, start > 0, size <= WireLine.maximumBytes {
        size *= 4
        continue
      }
      take(Array(chunk[(before.map { $0 + 1 } ?? 0)..<end]))
      return
    }
  }

  private mutating func take(_ line: [UInt8]) {
    number = line.withUnsafeBytes { NumberedEvent.number(ofLine: $0) } ?? 0
    guard String(decoding: line.prefix(64), as: UTF8.self).contains(",\"type\":\"finished\",") else { return }
    // A last word that can't be read is none.
    if case .finished(let body)? = (try? NumberedEvent(line: line))?.event { finished = body }
  }
}
