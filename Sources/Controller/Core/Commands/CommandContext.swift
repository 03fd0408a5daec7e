import Foundation
import Shared
import SystemPackage

/// What every command starts from: settings, machine and identity, once read and checked.
struct CommandContext {
  var settings: Settings
  var machine: MachineAccess
  var environment: [String: String]
  var output: Output
  /// Why this machine, where nobody said which.
  let machineGuess: String?
  /// What was not said and taken for granted, in words: it is told before anything is measured.
  var guessed: [String] = []

  /// - Parameter flags: later ones count over earlier ones.
  init(_ flags: any SettingFlags..., output: Output) throws {
    try self.init(try SettingsRequest(flags), output: output)
  }

  init(_ request: SettingsRequest, output: Output) throws {
    environment = ProcessInfo.processInfo.environment
    settings = try Settings.load(
      flags: request.values, environment: environment, folder: FilePath(FileManager.default.currentDirectoryPath),
      configuration: request.configuration.map { FilePath($0) })
    settings.keepRunning = request.keepRunning
    let home = environment["HOME"] ?? "/"
    let identity = SSHIdentity(
      keyFile: settings.sshIdentity?.string, passphrase: environment["CF_BENCH_KEY_PASSPHRASE"],
      knownHosts: settings.sshKnownHosts?.string ?? home + "/.ssh/known_hosts", home: home)
    let (choice, guess) = try MachineChoice.settled(settings, environment: environment)
    machineGuess = guess
    machine = MachineAccess(choice: choice, identity: identity, environment: environment, settings: settings)
    self.output = output
  }

  var python: PythonPlan {
    PythonPlan(versions: settings.python, fallbackToSystem: settings.origin(of: "python") == .standard)
  }

  /// What the benchmark host is to check: with these settings it will need these interpreters and places.
  var doctorRequest: DoctorRequest {
    var address: String?
    if case .address(let text) = settings.targetRepository { address = text }
    return DoctorRequest(python: python, package: settings.targetPackage, repository: address)
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
      let (targets, suite) = try MicroTargetFile.targets(for: settings)
      if targets.isEmpty, suite == nil, settings.origin(of: "layers") == .standard, plans.startup != nil {
        return plans
      }
      guard !targets.isEmpty || suite != nil else {
        throw Problem(
          what: "there is no function to time in the layer 'micro'",
          why:
            "the built-in ones are left out or are not those of '\(settings.targetPackage)', and no file gives others",
          fix: "name a file of targets with --set micro.targets=FILE, or the project's own benchmarks with "
            + "--set micro.pytest=tests/benchmarks, or leave the layer out: --layers startup",
          exitStatus: .usage)
      }
      plans.micro = MicroPlan(
        targets: targets,
        blocks: settings.blocks(\.microBlocks, "micro.blocks", alone: 12, isComparison: isComparison),
        repeats: settings.microRepeats, repeatSeconds: settings.microRepeatTime.inSeconds,
        timeoutSeconds: settings.microTimeout.inSeconds, profileTop: settings.microProfileTop,
        longestCallSeconds: settings.microLongestCall.inSeconds, suite: suite)
    }
    return plans
  }

  /// The layers that run codeflash itself. Of another package there is no such run: its commands' memory is measured.
  private func codeflashLayers(isComparison: Bool) throws -> CodeflashLayers? {
    var asked = Set(settings.layers).intersection([.optimize, .memory])
    guard settings.targetPackage == "codeflash" else {
      guard !asked.contains(.optimize) || settings.origin(of: "layers") == .standard else {
        throw Problem(
          what: "the layer 'optimize' runs codeflash itself", why: "the target is '\(settings.targetPackage)'",
          fix: "leave it out: --layers startup,micro,memory", exitStatus: .usage)
      }
      asked.remove(.optimize)
      return asked.isEmpty
        ? nil : CodeflashLayers(settings: settings, layers: asked, isComparison: isComparison, project: nil)
    }
    guard !asked.isEmpty else { return nil }
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
    for words in guessed { progress.step(words) }
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
      isTerminal: isTerminal, isQuiet: output.isQuiet, width: Int(size.ws_col), environment: environment)
    return TerminalProgress(mode: mode, frames: { StandardError.live.draw($0) }, sink: { StandardError.write($0) })
  }
}
