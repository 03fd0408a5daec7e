import ArgumentParser
import Foundation
import Shared

/// Where to measure and how to get there.
struct MachineOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where to measure: 'azure' (the default), 'local', or ssh://user@host[:port].", valueName: "machine"))
  var machine: String?

  @Option(help: ArgumentHelp("Leave the VM on for so long after the run.", valueName: "minutes"))
  var keepRunning: String?

  @Option(
    help: ArgumentHelp(
      "Private key to log in with; the one that provision made, ssh-agent and ~/.ssh/id_* otherwise.", valueName: "file"
    ))
  var identity: String?

  @Option(help: ArgumentHelp("Host keys that are trusted (default: ~/.ssh/known_hosts).", valueName: "file"))
  var knownHosts: String?
}

/// What to measure.
struct MeasureOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Python versions, separated by commas, such as 3.12,3.13.", valueName: "list"))
  var python: String?

  @Option(
    help: ArgumentHelp("Layers to run, separated by commas: startup, micro, optimize, memory.", valueName: "list"))
  var layers: String?

  @Option(help: ArgumentHelp("Folder for the results (default: results).", valueName: "folder"))
  var results: String?

  @Option(help: ArgumentHelp("Repository of git refs: a URL or a folder.", valueName: "repository"))
  var repository: String?

  @Flag(help: "Tune the machine for the job as far as its login may, and put it back after it.")
  var tune = false
}

/// What the comparison has to keep to.
struct GateOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "End with 1 on a proven regression: 'regression', 'regression:METRIC', 'regression>5%'; may be repeated.",
      valueName: "rule"))
  var failOn: [String] = []

  @Option(
    help: ArgumentHelp("What an undecided metric does to the gate: pass (the default) or fail.", valueName: "what"))
  var undecided: String?

  /// As the settings take them.
  var flags: [(key: String, flag: String, text: String)] {
    var flags: [(key: String, flag: String, text: String)] = []
    let rules = failOn.filter { $0 != "none" }
    if !failOn.isEmpty {
      flags.append(("gate.fail-on", "--fail-on", "[\(rules.compactMap(\.yaml).joined(separator: ", "))]"))
    }
    if let undecided { flags.append(("gate.undecided", "--undecided", undecided)) }
    return flags
  }
}

/// What becomes of older jobs that wait for the machine.
struct QueueOptions: ParsableArguments {
  @Flag(help: "End jobs of the same target and head revision that still wait for the machine, in favour of this one.")
  var supersede = false
}

/// What to do about a line that breaks.
struct ConnectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "For how long a lost connection is tried again, such as 90s, 30m, 2h; 0 for never (default: 30m).",
      valueName: "time"))
  var reconnectFor: String?
}

/// For how long to measure.
struct BudgetOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "For how long to measure at most, in minutes, or with a unit: 90s, 10m, 2h (default: 10m).", valueName: "time"))
  var budget: String?
}

/// Which configuration file, and single settings by name.
struct SettingsOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Configuration file (default: cf-bench.yaml here or above).", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Any setting by its name, such as startup.blocks=30; may be repeated.", valueName: "key=value"))
  var assignments: [String] = []
}

/// What to print.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print the result as JSON on standard output.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress; errors and the result only.")
  var quiet = false
}
