import ArgumentParser
import Azure
import Foundation
import Shared

struct Start: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Starts the VM and leaves it on for a while, for people who measure several times.",
    discussion: """
      The VM stops by itself when the time is over: it carries a lease, which its own watchdog and 'cf-bench reap' read.
      'compare' and 'run' start it by themselves; with --keep-running they leave it on.

      EXAMPLES
        cf-bench start
        cf-bench start --for 90 --json
      """)

  @Option(name: .customLong("for"), help: ArgumentHelp("How long it stays on.", valueName: "minutes"))
  var minutes = "60"
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let context = try CommandContext(settings, machine: machine, output: output)
    let time = Duration.seconds(try CommandContext.minutes(minutes) * 60)
    let progress = context.makeProgress()
    let machine = context.machine
    let claim = MachineAccess.Claim(run: "start-\(Timestamp.folder())", owner: ManifestBuilder.owner, lease: time)
    let held = try await context.withTicks(progress) {
      try await machine.settle { progress.step($0) }
      await machine.refreshPricesForLimit()
      return try await machine.azureScope(claim, kind: .keep) { progress.step($0) }.start()
    }
    let login = "\(machine.settings.azure.user)@\(held.address)"
    progress.finish("the VM is on for \(time.words)")
    if output.json {
      try StandardOutput.write(
        json: StartedDocument(
          vm: machine.settings.azure.machine.description, address: held.address,
          until: TagMoment.text(held.startedAt + time / .seconds(1)), wasOn: held.wasOn))
    } else {
      StandardOutput.write(
        "\(login) is on until \(TagMoment.text(held.startedAt + time / .seconds(1))); 'cf-bench stop' ends it earlier")
    }
    return .done
  }
}

/// What `start --json` prints.
struct StartedDocument: Encodable {
  var schema = 1
  var vm: String
  var address: String
  var until: String
  var wasOn: Bool
}
