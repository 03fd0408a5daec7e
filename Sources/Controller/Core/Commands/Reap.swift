import ArgumentParser
import Azure
import Shared

struct Reap: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stops VMs whose leases are all over; made for a schedule.",
    discussion: """
      Finishes what killed commands of this machine left behind, then stops every VM of the resource group whose \
      leases are all over, and closes ports that were left open. Running it twice does nothing more.

      EXAMPLES
        cf-bench reap
        cf-bench reap --all --json
      """)

  @Flag(help: "Check all VMs of the subscription, not only those of the resource group.") var all = false
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    try await CommandContext(settings, output: output.value).reap(.all(ofSubscription: all))
  }
}

/// Which VMs are looked at.
enum ReapedMachines {
  /// What commands of this machine left, and nothing else.
  case own
  case all(ofSubscription: Bool)
}

extension CommandContext {
  func reap(_ machines: ReapedMachines) async throws -> ExitStatus {
    let progress = makeProgress()
    let machine = machine
    let reaper = Reaper(client: machine.azureClient, note: { progress.step($0) })
    let group = machine.settings.azure.group
    let findings = try await withTicks(progress) {
      let own = try await reaper.settleIntents()
      guard case .all(let isWhole) = machines else { return own }
      return own + (try await reaper.reapLeases(group: isWhole ? nil : group))
    }
    progress.finish("done")
    let lines = findings.map { "\($0.vm)  \($0.kind) of \($0.owner) (\($0.run)): \($0.result)" }
    try output.tell(
      ReapedDocument(findings: findings), lines.isEmpty ? "nothing was left behind" : lines.joined(separator: "\n"))
    return findings.contains(where: \.isFailure) ? .infrastructure : .done
  }
}

/// What `reap --json` prints.
struct ReapedDocument: Encodable {
  var schema = 1
  var findings: [Reaper.Finding]
}
