import ArgumentParser
import Azure
import Shared

struct Reap: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stops VMs that nobody answers for any more; made for a schedule.",
    discussion: """
      Finishes what killed commands of this machine left, then stops every VM of the resource group whose leases are all
      over, and closes ports that were left open. Doing it twice does nothing more.

      EXAMPLES
        cf-bench reap
        cf-bench reap --all --json
      """)

  @Flag(help: "Look at all VMs of the subscription, not only at those of the resource group.") var all = false
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    try await reap(alsoOthers: true)
  }

  /// What commands of this machine left, and nothing else.
  func settled() async throws -> ExitStatus { try await reap(alsoOthers: false) }

  private func reap(alsoOthers: Bool) async throws -> ExitStatus {
    let context = try CommandContext(settings, machine: machine, output: output)
    let progress = context.makeProgress()
    let machine = context.machine
    let reaper = Reaper(client: machine.azureClient, note: { progress.step($0) })
    let group = all ? nil : machine.settings.azure.group
    let findings = try await context.withTicks(progress) {
      let own = try await reaper.settleIntents()
      return alsoOthers ? own + (try await reaper.reapLeases(group: group)) : own
    }
    progress.finish("done")
    if output.json {
      try StandardOutput.write(json: ReapedDocument(findings: findings))
    } else if findings.isEmpty {
      StandardOutput.write("nothing was left behind")
    } else {
      for finding in findings {
        StandardOutput.write("\(finding.vm)  \(finding.kind) of \(finding.owner) (\(finding.run)): \(finding.result)")
      }
    }
    return findings.contains(where: \.isFailure) ? .infrastructure : .done
  }
}

/// What `reap --json` prints.
struct ReapedDocument: Encodable {
  var schema = 1
  var findings: [Reaper.Finding]
}
