import FoundationEssentials
import Shared

/// Layer 4: the peak memory of commands and of codeflash at work, and which lines hold it.
///
/// Each tool has a pass of its own, since each disturbs what it measures: peaks come from runs without any tool.
struct MemoryLayer: Layer {
  static let name = LayerName.memory

  let plan: MemoryPlan
  private var runner: CodeflashRunner?
  /// Commands that are still measured.
  private var commands: [StartupCommand] = []
  private var plainSeconds: [Side: Double] = [:]
  /// Seconds of one run of each command, both sides together.
  private var warmSeconds: [String: Double] = [:]
  private var timelines = ToldTimelines()
  private var saidNothingSeen = false

  init(plan: MemoryPlan) { self.plan = plan }

  var blocks: Int { plan.blocks }

  func plannedSamples(sides: Int) -> Int {
    plan.blocks * sides * 2 * (plan.commands.count + (plan.measuresRun ? 1 : 0))
  }

  static func metric(_ command: StartupCommand) -> String { "\(CodeflashRunPlan.memoryMetric): \(command.name)" }

  var metrics: [PlannedMetric] {
    commands.map { PlannedMetric(name: Self.metric($0)) }
      + (plan.measuresRun && runner != nil ? [PlannedMetric(name: CodeflashRunPlan.memoryMetric)] : [])
  }

  /// Without the run of codeflash, of which nothing is known yet.
  var expectedBlockSeconds: Double? { plan.measuresRun ? nil : 2 * warmSeconds.values.reduce(0, +) }

  /// Two tools on each side, of which tracemalloc takes about twice a plain run.
  func closingSeconds(telling: Telling) -> Double {
    // Without a plain run, as layer 3 has them: what such a run usually takes.
    runner == nil || !telling.includes(CodeflashRunPlan.memoryMetric) ? 0 : 3.5 * 2 * (plainSeconds.values.max() ?? 12)
  }

  // MARK: Preparing

  mutating func prepare(in context: LayerContext) throws {
    try FileManager.default.createDirectory(atPath: home(in: context), withIntermediateDirectories: true)
    commands = try plan.commands.filter { command in
      let started = MonotonicClock.seconds
      for side in context.sides where try peak(of: command, on: side, block: 0, in: context) == nil { return false }
      warmSeconds[command.name] = MonotonicClock.seconds - started
      return true
    }
    runner = try plan.run.map { try CodeflashRunner.prepare($0, in: context) }
  }

  /// The peak of one run of a command, in bytes; `nil`, and said so, when it fails.
  private func peak(
    of command: StartupCommand, on side: SideEnvironment, block: Int, in context: LayerContext
  ) throws -> Int? {
    let words: [String]
    switch StartupCommandLine.make(command, on: side, home: home(in: context)) {
    case .success(let line): words = line.words
    case .failure(let missing):
      try context.sink.emit(
        .skipped(
          Skipped(
            layer: Self.name, metric: Self.metric(command), python: context.python, side: side.side,
            reason: missing.reason)))
      return nil
    }
    let (outcome, bytes) = try PeakRSSProbe.measure(
      words,
      environment: context.surroundings(of: block).applied(
        to: StartupCommandLine.sharedEnvironment(side, home: home(in: context))),
      directory: home(in: context), limitSeconds: plan.timeoutSeconds ?? plan.run?.timeoutSeconds ?? 60,
      report: context.scratch + "/peak",
      agent: context.agent)
    if let reason = command.reasonToPassOver(outcome, on: side) {
      try context.sink.emit(
        .skipped(
          Skipped(layer: Self.name, metric: Self.metric(command), python: context.python, side: nil, reason: reason)))
      return nil
    }
    guard outcome.succeeded, let bytes else {
      try trouble(
        Self.metric(command), side.side,
        Problem(
          what: "\(command.name) \(outcome.end.words) on \(side.label)", why: outcome.outputTail(),
          fix: "make '\(command.arguments.joined(separator: " "))' exit with 0, or take it out of the commands",
          exitStatus: .partial), in: context)
      return nil
    }
    return bytes
  }

  private func trouble(_ metric: String, _ side: Side, _ problem: Problem, in context: LayerContext) throws {
    try context.sink.emit(
      .trouble(Trouble(layer: Self.name, metric: metric, python: context.python, side: side, problem: problem)))
  }

  mutating func restore(_ blocks: [EarlierBlock]) { timelines.restore(blocks) }

