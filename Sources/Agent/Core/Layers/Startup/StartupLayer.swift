import FoundationEssentials
import Shared

/// Layer 1: whole commands, timed by hyperfine or by the agent itself, all arms in one block; and the import tree.
struct StartupLayer: Layer {
  static let name = LayerName.startup

  let plan: StartupPlan
  private var hyperfine: Hyperfine?
  /// What is still measured, in the plan's order.
  private var standing: [Metric] = []
  /// Seconds of one run of each command, from warming up: both sides together.
  private var warmSeconds: [String: Double] = [:]

  struct Metric {
    var command: StartupCommand
    var lines: [Arm: StartupCommandLine]
    /// Without bytecode, and where the machine permits without page cache: a metric of its own.
    var isCold = false
    /// False for an import that imports nothing of the target: Python's own start, of which nothing is to be proved.
    var isJudged = true

    var name: String { isCold ? "\(command.name), cold" : command.name }
  }

  init(plan: StartupPlan) { self.plan = plan }

  var blocks: Int { plan.blocks }

  func plannedSamples(sides: Int) -> Int {
    let cold = plan.measuresCold ? plan.commands.count { !$0.isControl } : 0
    return plan.blocks * (plan.commands.count + cold) * sides * 2
  }

  var metrics: [PlannedMetric] {
    standing.map { PlannedMetric(name: $0.name, isControl: $0.command.isControl, isJudged: $0.isJudged) }
  }

  /// Each command runs twice a side.
  var expectedBlockSeconds: Double? { standing.isEmpty ? nil : 2 * warmSeconds.values.reduce(0, +) }

  /// The trace makes a start about a tenth slower.
  func closingSeconds(telling: Telling) -> Double {
    let round = 1.1 * traced.reduce(0) { $0 + (warmSeconds[$1.command.name] ?? 0) }
    return min(Double(plan.importRuns) * round, max(2 * round, Self.traceSeconds))
  }

  /// After so many seconds no further round of traces is begun, once each command has two.
  private static let traceSeconds = 10.0
  /// Commands whose imports are traced.
  private var traced: [Metric] { standing.filter { !$0.command.isControl && !$0.isCold } }

  // MARK: Preparing

  /// `nil` where there is none that can be used: the agent then times the commands itself, and says so.
  private func findHyperfine(in context: LayerContext) throws -> Hyperfine? {
    let why: String
    switch Hyperfine.Finding(context.environment, home: context.home) {
    case .good(let found): return found
    case .missing: why = "hyperfine is not there or does not run"
    case .old(let version): why = "hyperfine \(version) is too old"
    }
    try context.sink.emit(.phase(Phase(text: "\(why): the agent times the commands itself")))
    return nil
  }

  mutating func prepare(in context: LayerContext) throws {
    if plan.engine == .hyperfine { hyperfine = try findHyperfine(in: context) }
    try FileManager.default.createDirectory(atPath: home(in: context), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: folder(in: context), withIntermediateDirectories: true)
    standing = []
    for command in plan.commands {
      guard let lines = try commandLines(of: command, in: context) else { continue }
      var metric = Metric(command: command, lines: lines)
      guard try warmUp(metric, in: context) else { continue }
      if plan.importRuns > 0, command.arguments == importing(context).arguments {
        metric.isJudged = try !importsNothing(metric, in: context)
      }
      standing.append(metric)
      if plan.measuresCold, !command.isControl { standing.append(Metric(command: command, lines: lines, isCold: true)) }
    }
    // Where nothing else was asked for it is measured like any other: a layer without a question has no block.
    if !standing.contains(where: { $0.isJudged && !$0.command.isControl }) {
      for index in standing.indices { standing[index].isJudged = true }
    }
  }

  /// The command on each side; `nil`, and said so, when a side does not have it.
  private func commandLines(
    of command: StartupCommand, in context: LayerContext
  ) throws -> [Arm: StartupCommandLine]? {
    var lines: [Arm: StartupCommandLine] = [:]
    var missing: [(side: Side, reason: String)] = []
    for side in context.arms {
      switch StartupCommandLine.make(command, on: side, home: home(in: context)) {
      case .success(let line): lines[side.arm] = line
      case .failure(let failure): missing.append((side.side, failure.reason))
      }
    }
    guard let first = missing.first else { return lines }
    try context.sink.emit(
      .skipped(
        Skipped(
          layer: Self.name, metric: command.name, python: context.python,
          side: missing.count == context.sides.count ? nil : first.side,
          reason: missing.map(\.reason).joined(separator: "; ") + context.onlyOneSideWords(missing: missing.count))))
    return nil
  }

