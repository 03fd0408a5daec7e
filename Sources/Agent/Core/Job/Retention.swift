import FoundationEssentials
import Glibc
import Shared

/// What the benchmark host keeps, and for how long: old jobs go by count, age and size, and what was made for jobs goes when it
/// has not been used for as long as a job may grow old.
struct Retention {
  let home: AgentHome
  let environment: [String: String]
  /// Seconds since 1970.
  var now = Double(time(nil))

  /// `CF_BENCH_KEEP_JOBS`, `CF_BENCH_KEEP_DAYS` and `CF_BENCH_KEEP_BYTES` on the benchmark host.
  struct Limits: Equatable {
    var jobs = 50
    var days = 30.0
    /// Of all jobs' folders together.
    var bytes = 2 << 30

    init(_ environment: [String: String]) {
      if let text = environment["CF_BENCH_KEEP_JOBS"], let jobs = Int(text), jobs >= 0 { self.jobs = jobs }
      if let text = environment["CF_BENCH_KEEP_DAYS"], let days = Double(text), days >= 0 { self.days = days }
      if let text = environment["CF_BENCH_KEEP_BYTES"], let bytes = Int(text), bytes >= 0 { self.bytes = bytes }
    }

    var seconds: Double { days * 86_400 }
  }

  /// A job without a final event is left alone for so many seconds after its last sign of life: somebody may still want it to
  /// go on.
  static let unfinishedSeconds = 86_400.0

  private struct Kept {
    var folder: JobFolder
    var changed: Double
    var bytes: Int
    var mayGo: Bool
  }

  /// Removes what is over the limits. Not while a job measures here: the end of that one does it.
  func tidy() {
    guard FileLock(path: MachineLock.path(environment), create: false)?.isHeld != true else { return }
    removeJobs()
    removeUnused()
  }

  // MARK: Jobs

  func removeJobs() {
    let limits = Limits(environment)
    var (count, bytes) = (0, 0)
    for job in jobs().sorted(by: { $0.changed > $1.changed }) {
      count += 1
      bytes += job.bytes
      let isOver = count > limits.jobs || bytes > limits.bytes || now - job.changed > limits.seconds
      guard isOver, job.mayGo, remove(job.folder) else { continue }
      count -= 1
      bytes -= job.bytes
    }
  }

  private func jobs() -> [Kept] {
    names(in: home.jobs).compactMap { name in
      guard let id = JobID(name) else { return nil }
      let folder = JobFolder(id, in: home)
      let changed = [folder.journal, folder.manifest, folder.path].compactMap(Self.changed).max() ?? now
      let mayGo =
        switch folder.state {
        case .finished: isOver(folder)
        case .running: false
        case .lost: now - changed > Self.unfinishedSeconds
        }
      return Kept(folder: folder, changed: changed, bytes: size(of: folder.path), mayGo: mayGo)
    }
  }

  /// Whether a finished job's runner is gone. One that was killed at its very end left the empty control group.
  private func isOver(_ folder: JobFolder) -> Bool {
    guard !folder.hasRunner else { return false }
    if let path = MachineFiles().text(folder.cgroupNote), path.hasPrefix("/") {
      JobCgroup(path: path).remove()
      unlink(folder.cgroupNote)
    }
    return true
  }

  /// Holds the runner's lock meanwhile, so that no runner takes the job up; in one step it is gone for all others.
  private func remove(_ folder: JobFolder) -> Bool {
    guard let lock = FileLock(path: folder.runnerLock, create: true, mode: 0o600), lock.tryLock() else { return false }
    return withExtendedLifetime(lock) {
      let aside = "\(home.jobs)/.removed-\(folder.id)"
      removeTree(aside)
      guard rename(folder.path, aside) == 0 else { return false }
      removeTree(aside)
      return true
    }
  }

  // MARK: What was made for jobs

  /// Environments, checkouts, uploads and agents, by when they were last used: see ``AgentHome/markUsed(_:)``.
  func removeUnused() {
    let limit = Limits(environment).seconds
    let agents = agentsInUse
    for folder in [home.environments, home.checkouts, home.uploads, home.agents] {
      for name in names(in: folder) where !name.hasSuffix(".lock") {
        let path = "\(folder)/\(name)"
        guard let changed = Self.changed(path), now - changed > limit else { continue }
        guard folder != home.agents || !agents.contains(where: { $0.hasPrefix(path + "/") }) else { continue }
        // Whoever builds it at this moment holds its lock.
        let lock = FileLock(path: "\(path).lock", create: false)
        guard lock?.tryLock() ?? true else { continue }
        withExtendedLifetime(lock) { removeTree(path) }
      }
    }
  }

  /// Programs that a job goes on with, the one that is linked to as the agent to use, and this one.
  private var agentsInUse: [String] {
    let noted = names(in: home.jobs).compactMap { JobID($0) }.compactMap { id -> String? in
      let folder = JobFolder(id, in: home)
      return folder.lastWord == nil ? MachineFiles().text(folder.agentNote) : nil
    }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let current = realpath("\(home.path)/cf-bench-agent", &buffer).map { String(cString: $0) }
    return noted + [Executable.own] + (current.map { [$0] } ?? [])
  }

  // MARK: Files

  private func names(in folder: String) -> [String] { MachineFiles().names(in: folder) }

  /// When a file or folder was last changed, in seconds since 1970.
  private static func changed(_ path: String) -> Double? {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    return Double(status.st_mtim.tv_sec)
  }

  /// Of all files below, in bytes of the disk.
  private func size(of path: String) -> Int {
    var status = stat()
    guard lstat(path, &status) == 0 else { return 0 }
    let own = Int(status.st_blocks) * 512
    guard status.st_mode & S_IFMT == S_IFDIR else { return own }
    return names(in: path).reduce(own) { $0 + size(of: "\(path)/\($1)") }
  }

  /// What can't be removed costs room, and is tried again the next time.
  private func removeTree(_ path: String) { _ = try? FileManager.default.removeItem(atPath: path) }
}

extension AgentHome {
  /// Notes that something kept between jobs is in use: its time of change says when it was used last.
  func markUsed(_ path: String) {
    utimensat(AT_FDCWD, path, nil, 0)  // one that can't be marked is made again some day
  }
}
