import ArgumentParser
import Azure
import Foundation
import Shared

struct Deprovision: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Deletes the VM and everything that 'provision' created, after asking.",
    discussion: """
      EXAMPLES
        cf-bench deprovision --dry-run
        cf-bench deprovision
        cf-bench deprovision --yes
      """)

  @Flag(help: "Print the calls of az that would be made.") var dryRun = false
  @Flag(help: "Don't ask.") var yes = false
  @Flag(help: "Delete it even while others use it.") var force = false
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let context = try CommandContext(settings, output: output.value)
    let progress = context.makeProgress()
    let access = context.machine
    let vm = access.settings.azure.machine
    let remover = Deprovisioner(
      client: access.azureClient, isForced: force, owner: ManifestBuilder.owner, note: { progress.step($0) })
    let isDry = dryRun
    let plan = try await context.withTicks(progress) {
      if !isDry { try await access.settle { progress.step($0) } }
      return try await remover.plan()
    }
    if dryRun {
      progress.finish("nothing was changed")
      return try tell(RemovedDocument(vm: vm.description, calls: plan.lines(access.azureClient.cli), removed: []))
    }
    if !plan.things.isEmpty, !yes { try ask(plan.things, vm) }
    try await context.withTicks(progress) { try await remover.carryOut(plan) }
    access.forgetKeys()
    progress.finish("done")
    return try tell(RemovedDocument(vm: vm.description, calls: nil, removed: plan.things))
  }

  private func tell(_ document: RemovedDocument) throws -> ExitStatus {
    try output.tell(document, document.words)
    return .done
  }

  private func ask(_ things: [String], _ vm: AzureVM) throws {
    let question = "This removes for good:\n  \(things.joined(separator: "\n  "))\nType \(vm.name) to go on: "
    let isTerminal = isatty(0) != 0
    StandardError.write(question)
    StandardError.live.flush()
    guard isTerminal, let answer = readLine(), answer.filter({ !$0.isWhitespace }) == vm.name else {
      throw Problem(
        what: "nothing was removed",
        why: isTerminal ? "the answer was not the VM's name" : "there is no terminal to ask on",
        fix: "use --yes to delete it without asking", exitStatus: .usage)
    }
  }
}

/// What `deprovision --json` prints.
struct RemovedDocument: Encodable {
  var schema = 1
  var vm: String
  var calls: [String]?
  var removed: [String]

  var words: String {
    if let calls { return calls.isEmpty ? "there is nothing to remove" : calls.joined(separator: "\n") }
    return removed.isEmpty ? "there was nothing to remove" : removed.map { "removed \($0)" }.joined(separator: "\n")
  }
}
