import FoundationEssentials
import Shared
import Statistics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One job in progress: waits for the machine, prepares the sides for each Python, and runs the layers.
final class Job {
  let manifest: JobManifest
  let folder: JobFolder
  let home: AgentHome
  /// What builds and tools get of ``login``.
  let environment: [String: String]
  /// The login's own, with which the sides' code is fetched: none of that runs meanwhile.
  private let login: [String: String]
  private let secrets: [String: String]
  let journal: JournalWriter
  private var hasTrouble = false
  private var deadline = Double.infinity

  init(
    manifest: JobManifest, folder: JobFolder, home: AgentHome, environment: [String: String],
    secrets: [String: String], journal: JournalWriter
  ) {
    self.manifest = manifest
    self.folder = folder
    self.home = home
    self.secrets = secrets
    login = Secrets.removed(from: environment, for: manifest)
    self.environment = Confinement.environment(login, scratch: folder.scratch)
    self.journal = journal
  }

  /// Does everything and never throws: how it ended is the result.
  func perform() -> (outcome: Finished.Outcome, problem: Problem?) {
    do {
      try announce()
      let lock = try MachineLock.acquire(
        environment, job: manifest.id, owner: manifest.owner, limitSeconds: manifest.limits.queueSeconds
      ) { holder in try journal.emit(.queued(Queued(holder: holder))) }
      if manifest.tune == true {
        try FileManager.default.createDirectory(
          atPath: AccessTree.parent(of: home.tuningRecord), withIntermediateDirectories: true)
      }
      let tuning = JobTuning(machine: MachineTuning(record: home.tuningRecord), sink: journal)
      return try withExtendedLifetime(lock) { try tuning.around(isAsked: manifest.tune == true, measureAll) }
    } catch {
      if CancelFlag.isSet || error is JobCancelled { return (.cancelled, nil) }
      return (.failed, problem(of: error))
    }
  }

  private func announce() throws {
    let started = Started(
      job: manifest.id, agentVersion: Version.current, agentSHA256: try OwnBinary.sha256(), pid: getpid(),
      importName: manifest.target.importName, budgetSeconds: manifest.stopping?.budgetSeconds)
    try journal.emit(.started(started))
  }

  private func measureAll() throws -> (Finished.Outcome, Problem?) {
    deadline = MonotonicClock.seconds + manifest.limits.totalSeconds
    try journal.emit(.host(HostReader(environment: environment).witness()))
    var builder = SideBuilder(manifest: manifest, home: home, environment: environment, sink: watched)
    builder.gather(manifest.python.versions, environment: login)
    try confine()
    var lastFailure: Problem?
    var measured = 0
    var budget = Budget(manifest)
    for python in manifest.python.versions {
      budget.beginInterpreter()
      do {
        let prepared = try builder.prepare(python: python, withCopy: manifest.layers.haveRoomForCopy)
        try measure(python, prepared, budget: &budget)
        measured += 1
      } catch let error as StorageFailure { throw error } catch {
        try stopIfCancelled()
        let problem = problem(of: error)
        lastFailure = problem
        if manifest.python.versions.count > 1 { try trouble(Trouble(python: python, problem: problem)) }
      }
    }
    try journal.emit(.host(HostReader(environment: environment).witness()))
    if measured == 0, let lastFailure { return (.failed, lastFailure) }
    return (hasTrouble ? .partial : .done, nil)
  }

  /// From here on nothing of the job reaches beyond its own places.
  private func confine() throws {
    try stopIfCancelled()
    let temporary = Confinement.temporary(folder.scratch)
    try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
    let places = ConfinedPlaces(
      home: home, job: folder.path, scratch: folder.scratch, environment: login, isRoot: geteuid() == 0,
      tunes: manifest.tune == true)
    try journal.emit(.phase(Phase(text: try Confinement().enter(places))))
  }

