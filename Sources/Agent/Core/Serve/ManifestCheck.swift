import Shared

/// Bounds that a manifest must keep, whoever wrote it.
enum ManifestCheck {
  private static func isIdentifier(_ part: Substring) -> Bool {
    guard let first = part.unicodeScalars.first, first == "_" || first.properties.isXIDStart else { return false }
    return part.unicodeScalars.allSatisfy { $0 == "_" || $0.properties.isXIDContinue }
  }

  static func check(_ manifest: JobManifest) throws {
    func refuse(_ why: String) -> Problem {
      Problem(
        what: "the job's manifest can't be carried out", why: why,
        fix: "check the settings it was made from; a controller of this release makes valid ones", exitStatus: .usage)
    }
    guard manifest.schema == 1 else { throw refuse("its layout is version \(manifest.schema), this agent reads 1") }
    let sides = manifest.sides.map(\.side)
    guard sides == [.head] || sides == [.base, .head] else { throw refuse("its sides must be head, or base and head") }
    guard !manifest.python.versions.isEmpty, manifest.python.versions.count <= 16 else {
      throw refuse("it must name 1 to 16 Python versions")
    }
    guard !manifest.layers.names.isEmpty else { throw refuse("it names no layer") }
    let limits = [manifest.limits.queueSeconds, manifest.limits.setupSeconds, manifest.limits.totalSeconds]
    guard limits.allSatisfy({ $0 > 0 && $0 <= 7 * 86_400 }) else { throw refuse("a limit lies outside 0 to 7 days") }
    let (package, module) = (manifest.target.package, manifest.target.importName)
    guard (try? Requirement(package))?.text == Requirement.normalised(package), package.first != "-" else {
      throw refuse("'\(HostReader.printable(package))' is no distribution's name")
    }
    // It becomes part of a program (`import NAME`).
    guard module.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isIdentifier) else {
      throw refuse("'\(HostReader.printable(module))' is no module's name")
    }
    let names = [manifest.owner, manifest.branch ?? "", manifest.createdAt] + manifest.sides.map(\.label)
    guard names.allSatisfy({ $0.utf8.count <= 4096 && HostReader.printable($0) == $0 }) else {
      throw refuse("an owner, a branch or a label is very long or holds control characters")
    }
    for name in manifest.secrets ?? [] {
      if let objection = SecretNames.objection(to: name) { throw refuse("a secret's name, '\(name)', \(objection)") }
    }
    guard (manifest.secrets ?? []).count <= 32 else { throw refuse("it names more than 32 secrets") }
    if let stopping = manifest.stopping {
      guard stopping.alpha > 0, stopping.alpha <= 0.5, stopping.delta > 0, stopping.delta <= 1 else {
        throw refuse("alpha must lie above 0 and be at most 0.5, delta above 0 and at most 1")
      }
      guard (stopping.deltas ?? []).allSatisfy({ $0.delta > 0 && $0.delta <= 1 }) else {
        throw refuse("the delta of a metric must lie above 0 and be at most 1")
      }
      guard (0...7 * 86_400).contains(stopping.budgetSeconds) else {
        throw refuse("the budget lies outside 0 to 7 days")
      }
    }
    if let startup = manifest.layers.startup {
      guard (1...10_000).contains(startup.blocks), (0...100).contains(startup.warmupRuns),
        (0...100).contains(startup.importRuns), startup.timeoutSeconds > 0
      else { throw refuse("a count of the startup layer is out of bounds") }
      guard !startup.commands.isEmpty, startup.commands.allSatisfy({ !$0.arguments.isEmpty }) else {
        throw refuse("the startup layer has no command, or an empty one")
      }
    }
    if let micro = manifest.layers.micro {
      guard (1...10_000).contains(micro.blocks), (1...1000).contains(micro.repeats), micro.repeatSeconds > 0,
        micro.timeoutSeconds > 0, (0...1000).contains(micro.profileTop)
      else { throw refuse("a count of the micro layer is out of bounds") }
      guard Set(micro.targets.map(\.name)).count == micro.targets.count,
        !micro.targets.isEmpty || micro.suite != nil
      else {
        throw refuse("the micro layer has no target, or two of the same name")
      }
      guard micro.suite.map({ BenchmarkSuite.isPath($0.path) }) ?? true else {
        throw refuse("the path of the micro layer's benchmarks leaves the project")
      }
    }
    for run in [manifest.layers.optimize?.run, manifest.layers.memory?.run].compactMap(\.self) {
      guard run.loopingSeconds > 0, run.loopingSeconds <= 3600, run.timeoutSeconds > 0, run.timeoutSeconds <= 86_400
      else { throw refuse("a time of a run of codeflash is out of bounds") }
      let isAddress = ["http://", "https://"].contains { run.liveAddress.hasPrefix($0) }
      guard isAddress else { throw refuse("the live service's address starts with neither http:// nor https://") }
    }
    if let optimize = manifest.layers.optimize {
      guard (1...1000).contains(optimize.blocks), optimize.budgetSeconds >= 0 else {
        throw refuse("a count of the optimize layer is out of bounds")
      }
      guard !optimize.keepsRecordings || optimize.run.answers == .live else {
        throw refuse("only answers of the live service can be recorded")
      }
    }
    if let memory = manifest.layers.memory {
      guard (1...1000).contains(memory.blocks), (1...2000).contains(memory.top),
        memory.commands.allSatisfy({ !$0.arguments.isEmpty }), memory.timeoutSeconds ?? 1 > 0,
        memory.run != nil || (!memory.measuresRun && !memory.commands.isEmpty)
      else { throw refuse("a count or a command of the memory layer is out of bounds") }
    }
  }
}
