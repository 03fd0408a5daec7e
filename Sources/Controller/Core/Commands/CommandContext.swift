import Foundation
import Shared
import SystemPackage

/// What every command starts from: settings, machine and identity, once read and checked.
struct CommandContext {
  var settings: Settings
  var machine: MachineAccess
  var environment: [String: String]
  var output: OutputOptions

  init(
    _ options: SettingsOptions, machine: MachineOptions?, line: ConnectionOptions? = nil, results: String? = nil,
    measure: MeasureOptions? = nil, queue: QueueOptions? = nil, python: String? = nil, budget: String? = nil,
    gate: GateOptions? = nil, output: OutputOptions
  ) throws {
    environment = ProcessInfo.processInfo.environment
    let named = [
      ("machine", "--machine", machine?.machine), ("ssh.identity", "--identity", machine?.identity),
      ("ssh.known-hosts", "--known-hosts", machine?.knownHosts), ("python", "--python", measure?.python ?? python),
      ("layers", "--layers", measure?.layers), ("results", "--results", measure?.results ?? results),
      ("target.repository", "--repository", measure?.repository),
      ("budget", "--budget", budget.map { Double($0) == nil ? $0 : "\($0)m" }),
      ("reconnect-for", "--reconnect-for", line?.reconnectFor),
      ("tune", "--tune", measure?.tune == true ? "true" : nil),
      ("supersede", "--supersede", queue?.supersede == true ? "true" : nil),
    ]
    var flags = named.compactMap { key, flag, text in text.map { (key: key, flag: flag, text: $0) } }
    flags += gate?.flags ?? []
    for assignment in options.assignments {
      guard let equals = assignment.firstIndex(of: "=") else {
        throw Problem(
          what: "'\(assignment)' sets nothing", fix: "write --set KEY=VALUE, such as --set startup.blocks=30",
          exitStatus: .usage)
      }
      let key = String(assignment[..<equals])
      flags.append((key, "--set \(key)", String(assignment[assignment.index(after: equals)...])))
    }
    settings = try Settings.load(
      flags: flags, environment: environment, folder: FilePath(FileManager.default.currentDirectoryPath),
      configuration: options.config.map { FilePath($0) })
    if let minutes = machine?.keepRunning { settings.keepRunning = .seconds(try Self.minutes(minutes) * 60) }
    let home = environment["HOME"] ?? "/"
    let identity = SSHIdentity(
      keyFile: settings.sshIdentity?.string, passphrase: environment["CF_BENCH_KEY_PASSPHRASE"],
      knownHosts: settings.sshKnownHosts?.string ?? home + "/.ssh/known_hosts", home: home)
    self.machine = MachineAccess(
      choice: try MachineChoice(settings.machine), identity: identity, environment: environment, settings: settings)
    self.output = output
  }

  /// A time in minutes that somebody asked the VM to stay on for.
  static func minutes(_ text: String) throws -> Double {
    guard let minutes = Double(text), 1...1440 ~= minutes else {
      throw Problem(
        what: "'\(text)' is no time to keep the VM on", why: "minutes from 1 to 1440 are",
        fix: "write --keep-running 30", exitStatus: .usage)
    }
    return minutes
  }

  var python: PythonPlan {
    PythonPlan(versions: settings.python, fallbackToSystem: settings.origin(of: "python") == .standard)
  }

  private func layers(isComparison: Bool) throws -> LayerPlans {
    var plans = LayerPlans()
    if settings.layers.contains(.startup) {
      plans.startup = StartupPlan(
        commands: settings.startupCommands,
        blocks: settings.blocks(\.startupBlocks, "startup.blocks", alone: 15, isComparison: isComparison),
        warmupRuns: settings.startupWarmupRuns, importRuns: settings.startupImportRuns,
        timeoutSeconds: settings.startupTimeout.inSeconds, engine: settings.startupEngine,
        measuresCold: settings.startupCold)
    }
    if settings.layers.contains(.micro) {
      let targets = try MicroTargetFile.targets(for: settings)
      if targets.isEmpty, settings.origin(of: "layers") == .standard, plans.startup != nil { return plans }
      guard !targets.isEmpty else {
        throw Problem(
          what: "there is no function to time in the layer 'micro'",
          why:
            "the built-in ones are left out or are not those of '\(settings.targetPackage)', and no file gives others",
          fix: "name a file of targets with --set micro.targets=FILE, or leave the layer out: --layers startup",
          exitStatus: .usage)
      }
      plans.micro = MicroPlan(
        targets: targets,
        blocks: settings.blocks(\.microBlocks, "micro.blocks", alone: 12, isComparison: isComparison),
        repeats: settings.microRepeats, repeatSeconds: settings.microRepeatTime.inSeconds,
        timeoutSeconds: settings.microTimeout.inSeconds, profileTop: settings.microProfileTop)
    }
    return plans
  }

