import FoundationEssentials
import Shared

/// The jobs that have this host, or wait for it.
struct JobsHere {
  var home: AgentHome
  var environment: [String: String]

  /// Those of this home whose runner lives; and the one that has the machine, whosever home it is in.
  func list() -> Occupancy {
    let holder = holder()
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: home.jobs)) ?? []  // no folder: no jobs yet
    var jobs = folders.sorted().compactMap { JobID($0) }.compactMap { id -> Occupancy.Entry? in
      let folder = JobFolder(id, in: home)
      guard folder.runningPID() != nil else { return nil }
      let owner = (try? folder.readManifest().owner) ?? "somebody"  // a runner without a readable manifest still runs
      return Occupancy.Entry(job: id, owner: owner, state: holder?.job == id ? .measuring : .waiting)
    }
    if let holder, !jobs.contains(where: { $0.job == holder.job }) { jobs.append(holder) }
    return Occupancy(jobs: jobs)
  }

  /// The lock's content is `JOB of OWNER`, and true only while somebody holds it.
  private func holder() -> Occupancy.Entry? {
    guard let lock = FileLock(path: MachineLock.path(environment), create: false), !lock.tryLock() else { return nil }
    let words = lock.content.split(separator: " ", maxSplits: 2).map(String.init)
    guard words.count == 3, words[1] == "of", let job = JobID(words[0]) else { return nil }
    return Occupancy.Entry(job: job, owner: words[2], state: .measuring)
  }
}
