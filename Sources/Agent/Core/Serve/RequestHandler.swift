import FoundationEssentials
import Glibc
import Shared
import Synchronization

/// Answers requests: all that a session can ask for but the stream of a journal, files and the change of the agent. From any
/// thread: what takes long is done on a ``RequestLane``.
final class RequestHandler: Sendable {
  private let home: AgentHome
  private let environment: [String: String]
  /// This agent was installed just now: the stable name is to lead to it.
  private let isNew: Bool
  private let state: Mutex<State>

  private struct State {
    /// Runners that this process started: its children, to be waited for once they end.
    var children: [pid_t] = []
    /// Masks what this session knows to be secret in its words to the controller.
    var redactor: Redactor
    var cancelled: [(job: JobFolder, deadline: Double)] = []
  }

  init(home: AgentHome, environment: [String: String], isNew: Bool) {
    self.home = home
    self.environment = environment
    self.isNew = isNew
    state = Mutex(State(redactor: Redactor(SecretNames.values(in: environment))))
  }

  func answer(_ request: AgentRequest) throws -> AgentMessage {
    switch request {
    case .hello(let hello): return try greet(hello)
    case .submit(let submit): return .accepted(try accept(submit))
    case .cancel(let cancel): return .cancelled(self.cancel(cancel.job))
    case .uploads(let asked): return .uploads(uploads(asked))
    case .doctor(let doctor):
      return .doctor(DoctorReply(checks: HostChecks(home: home, environment: environment).examine(doctor)))
    case .occupancy: return .occupancy(try JobsHere(home: home, environment: environment).list())
    case .jobs: return .jobs(try JobListing(home: home, environment: environment).list())
    case .mayStop(let asked):
      return .mayStop(try JobsHere(home: home, environment: environment).mayStop(for: asked.run))
    case .ping(let ping): return .pong(ping)
    case .attach, .upgrade, .receive, .piece: preconditionFailure("the server does these itself")
    case .unknown(let type):
      throw Problem(
        what: "this agent does not know the request '\(type)'", why: "it is version \(Version.current)",
        fix: "use an agent of the controller's release", exitStatus: .infrastructure)
    }
  }

  func refusal(of request: String, _ error: any Error) -> [UInt8] {
    let message = AgentMessage.refused(Refused(request: request, problem: Problem(error, at: home.path)))
    let line = (try? message.line()) ?? []  // a problem is four short fields: it always fits a line
    return state.withLock { $0.redactor }.redacted(line: line)
  }

  /// Gets the agent ready that is to take over.
  func prepare(_ upgrade: UpgradeRequest) throws -> AgentUpgrade {
    let next = AgentUpgrade(home: home, environment: environment)
    try next.prepare(upgrade.agent)
    return next
  }

  /// Has a job go on that is to be followed, and finds the place in its journal.
  /// - Throws: ``Problem`` when the controller's events are of another job.
  func place(_ attach: AttachRequest, watch: InotifyWatcher) throws -> (folder: JobFolder, place: JournalFile.Place) {
    let folder = try existing(attach.job)
    let isThere = revive(folder, secrets: attach.secrets ?? [:])
    // Without a journal there is nothing to follow, and its absence says so.
    if isThere || folder.hasJournal { try watch.add(folder.journal) }
    guard let place = try JournalFile.place(after: attach.after, hash: attach.hash, in: folder.journal) else {
      throw Problem(
        what: "the journal of '\(folder.id)' is not the one that the controller has the beginning of",
        why: "event \(attach.after) differs, and no runner took the job over before it",
        fix: "measure again, under another name", exitStatus: .infrastructure)
    }
    return (folder, place)
  }

  /// Milliseconds until something has to be looked at without being asked.
  var nextDeadlineMilliseconds: Int32? {
    let deadlines = state.withLock { $0.cancelled.map(\.deadline) }
    return deadlines.min().map { Int32(max(0, ($0 - MonotonicClock.seconds) * 1000)) + 1 }
  }

