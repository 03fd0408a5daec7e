import Foundation
import Shared

/// Turns settings and prepared sides into the manifest that the benchmark host gets.
enum ManifestBuilder {
  static func build(
    settings: Settings, layers: LayerPlans, sides: [SidePlan], python: PythonPlan, seed: UInt64
  ) -> JobManifest {
    guard let id = JobID("\(Timestamp.folder())-\(String(UInt32.random(in: .min ... .max), radix: 36))") else {
      preconditionFailure("a timestamp and a number in base 36 make a job id")
    }
    return JobManifest(
      id: id, createdAt: Timestamp.rfc3339(), owner: owner,
      target: TargetPlan(package: settings.targetPackage, importName: settings.targetImport), sides: sides,
      python: python,
      requirements: settings.targetRequirements, layers: layers, seed: seed,
      stopping: sides.count == 2
        ? StoppingPlan(
          alpha: settings.alpha, delta: settings.delta, budgetSeconds: settings.budget.inSeconds, design: .balanced,
          headline: settings.headlineMetrics(of: layers),
          deltas: settings.deltas.isEmpty ? nil : settings.deltas) : nil,
      setsAsideDisturbed: settings.setAside,
      limits: JobLimits(
        queueSeconds: settings.limitQueue.inSeconds, setupSeconds: settings.limitSetup.inSeconds,
        totalSeconds: settings.limitTotal.inSeconds),
      tune: settings.tune ? true : nil, branch: sides.last.map { "\(settings.targetPackage) \($0.label)" },
      secrets: JobSecrets.names(settings, layers), profiles: settings.profiles)
  }

  static var owner: String {
    TerminalText.clean("\(NSUserName())@\(ProcessInfo.processInfo.hostName)", limit: 100)
  }
}

/// Layers 3 and 4 as they are asked for: their plans are made once the project is packed, since they name it.
struct CodeflashLayers: Sendable {
  var settings: Settings
  var layers: Set<LayerName>
  var isComparison = false
  /// The folder of the project that codeflash is run on; `nil` for another target, of which only commands are measured.
  var project: String?
  /// Whether a live service's answers are kept.
  var keepsRecordings = false

  func add(to plans: inout LayerPlans, project: UploadID?) {
    let run = project.map {
      CodeflashRunPlan(
        project: $0, answers: settings.optimizeAnswers, liveAddress: settings.optimizeLiveAddress,
        loopingSeconds: settings.optimizeLoopingTime.inSeconds, timeoutSeconds: settings.optimizeTimeout.inSeconds)
    }
    if layers.contains(.optimize), let run {
      plans.optimize = OptimizePlan(
        run: run, form: settings.optimizeForm, budgetSeconds: settings.optimizeBudget.inSeconds,
        blocks: settings.blocks(\.optimizeBlocks, "optimize.blocks", alone: 1, isComparison: isComparison),
        keepsRecordings: keepsRecordings, findings: keepsRecordings ? .never : settings.optimizeFindings)
    }
    if layers.contains(.memory) {
      plans.memory = MemoryPlan(
        run: run, commands: settings.startupCommands.filter { !$0.isControl },
        blocks: settings.blocks(\.memoryBlocks, "memory.blocks", alone: 3, isComparison: isComparison),
        measuresRun: run != nil && !layers.contains(.optimize), top: settings.memoryTop,
        timeoutSeconds: run == nil ? settings.startupTimeout.inSeconds : nil)
    }
  }
}

/// The secrets of a job: named in its manifest, taken from this program's environment, and written nowhere.
enum JobSecrets {
  private static let codeflashKey = "CODEFLASH_API_KEY"

  /// What the manifest names; `nil` for none.
  static func names(_ settings: Settings, _ layers: LayerPlans) -> [String]? {
    let isLive = [layers.optimize?.run.answers, layers.memory?.run?.answers].contains(.live)
    let names = Set(settings.secrets + (isLive ? [codeflashKey] : []))
    return names.isEmpty ? nil : names.sorted()
  }

  /// What a job that was submitted with these settings may need; the benchmark host takes what its manifest names.
  static func names(_ settings: Settings) -> [String] {
    settings.secrets + (settings.optimizeAnswers == .live ? [codeflashKey] : [])
  }

  /// The values of those that are here; the benchmark host's login may have the others.
  static func values(_ names: [String], environment: [String: String]) -> [String: String]? {
    let values = names.reduce(into: [String: String]()) { values, name in
      guard let given = environment[name] else { return }
      let value = name == codeflashKey ? given.trimmingCharacters(in: .whitespacesAndNewlines) : given
      if !value.isEmpty { values[name] = value }
    }
    return values.isEmpty ? nil : values
  }

  /// - Throws: ``Problem`` for what can't be a secret's name.
  static func check(_ settings: Settings) throws(Problem) {
    for name in settings.secrets {
      guard let objection = SecretNames.objection(to: name) else { continue }
      throw Problem(
        what: "'\(TerminalText.clean(name))' can't be a secret of the target's commands", why: "it \(objection)",
        fix: "name variables in the setting 'secrets', such as [MY_SERVICE_TOKEN]", exitStatus: .usage)
    }
  }
}
