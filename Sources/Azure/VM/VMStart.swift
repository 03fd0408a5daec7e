import FoundationEssentials
import Shared

/// From a lease to a VM that answers: the start is asked for and not waited for, SSH is tried from the first second on, and
/// Azure's view is looked at beside it for failures that `--no-wait` hides.
struct VMStart: Sendable {
  var scope: MachineScope
  var view: VMView
  /// When the network rule ends.
  var until: Date

  private enum Progress: Sendable {
    case answered(String)
    case opened
  }

  private var client: AzureClient { scope.client }
  /// Each look is one `az`, most of a second of one core.
  private static let lookEvery = Duration.seconds(2)
  private static let knockEvery = Duration.milliseconds(500)

  /// - Returns: the address that answered.
  func reach() async throws -> String {
    let limit = client.settings.startLimit
    do {
      return try await withLimit(limit, waitingFor: "the VM \(client.vm) to answer", clock: client.cli.clock) {
        [self] in
        try await withThrowingTaskGroup(of: Progress.self) { group in
          group.addTask { try await bringUp() }
          group.addTask { .answered(try await knock()) }
          group.addTask {
            if let range = try await scope.rule.open(for: scope.request.run, until: until) {
              scope.hooks.note("port \(client.settings.sshPort) is open for \(range)")
            }
            return .opened
          }
          defer { group.cancelAll() }
          var (address, isOpen) = (String?.none, false)
          while let progress = try await group.next() {
            switch progress {
            case .answered(let text): address = text
            case .opened: isOpen = true
            }
            // A rule whose request is still under way could appear after it was closed again.
            if isOpen, let address { return address }
          }
          throw CancellationError()
        }
      }
    } catch is LimitPassed { throw StartTooLate(vm: client.vm, limit: limit, source: client.settings.allowFrom) }
  }

  /// Sees to it that the VM is on, and stays here to see that it remains so: somebody may stop it meanwhile.
  private func bringUp() async throws -> Progress {
    var hasAsked = false
    var seen = view
    while true {
      switch seen.power {
      case .running, .starting: break
      case .deallocating, .stopping: break  // a start now would be refused or preempt it: wait for its end
      case .deallocated, .stopped, .unknown:
        if let failure = seen.failure, hasAsked {
          try await goOn(after: failure)
          hasAsked = false
        }
        if !hasAsked {
          scope.hooks.note("starting the VM \(client.vm) (\(seen.size ?? "size unknown"), \(seen.location))")
          try await client.retry(for: client.settings.startLimit, note: scope.hooks.note).with {
            try await client.start()
          }
          hasAsked = true
        }
      }
      try await client.cli.clock.sleep(for: Self.lookEvery)
      let before = seen.power
      seen = try await client.retry(for: client.settings.startLimit, note: scope.hooks.note).with {
        try await client.view()
      }
      // It was on and is not any more: our start was overtaken by somebody's stop.
      if before == .running, seen.power != .running { hasAsked = false }
    }
  }

  /// A lack of room may pass: waits and lets the caller ask again. Anything else ends the start.
  private func goOn(after failure: AzureError) async throws {
    guard failure.isLackOfRoom || failure.isTransient, client.settings.startLimit > Self.roomPause else {
      throw failure
    }
    scope.hooks.note(
      "\(failure.what): trying again in \(Self.roomPause.words), for \(client.settings.startLimit.words) at most")
    try await client.cli.clock.sleep(for: Self.roomPause)
  }

  private static let roomPause = Duration.seconds(30)

  private func knock() async throws -> String {
    var address: String?
    while true {
      if address == nil { address = try await knownAddress() }
      if let address, try await scope.hooks.answers(address, view) { return address }
      try await client.cli.clock.sleep(for: Self.knockEvery)
    }
  }

  /// `nil` for one that Azure gives only to a VM that is on.
  private func knownAddress() async throws -> String? {
    do {
      return try await client.retry(for: .seconds(60), note: scope.hooks.note).with { try await client.address() }
    } catch is Problem { return nil }
  }
}

/// The VM was asked to start and did not answer in time.
struct StartTooLate: UserFacingError {
  var vm: AzureVM
  var limit: Duration
  var source: SourceRange
  var what: String { "the VM \(vm) did not answer over SSH within \(limit.words)" }
  var why: String? {
    source == .asItIs ? "azure.allow-from is none: no rule was opened for this machine" : nil
  }
  var fix: String {
    """
    'cf-bench doctor' checks the chain. If this machine reaches Azure and the VM from different addresses (a proxy, a VPN), \
    name the one that the VM sees: --set azure.allow-from=ADDRESS
    """
  }
  var exitStatus: ExitStatus { .infrastructure }
}
