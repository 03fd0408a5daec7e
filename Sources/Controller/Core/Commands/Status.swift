import ArgumentParser
import Azure
import Foundation
import Shared

struct Status: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows whether the VM is on, who uses it, and until when.",
    discussion: """
      EXAMPLES
        cf-bench status
        cf-bench status --json
      """)

  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  mutating func perform() async throws -> ExitStatus {
    let context = try CommandContext(settings, output: output.value)
    let progress = context.makeProgress()
    let machine = context.machine
    let document = try await context.withTicks(progress) {
      try await machine.settle { progress.step($0) }
      let client = machine.azureClient
      let view = try await client.view()
      return StatusDocument(
        view, vm: client.vm, rules: try await machine.openRules(), intents: OpenIntent.all(in: machine.state))
    }
    progress.finish("")
    try output.tell(document, document.words)
    return .done
  }
}

/// What `status --json` prints.
struct StatusDocument: Encodable {
  struct Claim: Encodable {
    var run: String
    var owner: String
    var until: String
    var kind: String
    var isOver: Bool
  }

  var schema = 1
  var vm: String
  var power: String
  var size: String?
  var location: String
  /// Whether it costs money now.
  var isBilled: Bool
  var leases: [Claim]
  /// Names of our network rules that are open.
  var rules: [String]
  /// Commands of this machine that have or want it.
  var intents: [String]

  init(_ view: VMView, vm: AzureVM, rules: [String], intents: [Intent]) {
    self.vm = vm.description
    power = view.power.rawValue
    size = view.size
    location = view.location
    isBilled = view.power.isBilled
    leases = view.board.leases.map {
      Claim(
        run: $0.run, owner: $0.owner, until: TagMoment.text($0.until), kind: $0.kind.rawValue, isOver: $0.isOver())
    }
    self.rules = rules
    self.intents = intents.filter { $0.machine == vm }.map { "\($0.run) (\($0.words))" }
  }

  var words: String {
    var lines = ["\(vm) is \(power)\(size.map { ", \($0)" } ?? "") in \(location)"]
    if isBilled, power != VMView.Power.running.rawValue { lines.append("it costs money: only 'deallocated' does not") }
    for lease in leases {
      let use = lease.kind == Lease.Kind.keep.rawValue ? "kept on for" : "used by"
      lines.append("  \(use) \(lease.owner) until \(lease.until)\(lease.isOver ? " (over)" : "") – \(lease.run)")
    }
    if leases.isEmpty, isBilled {
      lines.append("  nobody has a lease: its watchdog stops it once it is idle, 'cf-bench stop' does now")
    }
    for rule in rules { lines.append("  port open: \(rule)") }
    for intent in intents { lines.append("  at work here: \(intent)") }
    return lines.joined(separator: "\n")
  }
}