  mutating func discarded(_ block: Block) { timelines.discard(block) }

  // MARK: Measuring

  mutating func measure(_ block: Block, of open: Set<String>, in context: LayerContext) throws {
    for command in commands where open.contains(Self.metric(command)) {
      for (position, name) in block.order.enumerated() {
        guard let side = context.environment(of: name) else { continue }
        guard let bytes = try peak(of: command, on: side, block: block.number, in: context) else {
          commands.removeAll { $0 == command }
          break
        }
        try emit(Self.metric(command), bytes, name, block, position, in: context)
      }
    }
    guard plan.measuresRun, open.contains(CodeflashRunPlan.memoryMetric), let runner else { return }
    for (position, name) in block.order.enumerated() {
      guard let side = context.environment(of: name) else { continue }
      let record = try runner.run(quick(runner), on: side, block: block.number)
      try context.checkpoint()
      guard try works(record, on: side, in: context) else {
        self.runner = nil
        return
      }
      plainSeconds[side.side] = min(plainSeconds[side.side] ?? .infinity, record.outcome.seconds)
      try emit(CodeflashRunPlan.memoryMetric, record.sampler.memory.peakPSSBytes, name, block, position, in: context)
      if name != .copy, timelines.isFirst(side.side, block: block.number) {
        try context.sink.emit(
          .memoryTimeline(
            MemoryTimeline(
              python: context.python, side: side.side, block: block.number, points: record.sampler.thinned(to: 400))))
      }
    }
  }

  private mutating func emit(
    _ metric: String, _ bytes: Int, _ arm: Arm, _ block: Block, _ position: Int, in context: LayerContext
  ) throws {
    guard bytes > 0 else {
      if !saidNothingSeen { try trouble(metric, arm.side, TreeSampler.sawNothing, in: context) }
      saidNothingSeen = true
      return
    }
    try context.sink.emit(
      .sample(
        Sample(
          layer: Self.name, metric: metric, python: context.python, arm: arm, block: block.number,
          position: position, value: Double(bytes), unit: .bytes)))
  }

  private func quick(_ runner: CodeflashRunner) throws -> OpportunityList.Opportunity {
    let list = runner.project.list
    guard let found = list.functions.first(where: { $0.function == list.quick }) else {
      preconditionFailure("a list that was read has its quick function")
    }
    return found
  }

  /// False, and said so, when codeflash is broken: what it then holds is not what it needs.
  private func works(
    _ record: CodeflashRunner.Record, on side: SideEnvironment, under tool: String? = nil, in context: LayerContext
  ) throws -> Bool {
    guard let breakage = Breakage(record) else { return true }
    try trouble(
      CodeflashRunPlan.memoryMetric, side.side,
      Problem(
        what: "codeflash of \(side.label) is broken on \(record.opportunity.function)"
          + (tool.map { " under \($0)" } ?? ""),
        why: breakage.reason, fix: breakage.fix, exitStatus: .partial), in: context)
    return false
  }

  // MARK: Which lines hold it

  mutating func summarise(in context: LayerContext, telling: Telling) throws {
    guard let runner else { return }
    guard telling.includes(CodeflashRunPlan.memoryMetric) else {
      _ = try runner.service.finish()
      return
    }
    let worker = try MemoryTools(folder: runner.folder, top: plan.top)
    let tools = try ProfilerTools.orSkipped("memray", of: Self.name, in: context)
    for tool in MemoryProfile.Tool.allCases where tool == .tracemalloc || tools != nil {
      for side in context.sides {
        try context.sink.emit(.phase(Phase(text: "\(tool.rawValue) on codeflash of \(side.label)", side: side.side)))
        try context.checkpoint()
        let record = try runner.run(
          quick(runner), on: side, block: 0, wrap: { worker.wrap($0, tool: tool, tools: tools) })
        guard try works(record, on: side, under: tool.rawValue, in: context) else { continue }
        let profile = try worker.report(
          tool, of: record.opportunity.function, after: record.outcome, on: side, tools: tools,
          plainSeconds: plainSeconds[side.side], in: context)
        try context.sink.emit(.memoryProfile(profile.lines))
        if let stacks = profile.stacks { try context.sink.emit(.stacks(stacks)) }
      }
    }
    _ = try runner.service.finish()
  }

  private func home(in context: LayerContext) -> String { context.scratch + "/memory-home" }
}
