import Azure
import Shared
import SystemPackage
import Yams

/// One setting: its name in the file, what it means, and where its value goes. The one table of keys.
struct SettingKey: Sendable {
  /// Dotted: each dot is a level of nesting in the file.
  var name: String
  var meaning: String
  /// The default, as the file would have it; `nil` for none.
  var standard: String?
  /// The value that holds, as the file would have it.
  var value: @Sendable (Settings) -> String?
  /// The node that a variable's or a flag's text stands for.
  private var node: @Sendable (String, ReadingContext) throws(SettingsError) -> Node
  private(set) var read: @Sendable (Node, ReadingContext, inout Settings) throws(SettingsError) -> Void

  func readText(_ text: String, _ context: ReadingContext, _ settings: inout Settings) throws(SettingsError) {
    try read(try node(text, context), context, &settings)
  }

  /// The environment variable's name: `startup.import-runs` is `CF_BENCH_STARTUP_IMPORT_RUNS`.
  var variable: String {
    ProgramVariable.prefix + name.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
  }

  private static func key<Value: SettingValue>(
    _ name: String, _ path: any WritableKeyPath<Settings, Value> & Sendable, _ meaning: String
  ) -> SettingKey {
    SettingKey(
      name: name, meaning: meaning, standard: Settings()[keyPath: path].yaml, value: { $0[keyPath: path].yaml },
      node: { text, context throws(SettingsError) in try Value.node(from: text, in: context) },
      read: { node, context, settings throws(SettingsError) in
        settings[keyPath: path] = try Value.read(node, in: context)
      })
  }

  /// The same setting with a rule that its value has to keep.
  private func checked(
    _ check: @escaping @Sendable (Settings, ReadingContext, Mark?) throws(SettingsError) -> Void
  ) -> SettingKey {
    var checked = self
    checked.read = { [read] node, context, settings throws(SettingsError) in
      try read(node, context, &settings)
      try check(settings, context, node.mark)
    }
    return checked
  }

  /// A setting whose texts have to look like names.
  private static func key<Value: SettingValue>(
    _ name: String, _ path: any WritableKeyPath<Settings, Value> & Sendable, _ meaning: String, _ rule: NameRule,
    of texts: @escaping @Sendable (Value) -> [String]
  ) -> SettingKey {
    key(name, path, meaning).checked { settings, context, mark throws(SettingsError) in
      for text in texts(settings[keyPath: path]) { try rule.check(text, in: context, at: mark) }
    }
  }

  private static func key(
    _ name: String, _ path: any WritableKeyPath<Settings, String> & Sendable, _ meaning: String, _ rule: NameRule
  ) -> SettingKey {
    key(name, path, meaning, rule) { [$0] }
  }

  /// A setting whose value has bounds.
  private static func key<Value: SettingValue & Comparable>(
    _ name: String, _ path: any WritableKeyPath<Settings, Value> & Sendable, _ meaning: String,
    within bounds: ClosedRange<Value>
  ) -> SettingKey {
    key(name, path, meaning).checked { settings, context, mark throws(SettingsError) in
      let value = settings[keyPath: path]
      guard !bounds.contains(value) else { return }
      let range = "\(bounds.lowerBound.yaml ?? "") to \(bounds.upperBound.yaml ?? "")"
      throw context.wrong(found: "'\(value.yaml ?? "")'", expected: "\(Value.expectation) from \(range)", at: mark)
    }
  }

  /// A list with at least one entry, and none twice, where `name` tells entries apart.
  private static func filled<Element: SettingValue>(
    _ name: String, _ path: any WritableKeyPath<Settings, [Element]> & Sendable, _ meaning: String,
    _ rule: NameRule? = nil, by identity: @escaping @Sendable (Element) -> String
  ) -> SettingKey {
    key(name, path, meaning).checked { settings, context, mark throws(SettingsError) in
      let names = settings[keyPath: path].map(identity)
      if let rule { for name in names { try rule.check(name, in: context, at: mark) } }
      if let twice = names.first(where: { name in names.count(where: { $0 == name }) > 1 }) {
        throw SettingsError(fault: .duplicate(twice), place: context.place.at(mark))
      }
      guard names.isEmpty else { return }
      throw context.wrong(found: "empty", expected: "\([Element].expectation), and at least one", at: mark)
    }
  }