  /// Waits for ended children.
  /// - Returns: jobs whose runner did not end in time when it was told: see ``end(_:)``.
  func tend() -> [JobFolder] {
    state.withLock { state in
      state.children.removeAll { waitpid($0, nil, WNOHANG) != 0 }
      let now = MonotonicClock.seconds
      let overdue = state.cancelled.filter { now >= $0.deadline && $0.job.runningPID() != nil }.map(\.job)
      state.cancelled.removeAll { now >= $0.deadline || $0.job.runningPID() == nil }
      return overdue
    }
  }

  /// Ends a runner that did not end when told.
  func end(_ job: JobFolder) {
    guard let pid = job.runningPID() else { return }
    SessionProcesses.kill(leader: pid)
    _ = revive(job, secrets: [:])  // it finds the mark, ends the rest and says so
  }

  private func greet(_ hello: HelloRequest) throws -> AgentMessage {
    guard hello.protocolVersion == Version.wireProtocol else {
      throw ForeignController(hello)
    }
    let system = HostReader.uname
    let sha256 = OwnBinary.installedSHA256
    takeCurrentAgentLink(sha256)
    return .hello(
      HelloReply(
        sha256: sha256, home: home.path, user: HostReader.userName, host: system.node,
        system: system.system, architecture: system.machine, libc: HostReader.libc,
        features: AgentFeature.allCases.map(\.rawValue),
        tools: SetupTools.present(environment, home: home).map(\.rawValue)))
  }

  private func takeCurrentAgentLink(_ sha256: String?) {
    let name = CurrentAgentLink(home: home)
    guard let sha256, Executable.own == home.agent(sha256) || isNew, isNew || !name.isSet else { return }
    // Without it everything works but a line of authorized_keys, whose words say what is missing.
    try? name.point(to: sha256)
  }

  private func existing(_ id: JobID) throws -> JobFolder {
    let folder = JobFolder(id, in: home)
    guard folder.exists else {
      throw Problem(
        what: "there is no job '\(id)' here", why: "\(folder.path) does not exist", fix: "submit it first",
        exitStatus: .infrastructure)
    }
    return folder
  }

  /// Has a job go on that has neither a runner nor a last word. False when that is not possible: its log says why.
  func revive(_ folder: JobFolder, secrets: [String: String]) -> Bool {
    guard folder.state == .lost else { return true }
    mask(secrets)
    do {
      var environment = environment.filter { $0.key != Secrets.codeflashKey }
      var admitted: [String: String] = [:]
      // Without a readable manifest nobody is named; the runner then says that it can't be read.
      if let manifest = try? folder.readManifest() {
        environment = Secrets.removed(from: environment, for: manifest)
        if !folder.isCancelled {
          admitted = try Secrets.admitted(secrets, environment: self.environment, for: manifest)
        }
      }
      let runner = DetachedRunner(home: home, environment: environment)
      if let pid = try runner.revive(folder, secrets: admitted) { state.withLock { $0.children.append(pid) } }
      return true
    } catch {
      let problem = Problem(error, at: home.path)
      CappedLog(path: folder.log).append("[cf-bench: the job can't be taken up again: \(problem.rendered)]\n")
      return false
    }
  }

  private func mask(_ secrets: [String: String]) {
    guard !secrets.isEmpty else { return }
    state.withLock { $0.redactor = Redactor(SecretNames.values(in: environment) + secrets.values) }
  }

  private func uploads(_ asked: UploadsRequest) -> UploadsReply {
    let missing = asked.uploads.filter { access("\(home.uploads)/\($0)", R_OK) != 0 }
    for upload in asked.uploads where !missing.contains(upload) { home.markUsed("\(home.uploads)/\(upload)") }
    return UploadsReply(missing: missing, folder: home.uploads)
  }

