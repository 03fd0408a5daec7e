import FoundationEssentials
import Shared

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
  /// Without ``secrets``: what is built or measured must not find them.
  let environment: [String: String]
  private let secrets: [String: String]
  let journal: JournalWriter
  private var hasTrouble = false
  private var deadline = Double.infinity

  init(
    manifest: JobManifest, folder: JobFolder, home: AgentHome, environment: [String: String], journal: JournalWriter
  ) {
    self.manifest = manifest
    self.folder = folder
    self.home = home
    secrets = Secrets.take(from: environment)
    self.environment = environment.filter { !Secrets.names.contains($0.key) }
    self.journal = journal
  }

  /// Does everything and never throws: how it ended is the result.
  func perform() -> (outcome: Finished.Outcome, problem: Problem?) {
    do {
      try announce()
      let lock = try MachineLock.acquire(
        environment, job: manifest.id, owner: manifest.owner, limitSeconds: manifest.limits.queueSeconds
      ) { holder in try journal.emit(.queued(Queued(holder: holder))) }
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
      importName: manifest.target.importName)
    try journal.emit(.started(started))
  }

  private func measureAll() throws -> (Finished.Outcome, Problem?) {
    deadline = MonotonicClock.seconds + manifest.limits.totalSeconds
    try journal.emit(.host(HostReader(environment: environment).witness()))
    var builder = SideBuilder(manifest: manifest, home: home, environment: environment, sink: watched)
    var lastFailure: Problem?
    var measured = 0
    for python in manifest.python.versions {
      do {
        let sides = try builder.prepare(python: python)
        try runLayers(python, sides)
        measured += 1
      } catch let error as StorageFailure { throw error } catch {
        try stopIfCancelled()
        let problem = problem(of: error)
        lastFailure = problem
        if manifest.python.versions.count > 1 { try trouble(Trouble(python: python, problem: problem)) }
      }
    }
    if measured == 0, let lastFailure { return (.failed, lastFailure) }
    return (hasTrouble ? .partial : .done, nil)
  }

  private func runLayers(_ python: String, _ sides: [SideEnvironment]) throws {
    for layer in LayerList.make(from: manifest.layers) {
      let name = type(of: layer).name
      do { try run(layer, python, sides) } catch let error as StorageFailure { throw error } catch {
        try stopIfCancelled()
        try trouble(Trouble(layer: name, python: python, problem: problem(of: error)))
      }
    }
  }

  private func run(_ layer: any Layer, _ python: String, _ sides: [SideEnvironment]) throws {
    var layer = layer
    let name = type(of: layer).name
    let started = MonotonicClock.seconds
    let scratch = "\(folder.scratch)/\(name.rawValue)-\(python.filter { $0.isLetter || $0.isNumber || $0 == "." })"
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    defer { _ = try? FileManager.default.removeItem(atPath: scratch) }  // the job's whole scratch goes at its end
    let context = LayerContext(
      sink: watched, python: python, sides: sides, target: manifest.target, scratch: scratch,
      home: home, agent: Executable.own, secrets: secrets,
      setupSeconds: manifest.limits.setupSeconds, environment: environment)
    try journal.emit(
      .layerStarted(
        LayerStarted(layer: name, python: python, plannedSamples: layer.plannedSamples(sides: sides.count))))
    try layer.prepare(in: context)
    var order = BlockOrder(seed: manifest.seed, layer: name, python: python, sides: sides.map(\.side))
    for number in 0..<layer.blocks {
      try stopIfCancelled()
      guard MonotonicClock.seconds < deadline else {
        throw Problem(
          what: "the job passed its time limit after \(number) of \(layer.blocks) blocks",
          why: "limits.total is \(Int(manifest.limits.totalSeconds)) s",
          fix: "measure fewer layers or blocks, or raise limits.total", exitStatus: .partial)
      }
      try layer.measure(order.block(number), in: context)
    }
    try stopIfCancelled()
    try layer.summarise(in: context)
    try journal.emit(
      .layerFinished(LayerFinished(layer: name, python: python, seconds: MonotonicClock.seconds - started)))
    journal.sync()
  }

  private func stopIfCancelled() throws {
    if CancelFlag.isSet { throw JobCancelled() }
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