  static let all: [SettingKey] = general + azure

  /// The VM of `machine: azure`.
  private static let azure: [SettingKey] = [
    key(
      "azure.subscription", \.azure.subscription, "Subscription of the VM, name or id; az's own otherwise.",
      .subscription
    ) { $0.map { [$0] } ?? [] },
    key("azure.resource-group", \.azure.group, "Resource group that holds the VM and all that belongs to it.", .azure),
    key("azure.vm", \.azure.vm, "Name of the VM; what belongs to it is named after it.", .azure),
    key("azure.location", \.azure.location, "Region to make it in.", .azure),
    key("azure.size", \.azure.size, "Size to make it of.", .azure),
    key("azure.image", \.azure.image, "Image to make it from, PUBLISHER:OFFER:SKU, or with a version.", .azure),
    key("azure.disk-gb", \.azure.diskGB, "Size of its Premium SSD, in GB.", within: 30...4095),
    key("azure.user", \.azure.user, "Login that measures there; it may not become root.", .login),
    key("azure.ssh-port", \.azure.sshPort, "Port of its SSH server.", within: 1...65535),
    key(
      "azure.allow-from", \.azure.allowFrom,
      "Who is let in while a run lasts: auto (this machine's address), an address or range, or none (no rule is made)."),
    key(
      "azure.address-service", \.azure.addressService,
      "Page that answers with this machine's public address, for auto.",
      .page),
    key(
      "azure.start-limit", \.azure.startLimit, "How long it may take to answer.", within: .seconds(1) ... .seconds(7200)
    ),
    key(
      "azure.stop-limit", \.azure.stopLimit, "For how long stopping it is tried again.",
      within: .seconds(1) ... .seconds(86_400)),
    key(
      "azure.first-boot-limit", \.azure.setupLimit, "How long its first boot may take, with all that is installed.",
      within: .seconds(1) ... .seconds(7200)),
    key(
      "azure.idle-limit", \.azure.watchdog.idle,
      "Without job and session for so long, the VM stops itself; a VM that is there learns it by provision --refresh.",
      within: .seconds(60) ... .seconds(86_400)),
    key(
      "azure.hard-limit", \.azure.watchdog.hard,
      "On for so long, the VM stops itself whatever happens; learned likewise.",
      within: .seconds(600) ... .seconds(604_800)),
    key("azure.shutdown-time", \.azure.shutdownTime, "When Azure stops it each day, UTC, as the last net."),
    key(
      "azure.call-limit", \.azure.callLimit, "How long one call of az may take.", within: .seconds(1) ... .seconds(3600)
    ),
    key(
      "azure.monthly-limit", \.azure.monthlyLimit,
      "US dollars a month for compute above which nothing is started; none otherwise."),
  ]