  /// Runs that are not counted: they fill the caches, and show whether the command works at all.
  private mutating func warmUp(_ metric: Metric, in context: LayerContext) throws -> Bool {
    var seconds = 0.0
    for side in context.arms {
      for _ in 0..<max(1, plan.warmupRuns) {
        let outcome = try runPlainly(metric, on: side, block: 0, in: context)
        guard outcome.succeeded else {
          try complain(metric, side: side, outcome: outcome, in: context)
          return false
        }
        if side.arm != .copy { seconds += outcome.seconds / Double(max(1, plan.warmupRuns)) }
      }
    }
    warmSeconds[metric.command.name] = seconds
    return true
  }

  private func runPlainly(
    _ metric: Metric, on side: SideEnvironment, block: Int, in context: LayerContext
  ) throws -> ChildProcess.Outcome {
    let words = metric.lines[side.arm]?.words ?? []
    return try ChildProcess(
      words: words, environment: environment(of: side, block: block, in: context),
      directory: folder(in: context), limitSeconds: plan.timeoutSeconds, outputLimit: 1 << 20
    ).run()
  }

  func complain(
    _ metric: Metric, side: SideEnvironment, outcome: ChildProcess.Outcome, in context: LayerContext
  ) throws {
    let words = outcome.outputTail()
    if let reason = metric.command.reasonToPassOver(outcome, on: side) {
      return try context.sink.emit(
        .skipped(Skipped(layer: Self.name, metric: metric.name, python: context.python, side: nil, reason: reason)))
    }
    try trouble(
      metric, side: side.side,
      Problem(
        what: "\(metric.command.name) \(outcome.end.words) on \(side.label)",
        why: words.isEmpty ? "it printed nothing" : words,
        fix: outcome.end == .timedOut
          ? "make the command end within \(plan.timeoutSeconds) s, or raise the layer's time limit"
          : "make '\(metric.command.arguments.joined(separator: " "))' exit with 0, or take it out of the commands",
        exitStatus: .partial), in: context)
  }

  private func trouble(_ metric: Metric, side: Side?, _ problem: Problem, in context: LayerContext) throws {
    try context.sink.emit(
      .trouble(
        Trouble(
          layer: Self.name, metric: metric.name, python: context.python, side: side, problem: problem)))
  }

  // MARK: Measuring

  mutating func measure(_ block: Block, of open: Set<String>, in context: LayerContext) throws {
    try FileManager.default.makeFresh(folder(of: block, in: context))
    var lost: Set<String> = []
    for metric in standing where open.contains(metric.name) {
      try context.checkpoint()
      let isWhole =
        if let hyperfine, !metric.isCold {
          try measure(metric, by: hyperfine, block, in: context)
        } else {
          try measureBySpawning(metric, block, in: context)
        }
      if !isWhole { lost.insert(metric.name) }
    }
    standing.removeAll { lost.contains($0.name) }
  }

  /// False when the metric can't be measured any more.
  private func measure(
    _ metric: Metric, by hyperfine: Hyperfine, _ block: Block, in context: LayerContext
  ) throws -> Bool {
    guard let anySide = context.sides.first else { return false }
    var failed: Arm?
    var seen = 0
    let outcome = try hyperfine.runOnce(
      block.order.map { metric.lines[$0]?.quoted ?? "" },
      environment: environment(of: anySide, block: block.number, in: context),
      directory: folder(of: block, in: context),
      limitSeconds: plan.timeoutSeconds * Double(block.order.count) + 10
    ) { position, run in
      guard position < block.order.count, let seconds = run.seconds else { return }
      seen += 1
      guard run.exitCode == 0 else {
        failed = failed ?? block.order[position]
        return
      }
      try context.sink.emit(
        .sample(
          Sample(
            layer: Self.name, metric: metric.name, python: context.python, arm: block.order[position],
            block: block.number, position: position, value: seconds, userSeconds: run.user,
            systemSeconds: run.system, exitCode: run.exitCode, isControl: metric.command.isControl)))
    }
    if outcome.end == .timedOut {
      let side = seen < block.order.count ? context.environment(of: block.order[seen]) : nil
      try complain(metric, side: side ?? anySide, outcome: outcome, in: context)
      return false
    }
    if let failed, let side = context.environment(of: failed) {
      try explainFailure(of: metric, on: side, block: block, in: context)
      return false
    }
    guard outcome.succeeded, seen == block.order.count else {
      try trouble(
        metric, side: nil,
        Problem(
          what: "hyperfine \(outcome.end.words) while it timed \(metric.command.name)", why: outcome.outputTail(),
          fix: "run on the benchmark host: hyperfine -N -r 1 '\(metric.command.arguments.joined(separator: " "))'",
          exitStatus: .partial), in: context)
      return false
    }
    return true
  }

