import ArgumentParser
import Azure
import Shared

struct Stop: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Deallocates the VM, so that it costs nothing more, and checks that it is off.",
    discussion: """
      Your own leases, from 'start' or --keep-running, end with it. The VM stays on while others have a lease or \
      a job there, unless you say --force.

      EXAMPLES
        cf-bench stop
        cf-bench stop --force
      """)

  @Flag(help: "Stop it even while others use it.") var force = false
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let context = try CommandContext(settings, output: output.value)
    let progress = context.makeProgress()
    let machine = context.machine
    let stop = ManualStop(
      client: machine.azureClient, owner: ManifestBuilder.owner, isForced: force, note: { progress.step($0) })
    let outcome = try await context.withTicks(progress) {
      try await machine.settle { progress.step($0) }
      return try await stop.carryOut()
    }
    progress.finish("done")
    try output.tell(
      StoppedDocument(vm: machine.settings.azure.machine.description, outcome: outcome.words),
      "the VM \(machine.settings.azure.machine) is \(outcome.words)")
    if case .leftOn = outcome { return .partial }
    return .done
  }
}

/// What `stop --json` prints.
struct StoppedDocument: Encodable {
  var schema = 1
  var vm: String
  var outcome: String
}
