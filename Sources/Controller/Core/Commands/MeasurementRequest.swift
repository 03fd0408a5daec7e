import Foundation
import Shared

/// Settings that somebody asked for, on a command line or in the inputs of a workflow's step. They count over variables and the
/// file.
struct SettingsRequest {
  /// A setting's name, where its value was written, and the value as text.
  private(set) var values: [(key: String, flag: String, text: String)] = []
  /// Another file than the one that is found.
  var configuration: String?
  /// How long the VM stays on after the run.
  var keepRunning: Duration?

  init() {}

  init(_ flags: [any SettingFlags]) throws {
    for flags in flags { try flags.ask(&self) }
  }

  /// Nothing is asked for by a `nil`.
  mutating func set(_ key: String, _ text: String?, by flag: String) {
    if let text { values.append((key, flag, text)) }
  }

  /// - Parameter rules: as `--fail-on` takes them; `none` among them is no rule.
  mutating func setGate(_ rules: [String], by flag: String) {
    guard !rules.isEmpty else { return }
    let list = rules.filter { $0 != "none" }.compactMap(\.yaml).joined(separator: ", ")
    set("gate.fail-on", "[\(list)]", by: flag)
  }

  mutating func setBudget(_ time: String?, by flag: String) {
    set("budget", time.map { Double($0) == nil ? $0 : "\($0)m" }, by: flag)
  }
}

/// Flags of a command that ask for settings.
protocol SettingFlags {
  func ask(_ request: inout SettingsRequest) throws
}

/// What to measure, how, and where: what `compare`, `run` and a workflow's step have in common.
struct MeasurementRequest {
  /// `nil` for one side alone.
  var base: NamedRevision?
  var head: NamedRevision
  var settings = SettingsRequest()
  var output = Output()
  /// Rules of the gate where neither this nor the settings say anything.
  var usualGate: [GateRule] = []

  /// Measures, and prints what was found.
  /// - Parameter results: is told the folder once there is one.
  func carryOut(into results: ResultsPlace = ResultsPlace()) async throws -> ExitStatus {
    var context = try CommandContext(settings, output: output)
    if context.settings.machine == MachineChoice.automatic, context.machineGuess == nil {
      throw Problem(
        what: "no machine is named",
        why: "the variable CI is set: this machine is not taken by itself, and no VM in Azure is known here",
        fix: "add --machine azure, --machine local or --machine ssh://user@host, or set CF_BENCH_MACHINE",
        exitStatus: .usage)
    }
    let revisions = [base, head].compactMap(\.self)
    let repository = CurrentRepository(around: FileManager.default.currentDirectoryPath)
    context.guessed = [
      context.machineGuess, context.settings.follow(revisions), context.settings.follow(repository, revisions),
    ].compactMap(\.self)
    if context.settings.origin(of: "gate.fail-on") == .standard { context.settings.gateRules += usualGate }
    return try await context.measure(base: base, head: head, into: results)
  }
}
