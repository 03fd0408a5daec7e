import ArgumentParser
import Foundation
import Shared

/// Where to measure and how to get there.
struct MachineOptions: ParsableArguments, SettingFlags {
  @Option(
    help: ArgumentHelp(
      "Where to measure: 'azure', 'local', or ssh://user@host[:port] (default: azure where a VM is known, else local).",
      valueName: "machine"))
  var machine: String?

  @OptionGroup var login: LoginOptions
  @OptionGroup var keep: KeepOptions

  @Option(help: ArgumentHelp("File of trusted host keys (default: ~/.ssh/known_hosts).", valueName: "file"))
  var knownHosts: String?

  func ask(_ request: inout SettingsRequest) throws {
    request.set("machine", machine, by: "--machine")
    login.ask(&request)
    request.set("ssh.known-hosts", knownHosts, by: "--known-hosts")
    try keep.ask(&request)
  }
}

/// How to log in.
struct LoginOptions: ParsableArguments, SettingFlags {
  @Option(
    help: ArgumentHelp(
      "Private key to log in with (default: the one that 'provision' made, ssh-agent, ~/.ssh/id_*).", valueName: "file"
    ))
  var identity: String?

  func ask(_ request: inout SettingsRequest) { request.set("ssh.identity", identity, by: "--identity") }
}

/// What becomes of the VM.
struct KeepOptions: ParsableArguments, SettingFlags {
  @Option(help: ArgumentHelp("Leave the VM on for this long afterwards.", valueName: "minutes"))
  var keepRunning: String?

  func ask(_ request: inout SettingsRequest) throws {
    request.keepRunning = try keepRunning.map { try Self.time($0, flag: "--keep-running") }
  }

  /// A time in minutes that somebody asked the VM to stay on for.
  static func time(_ text: String, flag: String) throws(Problem) -> Duration {
    guard let minutes = Double(text), 1...1440 ~= minutes else {
      throw Problem(
        what: "'\(text)' is not a time to keep the VM on", why: "it takes minutes from 1 to 1440",
        fix: "write \(flag) 30",
        exitStatus: .usage)
    }
    return .seconds(minutes * 60)
  }
}

/// Which versions of Python.
struct PythonOptions: ParsableArguments, SettingFlags {
  @Option(help: ArgumentHelp("Python versions, separated by commas, such as 3.12,3.13.", valueName: "list"))
  var python: String?

  func ask(_ request: inout SettingsRequest) { request.set("python", python, by: "--python") }
}

/// Where git refs are looked up.
struct RepositoryOptions: ParsableArguments, SettingFlags {
  @Option(help: ArgumentHelp("Repository of the git refs: a URL or a folder.", valueName: "repository"))
  var repository: String?

  func ask(_ request: inout SettingsRequest) { request.set("target.repository", repository, by: "--repository") }
}

/// Where results go.
struct ResultsOptions: ParsableArguments, SettingFlags {
  @Option(help: ArgumentHelp("Folder for the results (default: results).", valueName: "folder"))
  var results: String?

  func ask(_ request: inout SettingsRequest) { request.set("results", results, by: "--results") }
}

/// Whether the machine is tuned.
struct TuneOptions: ParsableArguments, SettingFlags {
  @Flag(help: "Tune the machine for the job as far as its login may, and undo it afterwards.")
  var tune = false

  func ask(_ request: inout SettingsRequest) { request.set("tune", tune ? "true" : nil, by: "--tune") }
}

/// What to measure.
struct MeasureOptions: ParsableArguments, SettingFlags {
  @OptionGroup var python: PythonOptions

  @Option(
    help: ArgumentHelp("Layers to run, separated by commas: startup, micro, optimize, memory.", valueName: "list"))
  var layers: String?

  @OptionGroup var results: ResultsOptions
  @OptionGroup var repository: RepositoryOptions
  @OptionGroup var tune: TuneOptions

  @Flag(help: "Run codeflash once a side on all functions of its project, and say what it finds.")
  var findings = false

