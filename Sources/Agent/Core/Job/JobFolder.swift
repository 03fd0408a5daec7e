import FoundationEssentials
import Glibc
import Shared

/// A job's folder: `manifest.json`, `journal.ndjson`, `runner.log`, and `runner`, which its runner (the ``JobSupervisor``)
/// holds locked.
struct JobFolder: Sendable {
  let path: String
  let id: JobID

  init(_ id: JobID, in home: AgentHome) {
    self.id = id
    path = home.job(id)
  }

  var manifest: String { path + "/manifest.json" }
  var journal: String { path + "/journal.ndjson" }
  var log: String { path + "/runner.log" }
  /// Held locked (`flock`) by the runner for its life; its content is the runner's process id and the boot it belongs to.
  var runnerLock: String { path + "/runner" }
  var scratch: String { path + "/scratch" }
  /// The path of the agent's program that the job was begun with: it goes on with the same one.
  var agentNote: String { path + "/agent" }
  /// The path of the job's control group, while there may be one.
  var cgroupNote: String { path + "/cgroup" }
  /// There when the job was asked to end: no runner takes it up again but to say so.
  var cancelMark: String { path + "/cancel" }

  var exists: Bool { access(manifest, F_OK) == 0 }
  var hasJournal: Bool { access(journal, F_OK) == 0 }
  var isCancelled: Bool { access(cancelMark, F_OK) == 0 }

  /// What becomes of a job.
  enum State: Equatable {
    /// It has a runner.
    case running
    /// The journal has the final event, and this is it.
    case finished(Finished)
    /// It has neither: whoever asks for it has it go on, see ``DetachedRunner/revive(_:)``.
    case lost
  }

  var state: State {
    if let lastWord { return .finished(lastWord) }
    // It may have spoken between the two looks.
    return hasRunner ? .running : lastWord.map { .finished($0) } ?? .lost
  }

  /// How the job ended, once its journal says so.
  var lastWord: Finished? {
    guard let line = EventLog.lastLine(journal), line.withUnsafeBytes({ JournalFile.isType("finished", $0) }),
      case .finished(let finished) = try? NumberedEvent(line: line).event  // not our writer's: no final event
    else { return nil }
    return finished
  }

  /// Whether a runner holds its lock.
  var hasRunner: Bool { FileLock(path: runnerLock, create: false)?.isHeld ?? false }

  /// The runner's process id while there is one that has said so.
  func runningPID() -> pid_t? {
    guard let lock = FileLock(path: runnerLock, create: false), lock.isHeld,
      let pid = pid_t(lock.content.split(separator: " ").first ?? "")
    else { return nil }
    // What an earlier one left there stands until the next has come up.
    return ProcessTree.isAlive(pid) ? pid : nil
  }

  /// Has the disk keep what is there by now, the folder's own name included: a machine may lose its power next.
  func sync() {
    for path in [manifest, self.path, String(self.path.dropLast(id.text.utf8.count + 1))] {
      let file = open(path, O_RDONLY | O_CLOEXEC)
      guard file >= 0 else { continue }
      fsync(file)  // best effort: a failing disk shows at the next write
      close(file)
    }
  }

  func readManifest() throws -> JobManifest {
    do {
      return try JSONDecoder().decode(JobManifest.self, from: Data(contentsOf: URL(filePath: manifest)))
    } catch {
      throw Problem(
        what: "the job \(id) can't be read", why: "\(manifest): \(DecodingErrorText.describe(error))",
        fix: "submit the job again under another name", exitStatus: .infrastructure)
    }
  }

  /// The end of the runner's own words, for a runner that is gone.
  var outputTail: String {
    String(decoding: DurableFile.tail(of: log, bytes: 2000) ?? [], as: UTF8.self)  // no log: no words
  }
}