  /// hyperfine keeps nothing of what a command says: it is run once more, for its last output.
  func explainFailure(
    of metric: Metric, on side: SideEnvironment, block: Block, in context: LayerContext
  ) throws {
    let again = try runPlainly(metric, on: side, block: block.number, in: context)
    guard again.succeeded else { return try complain(metric, side: side, outcome: again, in: context) }
    try trouble(
      metric, side: side.side,
      Problem(
        what: "\(metric.command.name) failed on \(side.label) in block \(block.number)",
        why: "run once more right afterwards it exited with 0: it does not fail each time",
        fix: "look for what it shares with other runs (files, ports, time), or take it out of the commands",
        exitStatus: .partial), in: context)
  }

  // MARK: Import trees

  private func importing(_ context: LayerContext) -> StartupCommand {
    let name = "import \(context.target.importName)"
    return StartupCommand(name: name, arguments: ["python", "-c", name], isControl: false)
  }

  private func importsNothing(_ metric: Metric, in context: LayerContext) throws -> Bool {
    try context.sides.allSatisfy { side in
      // Of a few: one that was held up says nothing of the package.
      try (0..<3).contains { run in
        let modules = try trace(metric, on: side, in: context).modules
        return ImportTree(side: side.side, python: context.python, run: run, modules: modules)
          .importsNothing(of: context.target.importName)
      }
    }
  }

  mutating func summarise(in context: LayerContext, telling: Telling) throws {
    var open = traced
    if !plan.commands.contains(where: { $0.arguments == importing(context).arguments }),
      let lines = try commandLines(of: importing(context), in: context)
    {
      open.append(Metric(command: importing(context), lines: lines))
    }
    let started = MonotonicClock.seconds
    for run in 0..<plan.importRuns where run < 2 || MonotonicClock.seconds - started < Self.traceSeconds {
      for metric in open {
        for side in run.isMultiple(of: 2) ? context.sides : context.sides.reversed() {
          try context.checkpoint()
          if try !emitImportTree(of: metric, on: side, run: run, in: context) {
            open.removeAll { $0.name == metric.name }
            break
          }
        }
      }
    }
  }

  /// The most that is kept of an import report: over ten thousand modules. What the imported code prints is not.
  private static let importReportBytes = 2 << 20

  private func trace(
    _ metric: Metric, on side: SideEnvironment, in context: LayerContext
  ) throws -> (outcome: ChildProcess.Outcome, modules: [ImportedModule]) {
    var environment = environment(of: side, block: 0, in: context)
    environment[ImportTimeReport.variable] = "1"
    let outcome = try ChildProcess(
      words: metric.lines[side.arm]?.words ?? [], environment: environment, directory: folder(in: context),
      limitSeconds: plan.timeoutSeconds, outputLimit: 64 << 10, errorLimit: Self.importReportBytes
    ).run()
    return (outcome, ImportTimeReport.modules(in: outcome.error))
  }

  /// False, and said so, when the command fails; a program that is no Python has no tree.
  private func emitImportTree(
    of metric: Metric, on side: SideEnvironment, run: Int, in context: LayerContext
  ) throws -> Bool {
    let (outcome, modules) = try trace(metric, on: side, in: context)
    guard outcome.succeeded else {
      let words = ImportTimeReport.otherLines(in: outcome.error).suffix(6).joined(separator: "\n")
      try trouble(
        metric, side: side.side,
        Problem(
          what: "the import tree of \(side.label) can't be taken: '\(metric.name)' \(outcome.end.words)",
          why: words.isEmpty ? "it printed nothing" : words,
          fix: "check the target's import name in the settings, and that it imports on this side",
          exitStatus: .partial), in: context)
      return false
    }
    guard !modules.isEmpty else { return false }
    try context.sink.emit(
      .importTree(
        ImportTree(side: side.side, python: context.python, metric: metric.name, run: run, modules: modules)))
    return true
  }

  // MARK: Surroundings

  /// Where the commands of a block run: the same for all arms.
  func folder(of block: Block, in context: LayerContext) -> String {
    "\(folder(in: context))/\(context.surroundings(of: block.number).folder)"
  }

  func environment(of side: SideEnvironment, block: Int, in context: LayerContext) -> [String: String] {
    let shared = StartupCommandLine.sharedEnvironment(side, home: home(in: context))
    return context.surroundings(of: block).applied(to: shared)
  }

  /// The measured commands' HOME, filled by the warm-up.
  private func home(in context: LayerContext) -> String { context.scratch + "/startup-home" }
  /// Where the measured commands run: the same for both sides.
  func folder(in context: LayerContext) -> String { context.scratch + "/startup" }
}

extension LayerContext {
  /// The end of a reason: what becomes of the side that could be measured.
  func onlyOneSideWords(missing: Int) -> String {
    missing < sides.count ? "; not measured on the other side either, there is nothing to hold it against" : ""
  }
}
