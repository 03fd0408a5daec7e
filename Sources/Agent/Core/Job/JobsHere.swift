import FoundationEssentials
import Glibc
import Shared

/// The jobs that have this host, or wait for it.
struct JobsHere {
  var home: AgentHome
  var environment: [String: String]

  private var queue: QueueFolder { QueueFolder(environment) }

  /// Those of this home whose runner lives or is on its way; who has the machine, and who waits in the queue, whosever home it
  /// is in.
  func list() throws -> Occupancy {
    // Nobody has ever queued here: then there is nothing to keep still, and no folder to make for it.
    guard queue.isThere else { return Occupancy(jobs: entries([])) }
    return try queue.withGate { Occupancy(jobs: entries(try queue.live().map(\.entry))) }
  }

  /// Whether the machine may be switched off for `run`. After a yes no job is begun for a while, here or in another home: who
  /// asks and who comes use the same gate.
  func mayStop(for run: String) throws -> MayStopReply {
    try queue.withGate {
      let holders = entries(try queue.live().map(\.entry)).filter { $0.job.text != run }
      if holders.isEmpty { try ShutdownHold.write(for: run, in: queue) }
      return MayStopReply(allowed: holders.isEmpty, holders: holders)
    }
  }

  private func entries(_ tickets: [QueueEntry]) -> [Occupancy.Entry] {
    let holder = holder()
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: home.jobs)) ?? []  // no folder: no jobs yet
    var jobs = folders.sorted().compactMap { JobID($0) }.compactMap { id -> Occupancy.Entry? in
      let folder = JobFolder(id, in: home)
      guard folder.isPresent else { return nil }
      let owner = (try? folder.readManifest().owner) ?? "somebody"  // a runner without a readable manifest still runs
      let hasMachine = holder?.job == id || tickets.contains { $0.job == id && $0.began != nil }
      return Occupancy.Entry(job: id, owner: owner, state: hasMachine ? .measuring : .waiting)
    }
    let others = tickets.map {
      Occupancy.Entry(job: $0.job, owner: $0.owner, state: $0.began == nil ? .waiting : .measuring)
    }
    for other in [holder].compactMap(\.self) + others where !jobs.contains(where: { $0.job == other.job }) {
      jobs.append(other)
    }
    return jobs
  }

  /// The lock's content is `JOB of OWNER`, and true only while somebody holds it. A holder that has not written yet, or may
  /// not, has the machine all the same.
  private func holder() -> Occupancy.Entry? {
    guard let lock = FileLock(path: MachineLock.path(environment), create: false), lock.isHeld else { return nil }
    let words = lock.content.split(separator: " ", maxSplits: 2).map(String.init)
    if words.count == 3, words[1] == "of", let job = JobID(words[0]) {
      return Occupancy.Entry(job: job, owner: words[2], state: .measuring)
    }
    return JobID("unknown").map { Occupancy.Entry(job: $0, owner: "somebody", state: .measuring) }
  }
}

extension JobFolder {
  /// Whether its runner lives or is on its way.
  var isPresent: Bool { hasJournal ? state == .running : isNew }

  /// Submitted so lately that its runner may be on its way. Its lock must not be touched before it has the journal: a runner
  /// that finds it taken for a moment would give up.
  private var isNew: Bool {
    guard let changed = try? FileManager.default.attributesOfItem(atPath: manifest)[.modificationDate] as? Date else {
      return false
    }
    return Date.now.timeIntervalSince(changed) <= DetachedRunner.startLimit
  }
}
