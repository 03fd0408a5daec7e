import Azure
import Foundation
import Shared

/// One measurement from plan to stored events: prepares the sides, has the machine, submits, follows, and gives it back.
struct Measurement {
  var settings: Settings
  var machine: MachineAccess
  var python: PythonPlan
  var layers: LayerPlans
  var codeflashLayers: CodeflashLayers?
  var progress: TerminalProgress

  /// A VM is stopped in any case, and the request has to be out within five seconds of the cancel.
  private static let lastWordsOfVM = Duration.seconds(2)

  /// What a job needs of a VM beyond its own limits: sending files, preparing, saying goodbye.
  private static let leaseMargin = Duration.seconds(1800)

  /// How many times a broken line is mended before giving up.
  private static let pauses: [Duration] = [.milliseconds(500), .seconds(1), .seconds(2), .seconds(5), .seconds(10)]

  /// Measures and returns how the job ended; all events are in the file that `store` opens once the job is accepted, so
  /// that a machine that can't be reached leaves no empty folder.
  func run(
    _ revisions: [(Side, String)], store: (JobManifest) throws -> EventStore
  ) async throws -> (ended: Ended, use: MachineUseRecord?) {
    let agent = try AgentBinary.find(environment: machine.environment)
    return try await withTemporaryFolder { scratch in
      let preparation = SidePreparation(repository: try repository(for: revisions), scratch: scratch)
      var prepared: [PreparedSide] = []
      for (side, text) in revisions { prepared.append(try await preparation.prepare(side, text)) }
      var layers = layers
      var uploads = prepared.compactMap(\.upload)
      if let codeflashLayers {
        let project = try await FolderArchive(scratch: scratch).make(of: codeflashLayers.project)
        codeflashLayers.add(to: &layers, project: project.id)
        uploads.append(project)
      }
      let manifest = ManifestBuilder.build(
        settings: settings, layers: layers, sides: prepared.map(\.plan), python: python,
        seed: UInt64.random(in: 0...UInt64(Int64.max)))
      progress.step(machine.choice.beginning)
      let limits = manifest.limits
      let claim = MachineAccess.Claim(
        run: manifest.id.text, owner: manifest.owner,
        lease: .seconds(limits.queueSeconds + limits.totalSeconds) + Self.leaseMargin,
        expected: settings.budget + SpendingLimit.allowance)
      let (ended, use) = try await machine.with(claim, note: { [progress] in progress.step($0) }) { address in
        try await measure(manifest, uploads: uploads.uniqued(), on: address, agent: agent, store: store)
      }
      return (ended, use)
    }
  }

  /// Where git refs are looked up; only a ref needs a repository.
  private func repository(for revisions: [(Side, String)]) throws -> String {
    for (_, text) in revisions {
      if case .gitRef = try RevisionArgument(text) { return try settings.requiredRepository().text }
    }
    return settings.targetRepository?.text ?? ""
  }

  private func measure(
    _ manifest: JobManifest, uploads: [Upload], on address: MachineAddress, agent: AgentBinary,
    store open: (JobManifest) throws -> EventStore
  ) async throws -> Ended {
    var pauses = Self.pauses[...]
    var store: EventStore?
    while true {
      do {
        return try await withAgentSession(address, agent: agent, note: progress.step) { session, _ in
          try await send(uploads, in: session)
          let submit = AgentRequest.submit(
            SubmitRequest(manifest: manifest, secrets: JobSecrets.values(of: manifest, environment: machine.environment)))
          _ = try await session.answer(to: submit, within: .seconds(30), waitingFor: "the job to be accepted")
          let opened = try store ?? open(manifest)
          store = opened
          let follower = JobFollower(job: manifest.id, store: opened) { progress.handle($0.event) }
          do { return try await follower.follow(in: session) } catch is CancellationError {
            return try await cancel(manifest.id, follower, on: address, agent: agent)
          }
        }
      } catch let error as any UserFacingError where store != nil && error.exitStatus == .infrastructure {
        // The job goes on without us: only the line is gone. What is on this disk stays, the rest is asked for again.
        guard let pause = pauses.popFirst() else { throw error }
        progress.step("the line broke (\(error.why ?? error.what)); trying again")
        try await Task.sleep(for: pause)
      }
    }
  }

  private func send(_ uploads: [Upload], in session: AgentSession) async throws {
    guard !uploads.isEmpty else { return }
    let request = AgentRequest.uploads(UploadsRequest(uploads: uploads.map(\.id)))
    guard
      case .uploads(let reply) = try await session.answer(
        to: request, within: .seconds(30), waitingFor: "the list of missing files")
    else { throw ConnectionEnded(machine: session.machine, during: "the list of missing files") }
    for upload in uploads where reply.missing.contains(upload.id) {
      progress.step("sending \(Numbers.bytes(upload.bytes)) to \(session.machine)")
      try await AgentDelivery.send(upload, over: session.connection, to: session.machine)
    }
  }

  /// Ends the job at the far end after this task was cancelled; a task of its own, since a cancelled one can't wait.
  private func cancel(
    _ job: JobID, _ follower: JobFollower, on address: MachineAddress, agent: AgentBinary
  ) async throws -> Ended {
    // The caller only waits for the task below, so the store has one user at any time.
    nonisolated(unsafe) let quiet = JobFollower(job: job, store: follower.store, progress: nil)
    return try await Task { [machine] in
      try await withLimit(machine.choice == .azure ? Self.lastWordsOfVM : .seconds(60), waitingFor: "the job's end") {
        try await withAgentSession(address, agent: agent, note: { _ in }) { session, _ in
          _ = try await session.answer(
            to: .cancel(CancelRequest(job: job)), within: .seconds(15), waitingFor: "the job's end")
          return try await quiet.follow(in: session)
        }
      }
    }.value
  }
}

/// Has an empty folder of this run's own for the length of `body`.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "cf-bench-\(UUID().uuidString)")
  try FileManager.default.createDirectory(
    at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  // A left-over in the system's temporary folder harms nobody.
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder.path)
}