  @Flag(help: "Cancel waiting jobs of the same target and head revision in favour of this one.")
  var supersede = false

  func ask(_ request: inout SettingsRequest) {
    python.ask(&request)
    request.set("layers", layers, by: "--layers")
    results.ask(&request)
    repository.ask(&request)
    tune.ask(&request)
    request.set("optimize.findings", findings ? "always" : nil, by: "--findings")
    request.set("supersede", supersede ? "true" : nil, by: "--supersede")
  }
}

/// What the comparison has to keep to.
struct GateOptions: ParsableArguments, SettingFlags {
  @Option(
    help: ArgumentHelp(
      "Exit with 1 on a proven regression: 'regression', 'regression:METRIC', 'regression>5%'; may be repeated.",
      valueName: "rule"))
  var failOn: [String] = []

  @Option(
    help: ArgumentHelp("What an undecided metric does to the gate: pass (the default) or fail.", valueName: "what"))
  var undecided: String?

  func ask(_ request: inout SettingsRequest) {
    request.setGate(failOn, by: "--fail-on")
    request.set("gate.undecided", undecided, by: "--undecided")
  }
}

/// What to do about a connection that breaks.
struct ConnectionOptions: ParsableArguments, SettingFlags {
  @Option(
    help: ArgumentHelp(
      "How long to try to reconnect when the connection is lost: 90s, 30m, 2h; 0 for never (default: 30m).",
      valueName: "time"))
  var reconnectFor: String?

  func ask(_ request: inout SettingsRequest) { request.set("reconnect-for", reconnectFor, by: "--reconnect-for") }
}

/// For how long to measure.
struct BudgetOptions: ParsableArguments, SettingFlags {
  @Option(
    help: ArgumentHelp(
      "How long to measure at most, in minutes, or with a unit: 90s, 10m, 2h (default: 10m).", valueName: "time"))
  var budget: String?

  func ask(_ request: inout SettingsRequest) { request.setBudget(budget, by: "--budget") }
}

/// Which configuration file, and single settings by name.
struct SettingsOptions: ParsableArguments, SettingFlags {
  @Option(help: ArgumentHelp("Configuration file (default: cf-bench.yaml here or above).", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Any setting by name, such as startup.blocks=30; may be repeated.", valueName: "key=value"))
  var assignments: [String] = []

  func ask(_ request: inout SettingsRequest) throws {
    request.configuration = config
    for assignment in assignments {
      guard let equals = assignment.firstIndex(of: "=") else {
        throw Problem(
          what: "'\(assignment)' sets nothing", fix: "write --set KEY=VALUE, such as --set startup.blocks=30",
          exitStatus: .usage)
      }
      let key = String(assignment[..<equals])
      request.set(key, String(assignment[assignment.index(after: equals)...]), by: "--set \(key)")
    }
  }
}

/// How a result is printed.
struct JSONOptions: ParsableArguments {
  @Flag(help: "Print the result as JSON on standard output.")
  var json = false

  func tell(_ document: some Encodable, _ words: @autoclosure () -> String) throws {
    try Output(json: json).tell(document, words())
  }
}

/// Whether progress is shown.
struct QuietOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "No progress; only errors and the result.")
  var quiet = false
}

/// What to print.
struct OutputOptions: ParsableArguments {
  @OptionGroup var form: JSONOptions
  @OptionGroup var progress: QuietOptions

  func tell(_ document: some Encodable, _ words: @autoclosure () -> String) throws {
    try value.tell(document, words())
  }
  var value: Output { Output(json: form.json, isQuiet: progress.quiet) }
}

/// What is printed of a command.
struct Output {
  var json = false
  /// No progress.
  var isQuiet = false

  /// Prints a result, for a program or for a person.
  func tell(_ document: some Encodable, _ words: @autoclosure () -> String) throws {
    if json { try StandardOutput.write(json: document) } else { try StandardOutput.write(words()) }
  }
}