  private func measure(_ python: String, _ prepared: SideBuilder.Prepared, budget: inout Budget) throws {
    let scratch = "\(folder.scratch)/\(python.filter { $0.isLetter || $0.isNumber || $0 == "." })"
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    defer { _ = try? FileManager.default.removeItem(atPath: scratch) }  // the job's whole scratch goes at its end
    let context = LayerContext(
      sink: watched, python: python, sides: prepared.sides.map(withSecrets), copy: prepared.copy.map(withSecrets),
      target: manifest.target,
      scratch: scratch, home: home, agent: Executable.own, secrets: secrets,
      setupSeconds: manifest.limits.setupSeconds, environment: environment, seed: manifest.seed,
      checkpoint: { [unowned self] in try self.checkpoint() })
    let schedule = Schedule(
      LayerList.make(from: manifest.layers), in: context, stopping: budget.rule, budgetSeconds: budget.share,
      setsAsideDisturbed: manifest.setsAsideDisturbed ?? true
    ) { layer, error in
      if error is StorageFailure { throw error }
      try self.trouble(Trouble(layer: layer, python: python, problem: self.problem(of: error)))
    }
    let started = MonotonicClock.seconds
    defer { budget.endInterpreter(schedule.questions, seconds: MonotonicClock.seconds - started) }
    do { try schedule.run() } catch let over as JobOutOfTime {
      try trouble(Trouble(python: python, problem: over.problem))
    }
    journal.sync()
  }

  private func withSecrets(_ side: SideEnvironment) -> SideEnvironment {
    var side = side
    side.secrets = Secrets.ofTarget(secrets)
    return side
  }

  private func stopIfCancelled() throws {
    if CancelFlag.isSet { throw JobCancelled() }
  }

  private func checkpoint() throws {
    try stopIfCancelled()
    if MonotonicClock.seconds > deadline { throw JobOutOfTime(limitSeconds: manifest.limits.totalSeconds) }
  }

  private func trouble(_ trouble: Trouble) throws {
    hasTrouble = true
    try journal.emit(.trouble(trouble))
  }

  private func problem(of error: any Error) -> Problem {
    if let error = error as? any UserFacingError { return error.problem }
    return Problem(
      what: "the far end's system refused something", why: "\(error)",
      fix: "check disk space and permissions of ~/.cf-bench at the far end", exitStatus: .infrastructure)
  }

  /// The journal, noting trouble that a layer or a side reports on the way.
  private var watched: any EventSink {
    TroubleWatch(journal) { [unowned self] in self.hasTrouble = true }
  }
}

/// The measuring time of a job, shared evenly among the interpreters that are still to come.
private struct Budget {
  private(set) var rule: StoppingRule?
  private var secondsLeft: Double
  private var interpreters: Int

  init(_ manifest: JobManifest) {
    interpreters = manifest.python.versions.count
    let stopping = manifest.sides.count == 2 ? manifest.stopping : nil
    rule = stopping.map { StoppingRule($0, interpreters: manifest.python.versions.count) }
    secondsLeft = stopping?.budgetSeconds ?? .infinity
  }

  /// What the interpreter at hand may spend, in seconds.
  var share: Double { secondsLeft / Double(interpreters + 1) }

  mutating func beginInterpreter() {
    interpreters -= 1
    rule?.beginInterpreter()
  }

  mutating func endInterpreter(_ questions: [Question], seconds: Double) {
    rule?.endInterpreter(questions)
    secondsLeft -= seconds
  }
}

/// The job used up the time that it may take.
private struct JobOutOfTime: Error {
  var limitSeconds: Double

  var problem: Problem {
    Problem(
      what: "the job passed its time limit; what was not measured by then has no result",
      why: "limits.total is \(Int(limitSeconds)) s",
      fix: "measure fewer layers or blocks, or raise limits.total", exitStatus: .partial)
  }
}

extension LayerPlans {
  /// Whether a layer may measure so many blocks that one of them has the control arm.
  fileprivate var haveRoomForCopy: Bool {
    [startup?.blocks, micro?.blocks, optimize?.blocks, memory?.blocks].contains { ($0 ?? 0) >= BlockOrder.copyEvery }
  }
}

/// Passes events on and notices trouble among them.
private final class TroubleWatch: EventSink {
  private let next: any EventSink
  private let noticed: () -> Void

  init(_ next: any EventSink, noticed: @escaping () -> Void) {
    self.next = next
    self.noticed = noticed
  }

  func emit(_ event: JobEvent) throws {
    if case .trouble = event { noticed() }
    try next.emit(event)
  }
}