  /// The layers that run codeflash itself; they say nothing of another package.
  private func codeflashLayers(isComparison: Bool) throws -> CodeflashLayers? {
    let asked = Set(settings.layers).intersection([.optimize, .memory])
    guard !asked.isEmpty else { return nil }
    guard settings.targetPackage == "codeflash" else {
      if settings.origin(of: "layers") == .standard { return nil }
      throw Problem(
        what: "the layers 'optimize' and 'memory' run codeflash itself",
        why: "the target is '\(settings.targetPackage)'", fix: "leave them out: --layers startup,micro",
        exitStatus: .usage)
    }
    return CodeflashLayers(
      settings: settings, layers: asked, isComparison: isComparison, project: try ProjectFolder.find(settings))
  }

  /// What the run has to keep to; `nil` for nothing.
  var gate: Gate? {
    settings.gateRules.isEmpty ? nil : Gate(rules: settings.gateRules, undecided: settings.gateUndecided)
  }

  /// Measures one revision, or two against each other, and prints what was found.
  /// - Parameter results: is told the folder once there is one.
  func measure(
    base: NamedRevision?, head: NamedRevision, into results: ResultsPlace = ResultsPlace()
  ) async throws -> ExitStatus {
    try JobSecrets.check(settings)
    let progress = makeProgress()
    let measurement = Measurement(
      settings: settings, machine: machine, python: python,
      layers: try layers(isComparison: base != nil), codeflashLayers: try codeflashLayers(isComparison: base != nil),
      progress: progress)
    let revisions = (base.map { [(Side.base, $0)] } ?? []) + [(Side.head, head)]
    return try await concluding(results, progress) {
      try await measurement.run(revisions) { manifest in
        let made = try RunFolder.create(
          in: settings.results, base: base?.label, head: head.label, job: manifest.id, alpha: settings.alpha,
          delta: settings.delta, gate: base == nil ? nil : gate)
        results.folder = made
        return try EventStore(path: made.events)
      }
    }
  }

  /// Lets the time on the progress line go on while nothing happens. An error finds the line cleared.
  func withTicks<Result: Sendable>(
    _ progress: TerminalProgress, _ body: () async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        while true {
          try await Task.sleep(for: .milliseconds(500))
          progress.tick()
        }
      }
      defer { group.cancelAll() }
      do { return try await body() } catch {
        group.cancelAll()
        while await group.nextResult() != nil {}  // the last tick is over: nothing draws the line again
        progress.makeRoom()
        throw error
      }
    }
  }

  func makeProgress() -> TerminalProgress {
    var size = winsize()
    let isTerminal = isatty(2) != 0 && ioctl(2, UInt(TIOCGWINSZ), &size) == 0
    let mode = TerminalProgress.Mode.choose(
      isTerminal: isTerminal, isQuiet: output.quiet, width: Int(size.ws_col), environment: environment)
    return TerminalProgress(mode: mode) { StandardError.write($0) }
  }
}

/// Words for the person. A terminal that was closed meanwhile takes none, and that must not end the work.
enum StandardError {
  static func write(_ text: String) {
    let bytes = Array(Masking.redactor.redacted(text).utf8)
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { platformWrite($0) }
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count > 0 else { return }
      written += count
    }
  }

  private static func platformWrite(_ bytes: UnsafeRawBufferPointer) -> Int {
    Foundation.write(2, bytes.baseAddress, bytes.count)
  }
}

/// Results go here and nowhere else.
enum StandardOutput {
  static func write(_ text: String) {
    let safe = Masking.redactor.redacted(text)
    FileHandle.standardOutput.write(Data((safe.hasSuffix("\n") ? safe : safe + "\n").utf8))
  }

  static func write(json value: some Encodable) throws {
    write(String(decoding: try JSONEncoder.pretty.encode(value), as: UTF8.self))
  }

  /// - Parameter folder: where the results lie.
  static func write(
    _ report: StoredReport, in folder: FilePath, as output: OutputOptions, environment: [String: String]
  ) throws {
    guard output.json else {
      return write(report.table(style: TerminalStyle(isTerminal: isatty(1) != 0, environment: environment)))
    }
    switch report {
    case .comparison(let comparison, _): try write(json: comparison.document)
    case .run(let side, _):
      try write(
        json: RunDocument(
          revision: side.label, folder: folder.string, startup: side.startup, micro: side.micro,
          optimize: side.optimize, memory: side.memory, cost: side.cost))
    }
  }
}

/// What `run --json` prints: the documents of one side.
struct RunDocument: Encodable {
  var schema = 1
  var revision: String
  /// Where they lie, with what no JSON holds beside them.
  var folder: String
  var startup: StartupDocument?
  var micro: MicroDocument?
  var optimize: OptimizeDocument?
  var memory: MemoryDocument?
  /// What the machine cost; `nil` for one that was not rented for it.
  var cost: RunCost?
}
