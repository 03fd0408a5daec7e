import FoundationEssentials
import Glibc
import Shared
import Statistics

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
  private let history: JobHistory
  private var conditions = JobHistory.RunConditions()
  /// Environments as they became ready.
  private var ready: [SideReady] = []
  private var hasTrouble = false
  private var deadline = Double.infinity

  /// - Parameter history: what the journal told before anything was added.
  init(
    manifest: JobManifest, folder: JobFolder, home: AgentHome, environment: [String: String],
    secrets: [String: String] = [:], journal: JournalWriter, history: JobHistory = JobHistory()
  ) {
    self.history = history
    self.manifest = manifest
    self.folder = folder
    self.home = home
    self.secrets = secrets
    login = Secrets.removed(from: environment, for: manifest)
    self.environment = Confinement.environment(login, scratch: folder.scratch)
    self.journal = journal
  }

  /// Does everything and never throws: how it ended is the result.
  /// - Parameters:
  ///   - cut: what had to be cut off the journal.
  ///   - leave: called before the machine is left to the next job.
  func perform(cut: String? = nil, leave: () -> Void = {}) -> (outcome: Finished.Outcome, problem: Problem?) {
    do {
      // The place first: announcing takes a moment, in which a later job could pass this one.
      let place = Result { try QueueReservation(environment, manifest, folder) }
      try announce()
      if let cut { try journal.emit(.trouble(Trouble(problem: JournalWriter.cutProblem(cut)))) }
      let turn = try place.get()
      try turn.wait(limitSeconds: manifest.limits.queueSeconds) { try journal.emit(.queued($0)) }
      if manifest.tune == true {
        try FileManager.default.createDirectory(
          atPath: AccessTree.parent(of: home.tuningRecord), withIntermediateDirectories: true)
      }
      let tuning = JobTuning(machine: MachineTuning(record: home.tuningRecord), sink: journal)
      defer { withExtendedLifetime(turn, leave) }
      return try withExtendedLifetime(turn) { try tuning.around(isAsked: manifest.tune == true, measureAll) }
    } catch let newer as JobSuperseded {
      return (.cancelled, newer.problem)
    } catch {
      if CancelFlag.isSet || error is JobCancelled { return (.cancelled, nil) }
      return (.failed, Problem(error, at: home.path))
    }
  }

  private func announce() throws {
    let digest = try OwnBinary.sha256()
    conditions = JobHistory.RunConditions(bootID: BootID.current, agentSHA256: digest)
    guard history.started != nil else {
      let started = Started(
        job: manifest.id, agentVersion: Version.current, agentSHA256: digest, pid: getpid(),
        importName: manifest.target.importName, budgetSeconds: manifest.stopping?.budgetSeconds,
        bootID: conditions.bootID, package: manifest.target.package, headline: manifest.stopping?.headline,
        deltas: manifest.stopping?.deltas,
        hasCopyArm: manifest.hasCopyArm ? true : nil)
      return try journal.emit(.started(started))
    }
    // Without the boot's name on both sides nobody knows that the machine stayed up.
    let stayedUp = conditions.bootID != nil && history.conditions.bootID == conditions.bootID
    hasTrouble = history.hasTrouble
    try journal.emit(
      .resumed(
        Resumed(
          reason: stayedUp ? .runnerKilled : .rebooted, attempt: history.attempts + 1, bootID: conditions.bootID,
          agentSHA256: digest)))
  }

  private var host: HostInfo {
    HostReader(environment: environment.merging(["PATH": SetupTools.path(environment, home: home)]) { $1 }).witness()
  }

  private func measureAll() throws -> (Finished.Outcome, Problem?) {
    deadline = MonotonicClock.seconds + manifest.limits.totalSeconds
    try journal.emit(.host(host))
    var builder = SideBuilder(manifest: manifest, home: home, environment: environment, sink: watched)
    builder.gather(manifest.python.versions, environment: login)
    try confine()
    var lastFailure: Problem?
    var measured = 0
    var budget = Budget(manifest)
    for python in manifest.python.versions {
      budget.beginInterpreter()
      if let past = history.complete(python, layers: LayerList.make(from: manifest.layers).map { type(of: $0).name }) {
        budget.endInterpreter(questions(of: past), seconds: past.secondsSpent)
        hasTrouble = hasTrouble || past.hasTrouble
        measured += 1
        continue
      }
      do {
        let past = try takeUp(python) {
          try builder.prepare(python: python, withCopy: manifest.hasCopyArm)
        }
        try measure(python, past.prepared, past: past.past, budget: &budget)
        measured += 1
      } catch {
        if let full = StorageFailure(full: error, at: home.path) { throw full }
        try stopIfCancelled()
        let problem = Problem(error, at: home.path)
        lastFailure = problem
        if manifest.python.versions.count > 1 { try trouble(Trouble(python: python, problem: problem)) }
      }
    }
    try journal.emit(.host(host))
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
    try journal.emit(.phase(Phase(text: try Confinement(login).enter(places))))
  }

  /// Prepares an interpreter's sides, and says what is kept of what was measured with it before.
  private func takeUp(
    _ python: String, _ prepare: () throws -> SideBuilder.Prepared
  ) throws -> (prepared: SideBuilder.Prepared, past: JobHistory.Past?) {
    guard let past = history.interpreters[python] else { return (try prepare(), nil) }
    do {
      let prepared = try prepare()
      let reason = past.reasonAgainst(conditions, ready.filter { $0.python == python })
      try journal.emit(.continued(Continued(python: python, keepsBlocks: reason == nil, why: reason)))
      return (prepared, reason == nil ? past : nil)
    } catch {
      // What was measured stands as it is, and nothing is added to it.
      try journal.emit(.continued(Continued(python: python, keepsBlocks: true)))
      throw error
    }
  }

  /// What the metrics of an interpreter that was finished before brought, those without any value included.
  private func questions(of past: JobHistory.Past) -> [Question] {
    let tally = SampleAccumulator(journal, stopping: manifest.stopping, hasCopyArm: manifest.hasCopyArm)
    tally.restore(past.blocks)
    let questions = tally.metrics.map { tally.question($0) }
    let missing = (past.blocks.compactMap(\.finished.of).max() ?? 0) - questions.count
    return questions + [Question](repeating: Question(.blocks([])), count: max(0, missing))
  }

  private func measure(
    _ python: String, _ prepared: SideBuilder.Prepared, past: JobHistory.Past?, budget: inout Budget
  ) throws {
    let scratch = "\(folder.scratch)/\(python.filter { $0.isLetter || $0.isNumber || $0 == "." })"
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    defer { _ = try? FileManager.default.removeItem(atPath: scratch) }  // the job's whole scratch goes at its end
    let context = LayerContext(
      sink: watched, python: python, sides: prepared.sides.map(withSecrets), copy: prepared.copy.map(withSecrets),
      target: manifest.target,
      scratch: scratch, home: home, agent: Executable.own, secrets: secrets,
      setupSeconds: manifest.limits.setupSeconds, environment: environment, seed: manifest.seed,
      profiles: manifest.profiles ?? .always,
      checkpoint: { [unowned self] in try self.checkpoint() })
    do { try HarnessSettings.general(context) } catch {
      if let full = StorageFailure(full: error, at: home.path) { throw full }
      try trouble(Trouble(python: python, problem: Problem(error, at: home.path)))
    }
    let schedule = Schedule(
      LayerList.make(from: manifest.layers), in: context, stopping: budget.rule, budgetSeconds: budget.share,
      setsAsideDisturbed: manifest.setsAsideDisturbed ?? true, past: (past?.blocks ?? [], past?.secondsSpent ?? 0)
    ) { layer, error in
      if let full = StorageFailure(full: error, at: self.home.path) { throw full }
      try self.trouble(Trouble(layer: layer, python: python, problem: Problem(error, at: self.home.path)))
    }
    defer { budget.endInterpreter(schedule.questions, seconds: schedule.secondsSpent) }
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

  /// The journal, noting trouble that a layer or a side reports on the way, and what became ready. After a cancel no
  /// trouble is taken: a command that the cancel killed is not broken.
  private var watched: any EventSink {
    EventWatch(journal) { [unowned self] event in
      switch event {
      case .trouble:
        try self.stopIfCancelled()
        self.hasTrouble = true
      case .skipped: try self.stopIfCancelled()
      case .sideReady(let side): self.ready.append(side)
      default: break
      }
    }
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

extension JobManifest {
  /// Whether the base is measured a second time: in a comparison with a layer that may have so many blocks that one of them has it.
  fileprivate var hasCopyArm: Bool {
    sides.count == 2 && LayerList.make(from: layers).contains { $0.blocks >= type(of: $0).copyEvery }
  }
}

/// Passes events on and shows them to somebody first.
private final class EventWatch: EventSink {
  private let next: any EventSink
  private let saw: (JobEvent) throws -> Void

  /// - Parameter saw: what it throws keeps the event back.
  init(_ next: any EventSink, saw: @escaping (JobEvent) throws -> Void) {
    self.next = next
    self.saw = saw
  }

  func emit(_ event: JobEvent) throws {
    try saw(event)
    try next.emit(event)
  }
}
