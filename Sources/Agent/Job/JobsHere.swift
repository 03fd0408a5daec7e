import FoundationEssentials
import Shared

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The jobs that have this host, or wait for it.
struct JobsHere {
  var home: AgentHome
  var environment: [String: String]

  /// Those of this home whose runner lives or is on its way; and the one that has the machine, whosever home it is in.
  func list() -> Occupancy {
    let holder = holder()
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: home.jobs)) ?? []  // no folder: no jobs yet
    var jobs = folders.sorted().compactMap { JobID($0) }.compactMap { id -> Occupancy.Entry? in
      let folder = JobFolder(id, in: home)
      guard folder.hasJournal ? folder.state == .running : folder.isNew else { return nil }
      let owner = (try? folder.readManifest().owner) ?? "somebody"  // a runner without a readable manifest still runs
      return Occupancy.Entry(job: id, owner: owner, state: holder?.job == id ? .measuring : .waiting)
    }
    if let holder, !jobs.contains(where: { $0.job == holder.job }) { jobs.append(holder) }
    return Occupancy(jobs: jobs)
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
  /// Submitted so lately that its runner may be on its way. Its lock must not be touched before it has the journal: a runner
  /// that finds it taken for a moment would give up.
  fileprivate var isNew: Bool {
    guard let changed = try? FileManager.default.attributesOfItem(atPath: manifest)[.modificationDate] as? Date else {
      return false
    }
    return Date.now.timeIntervalSince(changed) <= DetachedRunner.startLimit
  }
}
