import CSpawn
import Glibc
import Shared

/// One `cf-bench-agent work JOB`, watched to its end: what it says goes into the log, what it writes goes to the disk, and
/// when the job is cancelled it is told, and ended with all that it started once the grace is over.
struct WorkerProcess {
  let folder: JobFolder
  let log: CappedLog
  let cgroup: JobCgroup?
  let environment: [String: String]
  var secrets: [String: String] = [:]

  /// Runs one worker to its end; nothing that it started is left then.
  /// - Parameter cut: what had to be cut off the journal, in words that the worker is to pass on.
  func run(cut: Problem?) throws -> ProcessEnd {
    let (pid, output) = try spawn(cut: cut)
    defer { close(output) }
    let end = watch(pid, output)
    endTree()
    pump(output)
    log.end()
    return end
  }

  /// Ends whatever is left of the job.
  func endTree() {
    cgroup?.kill()
    let isGone = ProcessTree.killAll { ProcessTree.descendants(of: getpid()) + (cgroup?.pids ?? []) }
    while waitpid(-1, nil, WNOHANG) > 0 {}
    if !isGone { log.append("[cf-bench: processes of this job can't be ended]\n") }
  }

  // MARK: Watching

  private func watch(_ worker: pid_t, _ output: Int32) -> ProcessEnd {
    var killAt = Double.infinity
    var nextSync = MonotonicClock.seconds + 1
    var synced: off_t = -1
    while true {
      if SupervisorSignals.isCancelled || folder.isCancelled, killAt == .infinity {
        kill(worker, SIGTERM)
        killAt = MonotonicClock.seconds + Pauses(environment).workerGrace
      }
      if MonotonicClock.seconds >= killAt { endTree(sparing: worker) }
      if let end = reap(worker) { return end }
      if MonotonicClock.seconds >= nextSync {
        nextSync = MonotonicClock.seconds + 1
        syncJournal(&synced)
        log.flush()
      }
      let wait = min(nextSync, killAt) - MonotonicClock.seconds
      var polled = [
        pollfd(fd: SupervisorSignals.descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: output, events: Int16(POLLIN), revents: 0),
      ]
      poll(&polled, 2, Int32(max(0, min(wait, 1)) * 1000) + 1)
      SupervisorSignals.drain()
      if polled[1].revents & Int16(POLLIN) != 0 { pump(output) }
      // All ends are closed: nothing more to read, and its end is about to be told.
      if polled[1].revents & Int16(POLLHUP) != 0, polled[1].revents & Int16(POLLIN) == 0 { usleep(10_000) }
    }
  }

  /// Kills the job and leaves the worker's status to be read.
  private func endTree(sparing worker: pid_t) {
    kill(worker, SIGKILL)
    cgroup?.kill()
    _ = ProcessTree.killAll(reaps: false) { ProcessTree.descendants(of: getpid()) }
  }

  /// The worker's end, once it has come. Adopted orphans are reaped on the way.
  private func reap(_ worker: pid_t) -> ProcessEnd? {
    var status: Int32 = 0
    while true {
      let pid = waitpid(-1, &status, WNOHANG)
      if pid == worker { return ProcessEnd(status: status) }
      if pid < 0, errno == ECHILD { return .untold }
      guard pid > 0 else { return nil }
    }
  }

  /// The worker syncs when it writes; what it wrote last before a long silence is synced from here.
  private func syncJournal(_ synced: inout off_t) {
    let file = open(folder.journal, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    let size = lseek(file, 0, SEEK_END)
    guard size != synced, fsync(file) == 0 else { return }
    synced = size
  }

  /// Moves what is there into the log.
  private func pump(_ output: Int32) {
    withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { chunk in
      // At most a few megabytes before the clock is looked at again.
      for _ in 0..<64 {
        let count = read(output, chunk.baseAddress, chunk.count)
        guard count > 0 else { return }
        log.append(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
      }
    }
  }

  // MARK: Starting

  private func spawn(cut: Problem?) throws -> (pid: pid_t, output: Int32) {
    var ends: [Int32] = [-1, -1]
    let program = Executable.own
    guard cf_pipe(&ends) == 0 else { throw ChildProcess.SpawnFailure(program: program, code: errno) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    defer { close(ends[1]) }
    let input = try SecretsPipe.filled(with: secrets)
    defer { close(input) }
    var words = [program, "work", folder.id.text, "--supervisor", "\(getpid())"]
    if let cgroup { words += ["--cgroup", cgroup.path] }
    if let why = cut?.why { words += ["--cut", why] }
    let spawn = Spawn(
      words: words, environment: environment, directory: folder.path, input: .descriptor(input),
      output: .descriptor(ends[1]))
    do { return (try spawn.start(), ends[0]) } catch {
      close(ends[0])
      throw error
    }
  }
}