  private func cancel(_ id: JobID) -> Cancelled {
    let folder = JobFolder(id, in: home)
    let wasRunning = DetachedRunner.cancel(folder)
    if wasRunning {
      state.withLock { $0.cancelled.append((folder, MonotonicClock.seconds + Pauses(environment).runnerGrace)) }
    } else {
      // One that lost its runner gets a last word, and what it left running is ended.
      _ = revive(folder, secrets: [:])
    }
    return Cancelled(job: id, wasRunning: wasRunning)
  }

  private func accept(_ submit: SubmitRequest) throws -> Accepted {
    let manifest = submit.manifest
    mask(submit.secrets ?? [:])
    try ManifestCheck.check(manifest)
    let folder = JobFolder(manifest.id, in: home)
    let isKnown = folder.exists
    if isKnown {
      guard try folder.readManifest() == manifest else {
        throw Problem(
          what: "there is another job called '\(manifest.id)' here", why: "its manifest differs",
          fix: "submit this one under another name", exitStatus: .usage)
      }
      _ = revive(folder, secrets: submit.secrets ?? [:])
    } else {
      try begin(folder, manifest, secrets: submit.secrets ?? [:])
    }
    var superseded: [JobID] = []
    if submit.supersede == true {
      superseded = try QueueFolder(environment).withGate { try Supersession.carryOut(for: manifest, home: home) }
    }
    return Accepted(job: manifest.id, alreadyKnown: isKnown, superseded: superseded.isEmpty ? nil : superseded)
  }

  private func begin(_ folder: JobFolder, _ manifest: JobManifest, secrets: [String: String]) throws {
    let admitted = try Secrets.admitted(secrets, environment: environment, for: manifest)
    let queue = QueueFolder(environment)
    // Under the gate: who asks whether the machine may be stopped sees this job, or we see that it will be.
    try queue.withGate {
      try ShutdownHold.check(queue)
      do {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try DurableFile.write(Array(try JSONEncoder().encode(manifest)), to: folder.manifest)
      } catch {
        _ = try? FileManager.default.removeItem(atPath: folder.path)  // half a job is no job
        throw StorageFailure(refused: error, at: folder.path) ?? error
      }
    }
    let runner = DetachedRunner(home: home, environment: Secrets.removed(from: environment, for: manifest))
    do {
      let pid = try runner.start(folder, secrets: admitted)
      state.withLock { $0.children.append(pid) }
    } catch {
      _ = try? FileManager.default.removeItem(atPath: folder.path)  // so that it can be submitted again
      throw error
    }
    try waitForPlace(of: folder, in: queue)
  }

  /// Jobs come in the order in which they are accepted: a job's answer waits until it has its place in the queue.
  private func waitForPlace(of folder: JobFolder, in queue: QueueFolder) throws {
    let deadline = MonotonicClock.seconds + DetachedRunner.startLimit
    while MonotonicClock.seconds < deadline, folder.state == .running,
      try !queue.withGate({ try queue.live().contains { $0.entry.job == folder.id } })
    { usleep(5000) }
  }
}

/// A controller of another protocol; the words are read at its end.
private struct ForeignController: UserFacingError {
  var protocolVersion: Int
  var version: String

  init(_ hello: HelloRequest) {
    protocolVersion = hello.protocolVersion
    version = String(hello.controllerVersion.prefix(40))
  }

  private var isNewer: Bool { protocolVersion > Version.wireProtocol }
  var what: String {
    "the agent there speaks protocol \(Version.wireProtocol), this cf-bench speaks \(protocolVersion)"
  }
  var why: String? {
    "the agent is of release \(Version.current), \(isNewer ? "older" : "newer") than this cf-bench (\(version))"
  }
  var fix: String {
    isNewer
      ? "bring this release's agent there once, with a key that may start a shell: cf-bench doctor --machine …"
      : "update cf-bench here to release \(Version.current) or newer"
  }
  var exitStatus: ExitStatus { .infrastructure }
}
