import ArgumentParser
import Azure
import Foundation
import Shared

struct Start: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Starts the VM and leaves it on for a while, for several measurements.",
    discussion: """
      The VM stops by itself when the time is over: it carries a lease, which its watchdog and 'cf-bench reap' \
      read. 'compare' and 'run' start the VM themselves; with --keep-running they leave it on.

      EXAMPLES
        cf-bench start
        cf-bench start --for 90 --json
      """)

  @Option(name: .customLong("for"), help: ArgumentHelp("How long the VM stays on.", valueName: "minutes"))
  var minutes = "60"
  @OptionGroup(title: "Machine") var login: LoginOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let context = try CommandContext(login, settings, output: output.value)
    let time = try KeepOptions.time(minutes, flag: "--for")
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
    let until = TagMoment.text(held.startedAt + time / .seconds(1))
    try output.tell(
      StartedDocument(
        vm: machine.settings.azure.machine.description, address: held.address, until: until, wasOn: held.wasOn),
      "\(login) is on until \(until); 'cf-bench stop' ends it earlier")
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
