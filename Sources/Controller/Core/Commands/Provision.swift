import ArgumentParser
import Azure
import Foundation
import Shared

struct Provision: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Creates the VM in Azure and everything that belongs to it; safe to repeat.",
    discussion: """
      Creates a resource group, a closed network, a public address, the VM, and the VM's right to stop itself. \
      Then sets the VM up (about ten minutes), learns its host key through Azure, copies scripts and programs to \
      it, and stops it.

      EXAMPLES
        cf-bench provision --dry-run
        cf-bench provision
        cf-bench provision --refresh
      """)

  @Flag(help: "Print the calls of az, and make none that changes anything.") var dryRun = false
  @Flag(help: "Start an existing VM, repeat its setup and copy the programs again.") var refresh = false
  @Option(help: ArgumentHelp("Use this cloud-init file in place of the built-in one.", valueName: "file"))
  var cloudInit: String?
  @OptionGroup(title: "Machine") var login: LoginOptions
  @OptionGroup(title: "Machine") var keep: KeepOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let context = try CommandContext(login, keep, settings, output: output.value)
    let progress = context.makeProgress()
    let setup = VMSetup(access: context.machine, note: { progress.step($0) })
    let (file, refreshes, isDry) = (cloudInit, refresh, dryRun)
    let result = try await context.withTicks(progress) {
      isDry
        ? try await setup.dryRun(cloudInit: file, refreshes) : try await setup.provision(cloudInit: file, refreshes)
    }
    progress.finish(isDry ? "nothing was changed" : "the VM is \(result.outcome ?? "as it was")")
    try output.tell(result, result.words)
    return .done
  }
}

/// What `provision --json` prints.
struct ProvisionedDocument: Encodable {
  var schema = 1
  var vm: String
  /// Calls of az, for a dry run.
  var calls: [String]?
  /// What was made; empty when all was there.
  var made: [String]
  var hostKey: String?
  /// What the VM is now, if it had to be on: `deallocated`, `left on for …`.
  var outcome: String?
  /// Checks on the VM that are not well.
  var findings: [DoctorCheck] = []
  /// For a dry run.
  var price: String?

  var words: String {
    if let calls { return calls.joined(separator: "\n") }
    var list = made.isEmpty ? ["everything was there already"] : made.map { "made \($0)" }
    if let outcome { list.append("the VM is \(outcome)") }
    list += findings.map { "\($0.id): \($0.detail)\($0.fix.map { "; fix: \($0)" } ?? "")" }
    return (list + ["", "next: cf-bench compare BASE HEAD, or cf-bench doctor"]).joined(separator: "\n")
  }
}
