import Shared
import Synchronization

/// Waits until the VM has set itself up, asking inside through Azure: nobody is let in over the network yet.
struct FirstBoot: Sendable {
  var client: AzureClient
  var note: @Sendable (String) -> Void

  /// One look takes half a minute in Azure as it is.
  private var limit: Duration { client.settings.setupLimit }
  private static let lookEvery = Duration.seconds(5)
  /// Repeats the steps on a VM that has had its first boot. It keeps its own log, and how it ended is read from its files.
  private var again: String {
    client.settings.watchdog.script + "/usr/local/lib/cf-bench/provision >/dev/null 2>&1 || true\n"
  }

  /// - Parameters:
  ///   - repeats: runs the steps again before the first look.
  ///   - mayRepeat: runs them again, once, when they had failed in an earlier boot.
  /// - Returns: the host key.
  func finish(repeats: Bool, mayRepeat: Bool) async throws -> String {
    let last = OutputTail()
    do {
      return try await withLimit(limit, waitingFor: "the VM's first boot to end", clock: client.cli.clock) {
        try await look(repeats: repeats, mayRepeat: mayRepeat, last)
      }
    } catch is LimitPassed {
      throw GuestFailure(vm: client.vm, step: "cloud-init", words: "not done after \(limit.words): \(last.text)")
    }
  }

  private func look(repeats: Bool, mayRepeat: Bool, _ last: OutputTail) async throws -> String {
    var (repeats, mayRepeat) = (repeats, mayRepeat && !repeats)
    while true {
      if repeats { note("running the steps inside again") }
      let verdict = try await ask(repeats ? again : "")
      repeats = false
      switch verdict.state {
      case .ready:
        if let key = verdict.hostKey { return key }
        last.text = "it is set up, but has no host key yet"
      case .failed(let step, let words):
        guard mayRepeat else { throw GuestFailure(vm: client.vm, step: step, words: words) }
        note("the step '\(step)' had failed: \(words)")
        (repeats, mayRepeat) = (true, false)
        continue
      case .busy(let words):
        last.text = "cloud-init says '\(words)'"
        note("the VM sets itself up (cloud-init: \(words))")
      }
      try await client.cli.clock.sleep(for: Self.lookEvery)
    }
  }

  /// One run-command goes at a time, and none before Azure's agent is up inside.
  private func ask(_ before: String) async throws -> GuestVerdict {
    try await client.retry(for: limit, note: note).with {
      GuestVerdict(output: try await client.runInside(before + GuestVerdict.script, limit: limit))
    } isPassing: {
      $0.isTransient || $0.code == "OperationNotAllowed"
    }
  }
}

/// What was seen last, for the words of a limit that passed.
private final class OutputTail: Sendable {
  private let value = Mutex("it has not answered")
  var text: String {
    get { value.withLock { $0 } }
    set { value.withLock { $0 = newValue } }
  }
}
