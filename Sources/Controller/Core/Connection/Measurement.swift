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

  /// What a job needs of a VM beyond its own limits: sending files, preparing, saying goodbye.
  static let leaseMargin = Duration.seconds(1800)

  /// Measures and returns how the job ended; all events are in the file that `store` opens once the job is accepted, so
  /// that a machine that can't be reached leaves no empty folder.
  func run(
    _ revisions: [(Side, NamedRevision)], store: @escaping (JobManifest) throws -> EventStore
  ) async throws -> (ended: Ended, use: MachineUseRecord?) {
    let agent = try AgentBinary.find(environment: machine.environment)
    return try await withTemporaryFolder { scratch in
      let preparation = SidePreparation(repository: try repository(for: revisions), scratch: scratch)
      var prepared: [PreparedSide] = []
      for (side, revision) in revisions { prepared.append(try await preparation.prepare(side, revision)) }
      var layers = layers
      var uploads = prepared.compactMap(\.upload)
      if let codeflashLayers {
        var project: Upload?
        if let folder = codeflashLayers.project { project = try await FolderArchive(scratch: scratch).make(of: folder) }
        codeflashLayers.add(to: &layers, project: project?.id)
        uploads += [project].compactMap(\.self)
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
  private func repository(for revisions: [(Side, NamedRevision)]) throws -> String {
    for (_, revision) in revisions {
      switch try RevisionArgument(revision.text) {
      case .gitRef, .mergeBase: return try settings.requiredRepository().text
      case .release, .folder: continue
      }
    }
    return settings.targetRepository?.text ?? ""
  }

  private func measure(
    _ manifest: JobManifest, uploads: [Upload], on address: MachineAddress, agent: AgentBinary,
    store open: @escaping (JobManifest) throws -> EventStore
  ) async throws -> Ended {
    let secrets = JobSecrets.values(manifest.secrets ?? [], environment: machine.environment)
    let steps = JobConnection.Steps(
      prepare: { session in
        try await ToolSupply(manifest, environment: machine.environment).supply(session) { progress.step($0) }
        try await send(uploads, in: session)
      },
      submit: SubmitRequest(manifest: manifest, secrets: secrets, supersede: settings.supersede ? true : nil),
      secrets: secrets,
      open: { _ in try open(manifest) })
    return try await machine.follow(manifest.id, on: address, agent: agent, steps, progress: progress)
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
      try await AgentDelivery.send(upload, in: session)
    }
  }
}

extension MachineAccess {
  /// Follows a job of this machine to its end; see ``JobConnection``.
  func follow(
    _ job: JobID, on address: MachineAddress, agent: AgentBinary, _ steps: JobConnection.Steps,
    progress: TerminalProgress
  ) async throws -> Ended {
    let target = JobConnection.Target(
      job: job, machine: address, agent: agent, flags: flags, reconnect: reconnect, cancelLimit: cancelLimit)
    do { return try await JobConnection(target, steps, progress: progress).run() } catch is CancelUnsure
      where choice == .azure
    {
      throw CancellationError()  // the VM is stopped next, and the job with it
    }
  }

  var reconnect: Reconnect {
    // Trials can't wait as long as people can; see ``ProgramVariable``.
    let pace = environment["CF_BENCH_LINE_PACE"].flatMap { Double($0) }.map { min(max($0, 0.001), 1) }
    return Reconnect(limit: settings.reconnectFor, pace: pace ?? 1)
  }

  /// How long a cancelled job may take to end. A VM is stopped in any case, and the request has to be out within five seconds
  /// of the cancel; GitHub kills ten seconds after it, and a report has to be written by then.
  private var cancelLimit: Duration {
    if choice == .azure { return .seconds(2) }
    return environment["GITHUB_ACTIONS"] == "true" ? .seconds(5) : .seconds(30)
  }
}

/// Has an empty folder of this run's own for the length of `body`.
package func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  try await withScratchFolder("run", body)
}
