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
  var read: @Sendable (Node, ReadingContext, inout Settings) throws(SettingsError) -> Void
  var readText: @Sendable (String, ReadingContext, inout Settings) throws(SettingsError) -> Void

  /// The environment variable's name: `startup.import-runs` is `CF_BENCH_STARTUP_IMPORT_RUNS`.
  var variable: String {
    SettingsVariables.prefix + name.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
  }

  private static func key<Value: SettingValue>(
    _ name: String, _ path: any WritableKeyPath<Settings, Value> & Sendable, _ meaning: String
  ) -> SettingKey {
    SettingKey(
      name: name, meaning: meaning, standard: Settings()[keyPath: path].yaml,
      value: { $0[keyPath: path].yaml },
      read: { node, context, settings throws(SettingsError) in
        settings[keyPath: path] = try Value.read(node, in: context)
      },
      readText: { text, context, settings throws(SettingsError) in
        settings[keyPath: path] = try Value.read(try Value.node(from: text, in: context), in: context)
      })
  }

  /// A setting whose texts have to look like names.
  private static func key<Value: SettingValue>(
    _ name: String, _ path: any WritableKeyPath<Settings, Value> & Sendable, _ meaning: String, _ rule: NameRule,
    of texts: @escaping @Sendable (Value) -> [String]
  ) -> SettingKey {
    var named: SettingKey = key(name, path, meaning)
    let (read, readText) = (named.read, named.readText)
    @Sendable func check(_ settings: Settings, _ context: ReadingContext, _ mark: Mark?) throws(SettingsError) {
      for text in texts(settings[keyPath: path]) where !rule.allows(text) {
        throw context.wrong(found: "'\(TerminalText.clean(text, limit: 80))'", expected: rule.expectation, at: mark)
      }
    }
    named.read = { node, context, settings throws(SettingsError) in
      try read(node, context, &settings)
      try check(settings, context, node.mark)
    }
    named.readText = { text, context, settings throws(SettingsError) in
      try readText(text, context, &settings)
      try check(settings, context, nil)
    }
    return named
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
    var bounded: SettingKey = key(name, path, meaning)
    let (read, readText) = (bounded.read, bounded.readText)
    @Sendable func check(_ settings: Settings, _ context: ReadingContext, _ mark: Mark?) throws(SettingsError) {
      let value = settings[keyPath: path]
      guard !bounds.contains(value) else { return }
      let range = "\(bounds.lowerBound.yaml ?? "") to \(bounds.upperBound.yaml ?? "")"
      throw context.wrong(
        found: "'\(value.yaml ?? "")'", expected: "\(Value.expectation) from \(range)", at: mark)
    }
    bounded.read = { node, context, settings throws(SettingsError) in
      try read(node, context, &settings)
      try check(settings, context, node.mark)
    }
    bounded.readText = { text, context, settings throws(SettingsError) in
      try readText(text, context, &settings)
      try check(settings, context, nil)
    }
    return bounded
  }

  /// A list with at least one entry, and none twice, where `name` tells entries apart.
  private static func filled<Element: SettingValue>(
    _ name: String, _ path: any WritableKeyPath<Settings, [Element]> & Sendable, _ meaning: String,
    _ rule: NameRule? = nil, by identity: @escaping @Sendable (Element) -> String
  ) -> SettingKey {
    var filled: SettingKey = key(name, path, meaning)
    let (read, readText) = (filled.read, filled.readText)
    @Sendable func check(_ settings: Settings, _ context: ReadingContext, _ mark: Mark?) throws(SettingsError) {
      let names = settings[keyPath: path].map(identity)
      let twice = names.first { name in names.count(where: { $0 == name }) > 1 }
      for name in names where rule?.allows(name) == false {
        throw context.wrong(
          found: "'\(TerminalText.clean(name, limit: 80))'", expected: rule?.expectation ?? "a name", at: mark)
      }
      if let twice { throw SettingsError(fault: .duplicate(twice), place: context.place.at(mark)) }
      guard names.isEmpty else { return }
      throw context.wrong(found: "empty", expected: "\([Element].expectation), and at least one", at: mark)
    }
    filled.read = { node, context, settings throws(SettingsError) in
      try read(node, context, &settings)
      try check(settings, context, node.mark)
    }
    filled.readText = { text, context, settings throws(SettingsError) in
      try readText(text, context, &settings)
      try check(settings, context, nil)
    }
    return filled
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
    key("machine", \.machine, "Where to measure: azure, local, or ssh://user@host[:port]."),
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
      within: .seconds(1) ... .seconds(604_800)),
    filled(
      "startup.commands", \.startupCommands, "Commands of layer 1; a control can't differ between the sides.",
      by: \.name),
    key(
      "startup.blocks", \.startupBlocks,
      "Most blocks of layer 1; a block runs each command twice a side. A run of one revision measures 15.",
      within: 1...10_000),
    key(
      "startup.engine", \.startupEngine,
      "What times the commands: hyperfine, or spawn (the agent itself, with what the kernel counted)."),
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
    key("micro.only", \.microOnly, "Names of the micro targets that are measured; all of them when the list is empty."),
    key(
      "micro.blocks", \.microBlocks, "Most blocks of layer 2; a block has two fresh workers a side. A run measures 12.",
      within: 1...10_000),
    key("micro.repeats", \.microRepeats, "timeit repeats in one worker, of which the best counts.", within: 1...1000),
    key(
      "micro.repeat-time", \.microRepeatTime, "How long one repeat should last.",
      within: .milliseconds(1) ... .seconds(60)),
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
      "optimize.budget", \.optimizeBudget, "What form auto has for a block of both sides.",
      within: .seconds(0) ... .seconds(86_400)),
    key(
      "optimize.blocks", \.optimizeBlocks, "Most blocks of layer 3; a block has two runs a side. A run measures 1.",
      within: 1...1000),
    key(
      "optimize.looping-time", \.optimizeLoopingTime, "For how long codeflash times one candidate.",
      within: .milliseconds(100) ... .seconds(3600)),
    key(
      "optimize.timeout", \.optimizeTimeout, "How long codeflash may take for one function.",
      within: .seconds(1) ... .seconds(86_400)),
    key(
      "memory.blocks", \.memoryBlocks,
      "Most blocks of layer 4; a block has two runs of each command a side. A run measures 3.",
      within: 1...1000),
    key("memory.top", \.memoryTop, "Lines and modules of a memory profile that are kept.", within: 1...2000),
    key(
      "statistics.alpha", \.alpha, "Chance, over all metrics together, of calling identical code different.",
      within: 0.000001...0.5),
    key("statistics.delta", \.delta, "The smallest relative difference that counts.", within: 0.0001...1),
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