  private static let general: [SettingKey] = [
    key("target.package", \.targetPackage, "The distribution that is measured.", .distribution),
    key("target.import", \.targetImport, "The module whose import is taken apart.", .module),
    key("target.repository", \.targetRepository, "Repository of git refs: a URL, or a folder of this machine."),
    key("target.requirements", \.targetRequirements, "Requirements installed beside the target on both sides."),
    key(
      "secrets", \.secrets,
      "Names of variables that the target's commands need and nobody may see; their values stand in no file."),
    key(
      "machine", \.machine,
      "Where to measure: azure, local, or ssh://user@host[:port]; auto is azure where a VM is known, else local."),
    key("ssh.identity", \.sshIdentity, "Private key for an ssh:// machine."),
    key("ssh.known-hosts", \.sshKnownHosts, "Host keys that are trusted; ~/.ssh/known_hosts otherwise."),
    key(
      "reconnect-for", \.reconnectFor,
      "For how long a lost connection is tried again while the job goes on; 0 for never.",
      within: .zero ... .seconds(604_800)),
    key("tune", \.tune, "Whether the machine is tuned for the job, and put back after it (docs/machine.md)."),
    key(
      "supersede", \.supersede,
      "Whether jobs of the same target and head revision that still wait there are ended in favour of this one."),
    filled("python", \.python, "Python versions to measure with.", .python) { $0 },
    filled("layers", \.layers, "Layers to run: startup, micro, optimize, memory.", by: \.rawValue),
    key("results", \.results, "Folder for the results."),
    key(
      "budget", \.budget, "For how long a comparison may measure; it stops earlier when every metric is decided.",
      within: .seconds(1)...Settings.longestBudget),
    key(
      "profiles", \.profiles,
      "Of what a comparison makes profiles: moved (what changed, or is open and a tenth apart), always or never."),
    filled(
      "startup.commands", \.startupCommands, "Commands of layer 1; a control can't differ between the sides.",
      by: \.name),
    key(
      "startup.blocks", \.startupBlocks,
      "Most blocks of layer 1 in a comparison, which ends earlier when all is decided; a run of one revision measures 15. "
        + "A block runs each command twice a side.",
      within: 1...Settings.mostBlocks(of: .startup)),
    key(
      "startup.engine", \.startupEngine,
      "What times the commands: hyperfine where the host has it, or spawn (the agent itself, with what the kernel counted)."
    ),
    key(
      "startup.cold", \.startupCold,
      "Whether commands are timed without bytecode and page cache too, as metrics of their own."),
    key(
      "startup.warmup-runs", \.startupWarmupRuns, "Runs of each command that are made first and not counted.",
      within: 0...100),
    key(
      "startup.import-runs", \.startupImportRuns, "Fresh import-time runs a side, of which the median counts.",
      within: 0...100),
    key(
      "startup.timeout", \.startupTimeout, "How long one run of a command may take.",
      within: .milliseconds(100) ... .seconds(3600)),
    key(
      "micro.targets", \.microTargets, "File of micro targets, added to the built-in ones or replacing them by name."),
    key("micro.builtin-targets", \.microBuiltinTargets, "Whether the built-in micro targets are measured."),
    key(
      "micro.pytest", \.microPytest,
      "Folder or file of the measured project with its own benchmarks for pytest-benchmark, such as tests/benchmarks."),
    key("micro.only", \.microOnly, "Names of the micro targets that are measured; all of them when the list is empty."),
    key(
      "micro.blocks", \.microBlocks,
      "Most blocks of layer 2 in a comparison; a run of one revision measures 12. A block has two fresh workers a side.",
      within: 1...Settings.mostBlocks(of: .micro)),
    key("micro.repeats", \.microRepeats, "timeit repeats in one worker, of which the best counts.", within: 1...1000),
    key(
      "micro.repeat-time", \.microRepeatTime, "How long one repeat should last.",
      within: .milliseconds(1) ... .seconds(60)),
    key(
      "micro.longest-call", \.microLongestCall,
      "How long a first call may take; a function that takes longer is not measured.",
      within: .milliseconds(1) ... .seconds(3600)),
    key("micro.timeout", \.microTimeout, "How long one worker may take.", within: .seconds(1) ... .seconds(3600)),
    key("micro.profile-top", \.microProfileTop, "Functions of a profile that are kept.", within: 0...1000),
    key(
      "optimize.project", \.optimizeProject,
      "Folder of the project that codeflash is run on; the built-in one otherwise."
    ),
    key(
      "optimize.answers", \.optimizeAnswers,
      "Where codeflash's service has its answers from: replay (recorded, offline) or live."),
    key("optimize.live-address", \.optimizeLiveAddress, "Where the live service is.", .page),
    key(
      "optimize.form", \.optimizeForm,
      "How much a run works on: quick (one function), full (all), or auto (full when the budget allows)."),
    key(
      "optimize.findings", \.optimizeFindings,
      "Whether each side runs once over all functions for what it finds: auto (where the budget has time left), head (it alone, likewise), always, never."
    ),
    key(
      "optimize.budget", \.optimizeBudget, "What form auto has for a block of both sides.",
      within: .seconds(0) ... .seconds(86_400)),
    key(
      "optimize.blocks", \.optimizeBlocks,
      "Most blocks of layer 3 in a comparison; a run of one revision measures 1. A block has two runs a side.",
      within: 1...Settings.mostBlocks(of: .optimize)),
    key(
      "optimize.looping-time", \.optimizeLoopingTime, "For how long codeflash times one candidate.",
      within: .milliseconds(100) ... .seconds(3600)),
    key(
      "optimize.timeout", \.optimizeTimeout, "How long codeflash may take for one function.",
      within: .seconds(1) ... .seconds(86_400)),
    key(
      "memory.blocks", \.memoryBlocks,
      "Most blocks of layer 4 in a comparison; a run of one revision measures 3. A block has two runs of each command a side.",
      within: 1...Settings.mostBlocks(of: .memory)),
    key("memory.top", \.memoryTop, "Lines and modules of a memory profile that are kept.", within: 1...2000),
    key(
      "statistics.alpha", \.alpha, "Chance, over all metrics together, of calling identical code different.",
      within: 0.000001...0.5),
    key("statistics.delta", \.delta, "The smallest relative difference that counts.", within: 0.0001...1),
    key(
      "statistics.delta-of", \.deltas,
      "Where another difference counts: optimize=5% (a layer), micro: parse rows=3% (a metric), Peak memory*=1% (a beginning)."
    ),
    key(
      "statistics.headline", \.headline,
      "More metrics that matter most, beside the commands and what codeflash does as a whole: they share most of alpha."
    ),
    key(
      "statistics.set-aside", \.setAside,
      "Whether blocks measured while the machine was disturbed are set aside and measured again."),
    key(
      "gate.fail-on", \.gateRules,
      "What ends a comparison with 1: regression, regression:METRIC, regression>5%, regression:METRIC>5%."),
    key("gate.undecided", \.gateUndecided, "What an undecided metric does to the gate: pass or fail."),
    key(
      "limits.queue", \.limitQueue, "How long a job may wait for the machine.",
      within: .seconds(1) ... .seconds(604_800)),
    key(
      "limits.setup", \.limitSetup, "How long one step of preparing a side may take.",
      within: .seconds(1) ... .seconds(604_800)),
    key("limits.total", \.limitTotal, "How long the whole job may take.", within: .seconds(1) ... .seconds(604_800)),
  ]

  static func named(_ name: String) -> SettingKey? { all.first { $0.name == name } }
}

/// `cf-bench.example.yaml`: every key with its default and its meaning, all commented out. Made from the table of keys, so
/// that it can't say anything else.
enum SettingsExample {
  static var text: String {
    var lines = [
      "# Settings of cf-bench. Copy to cf-bench.yaml and take the '#' from what you change.",
      "# Flags win over CF_BENCH_* variables, those over this file, and this file over the defaults shown here.",
    ]
    var section = ""
    for key in SettingKey.all {
      let parts = key.name.split(separator: ".").map(String.init)
      if parts.count > 1, parts[0] != section {
        lines += ["", "#\(parts[0]):"]
      } else if parts.count == 1 {
        lines.append("")
      }
      section = parts.count > 1 ? parts[0] : ""
      let indentation = parts.count > 1 ? "  " : ""
      lines.append("#\(indentation)# \(key.meaning) (\(key.variable))")
      lines.append("#\(indentation)\(parts[parts.count - 1]): \(key.standard ?? "")".trimmingTrailingSpace)
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension String {
  fileprivate var trimmingTrailingSpace: String { hasSuffix(" ") ? String(dropLast()) : self }
}
