import FoundationEssentials
import Shared

extension AzureCheck {
  /// Who wants the VM, and claims whose end has passed.
  static let lease = AzureCheck("azure.lease", needs: ["azure.vm"]) { facts in
    let view = try facts.view
    let board = view.board
    let unreadable = view.tags.filter { $0.key.hasPrefix(Lease.prefix) && Lease(tag: $0.key, value: $0.value) == nil }
    if let tag = unreadable.sorted(by: { $0.key < $1.key }).first {
      return .warning(
        "the tag \(tag.key) can't be read as a lease: \(tag.value)",
        fix: facts.client.cli.line([
          "tag", "update", "--operation", "delete", "--resource-id", view.id, "--tags", "\(tag.key)=\(tag.value)",
        ]))
    }
    let overdue = board.overdue()
    if let lease = overdue.first {
      return .warning(
        "\(overdue.count) over: \(lease.owner)'s since \(TagMoment.text(lease.until)) (\(lease.run))",
        fix: "cf-bench reap")
    }
    let held = board.leases.map { "\($0.owner) until \(TagMoment.text($0.until)) (\($0.run))" }
    var words = held.isEmpty ? "nobody has one" : "held by " + held.joined(separator: ", ")
    if let stopping = board.stopping {
      words +=
        stopping.until > .now ? "; \(stopping.run) is stopping the VM" : "; \(stopping.run) gave up stopping the VM"
    }
    guard held.isEmpty, view.power == .running else { return .ok(words) }
    return .warning("\(words), and the VM is on: only its watchdog will stop it", fix: "cf-bench stop")
  }

  /// Commands of this machine that died before they had given the VM back.
  static let intents = AzureCheck("azure.intents") { facts in
    var unreadable: [String] = []
    // Their locks are let go as soon as they have been looked at.
    let abandoned = OpenIntent.abandoned(in: facts.client.state) { unreadable.append($0) }.map(\.intent)
    if let file = unreadable.first {
      return .warning("\(file) can't be read", fix: "see 'cf-bench status', then: rm \(ShellWord.quoted(file))")
    }
    guard let first = abandoned.first else {
      let open = Intent.openRuns(in: facts.client.state)
      return .ok(open.isEmpty ? "none is open" : "at work now: \(open.joined(separator: ", "))")
    }
    return .warning(
      "\(abandoned.count) left by dead commands: \(first.run) had \(first.machine) (\(first.phase.rawValue) since "
        + "\(first.since))", fix: "cf-bench reap")
  }
}

extension Intent {
  fileprivate static func openRuns(in state: StateFolder) -> [String] { OpenIntent.all(in: state).map(\.run) }
}
