import FoundationEssentials
import Shared

/// Layer 3: codeflash at work on a project whose opportunities are known: how long, how much memory, and what it found.
///
/// The unit is a run over all functions of the form, one codeflash process each. Each side first runs once on the quick
/// function under py-spy: that fills the caches, shows whether the side works at all, and where its time goes.
struct OptimizeLayer: Layer {
  static let name = LayerName.optimize
  /// A run is dear: the first blocks are for an answer.
  static let copyEvery = 6
  static let metric = CodeflashRunPlan.timeMetric
  private static let hotPaths = "hot paths of \(metric)"

  let plan: OptimizePlan
  private var work: Work?
  /// Said once: a side and function, or a metric.
  private var complaints: Set<String> = []
  private var timelines = ToldTimelines()
  /// Functions whose recording would be of a run that went wrong.
  private var broken: Set<String> = []

  private struct Work {
    var runner: CodeflashRunner
    var judge: FindingJudge
    var form: OptimizeForm
    var functions: [OpportunityList.Opportunity]
  }

  init(plan: OptimizePlan) { self.plan = plan }

  /// A job that records asks the real service as little as it can: once for each function.
  var blocks: Int { plan.keepsRecordings ? 0 : plan.blocks }

  func plannedSamples(sides: Int) -> Int { blocks * sides * 2 }

  var metrics: [PlannedMetric] {
    work == nil || plan.keepsRecordings ? [] : [.init(name: Self.metric), .init(name: CodeflashRunPlan.memoryMetric)]
  }

  private(set) var expectedBlockSeconds: Double?
  /// What is kept is all there already.
  /// Findings that are asked for come on top of the budget: reserved, they would leave nothing to measure in.
  func closingSeconds(telling: Telling) -> Double { 0 }

  /// What a run of both sides over all functions takes, in seconds; 0 where the blocks have all of them anyway.
  private var findingsSeconds: Double {
    guard let work, work.form != .full else { return 0 }
    return quickSeconds * Double(work.runner.project.list.functions.count)
  }
  /// Of one function on both sides.
  private var quickSeconds = 0.0

  // MARK: Preparing

  mutating func prepare(in context: LayerContext) throws {
    let runner = try CodeflashRunner.prepare(plan.run, keepsRecordings: plan.keepsRecordings, in: context)
    let judge = FindingJudge(runner: runner, remeasurement: try Remeasurement(runner))
    let list = runner.project.list
    let quick = list.functions.filter { $0.function == list.quick }
    var work = Work(runner: runner, judge: judge, form: .quick, functions: quick)
    if plan.keepsRecordings {
      self.work = work
      return try record(work, list: list, in: context)
    }
    let tools = try ProfilerTools.orSkipped(Self.hotPaths, of: Self.name, in: context)
    var seconds = 0.0
    for side in context.sides {
      try context.sink.emit(.phase(Phase(text: "rehearsing codeflash of \(side.label)", side: side.side)))
      let run = try rehearse(work, on: side, tools: tools, in: context)
      guard run.functions.allSatisfy({ $0.finding != .broken }) else { return }
      seconds += run.seconds
    }
    quickSeconds = seconds
    let expected = seconds * 2 * Double(list.functions.count)
    if plan.form == .full || (plan.form == .auto && expected <= plan.budgetSeconds) {
      work.form = .full
      work.functions = list.functions
    }
    expectedBlockSeconds = seconds * 2 * Double(work.functions.count)
    self.work = work
  }

  private mutating func rehearse(
    _ work: Work, on side: SideEnvironment, tools: ProfilerTools?, in context: LayerContext
  ) throws -> OptimizeRun {
    let output = work.runner.folder + "/py-spy.txt"
    try FileManager.default.removeIfThere(output)
    var tools = tools
    var run = try self.run(work, on: side, block: nil, position: 0, complains: tools == nil, in: context) { program in
      tools.map { PySpy.words(program, tools: $0, output: output) } ?? program
    }
    if tools != nil, let broken = run.report.functions.first(where: { $0.finding == .broken }) {
      // Codeflash, or py-spy, which may not look at other processes everywhere: without it the run tells.
      tools = nil
      run = try self.run(work, on: side, block: nil, position: 0, in: context)
      if run.report.functions.allSatisfy({ $0.finding != .broken }) {
        try skipHotPaths(
          "codeflash does not run under py-spy here: \(broken.reason ?? "no reason is known")", side, in: context)
      }
    }
    try context.sink.emit(.optimizeRun(run.report))
    guard tools != nil else { return run.report }
    // Written by py-spy in the end: it may not have come to that.
    let bytes = try? Data(contentsOf: URL(filePath: output))
    let stacks = PySpy.mainThread(String(decoding: bytes ?? Data(), as: UTF8.self))
    guard !stacks.isEmpty else {
      try skipHotPaths("py-spy wrote \(bytes == nil ? "nothing" : "no stack of the main thread")", side, in: context)
      return run.report
    }
    let tool = "py-spy \(ProfilerTools.pySpyVersion)"
    try context.sink.emit(
      .profiledPhases(
        ProfiledPhases(
          python: context.python, side: side.side, tool: tool, phases: CodeflashPhases.sort(stacks))))
    var gatherer = StackGatherer()
    for stack in stacks { gatherer.add(stack.frames, stack.seconds) }
    try context.sink.emit(
      .stacks(
        gatherer.profile(
          Self.name, metric: Self.metric, unit: .seconds, tool: tool, python: context.python, side: side.side)))
    return run.report
  }

  private func skipHotPaths(_ reason: String, _ side: SideEnvironment, in context: LayerContext) throws {
    try context.sink.emit(
      .skipped(
        Skipped(
          layer: Self.name, metric: Self.hotPaths, python: context.python, side: side.side, reason: reason)))
  }

  /// The form was chosen by a rehearsal's time, which is another one now.
  mutating func restore(_ blocks: [EarlierBlock]) {
    timelines.restore(blocks)
    guard var work, let form = blocks.compactMap(\.content.form).last, form != work.form else { return }
    let list = work.runner.project.list
    let perFunction = (expectedBlockSeconds ?? 0) / Double(max(1, work.functions.count))
    work.form = form
    work.functions = form == .full ? list.functions : list.functions.filter { $0.function == list.quick }
    expectedBlockSeconds = perFunction * Double(work.functions.count)
    self.work = work
  }

  mutating func discarded(_ block: Block) { timelines.discard(block) }

  // MARK: Measuring

  mutating func measure(_ block: Block, of open: Set<String>, in context: LayerContext) throws {
    guard let work else { return }
    for (position, name) in block.order.enumerated() {
      guard let side = context.environment(of: name) else { continue }
      let run = try self.run(work, on: side, block: block.number, position: position, in: context)
      if name != .copy { try context.sink.emit(.optimizeRun(run.report)) }
      // A run in which something is broken took another way: its time is no measurement.
      guard run.report.functions.allSatisfy({ $0.finding != .broken }) else {
        guard work.runner.service.isRunning else {
          self.work = nil
          return
        }
        continue
      }
      try emitSamples(of: run, arm: name, in: context)
    }
  }

  private struct Run {
    var report: OptimizeRun
    var userSeconds: Double
    var systemSeconds: Double
    var points: [MemoryTimeline.Point]
  }

  private mutating func run(
    _ work: Work, on side: SideEnvironment, block: Int?, position: Int, complains: Bool = true,
    purpose: OptimizeRun.Purpose? = nil, in context: LayerContext,
    wrap: ([String]) -> [String] = { $0 }
  ) throws -> Run {
    var functions: [FunctionRun] = []
    var memory = TreeMemory()
    var (wall, user, system) = (0.0, 0.0, 0.0)
    var points: [MemoryTimeline.Point] = []
    for opportunity in work.functions {
      let record = try work.runner.run(opportunity, on: side, block: block ?? 0, wrap: wrap)
      try context.checkpoint()
      let judgement = try work.judge.judge(record, on: side)
      functions.append(judgement.run)
      if record.sampler.memory.peakPSSBytes > memory.peakPSSBytes {
        points = record.sampler.thinned(to: 400)
      }
      memory.take(record.sampler.memory)
      wall += record.outcome.seconds
      user += record.outcome.userSeconds
      system += record.outcome.systemSeconds
      if let breakage = judgement.breakage, complains {
        try complain(breakage, opportunity.function, on: side, in: context)
      }
      if record.serviceEnded { break }
    }
    let report = OptimizeRun(
      purpose: purpose ?? (block == nil ? .rehearsal : .measured), python: context.python, side: side.side,
      block: block ?? 0,
      position: position, form: work.form, seconds: wall, cpuSeconds: user + system, memory: memory,
      network: work.runner.service.network.rawValue, functions: functions,
      listed: work.runner.project.list.functions.count)
    return Run(report: report, userSeconds: user, systemSeconds: system, points: points)
  }

  private mutating func emitSamples(of run: Run, arm: Arm, in context: LayerContext) throws {
    let report = run.report
    func sample(_ layer: LayerName, _ metric: String, _ value: Double, _ unit: MetricUnit) -> Sample {
      Sample(
        layer: layer, metric: metric, python: report.python, arm: arm, block: report.block,
        position: report.position, value: value, unit: unit)
    }
    var time = sample(Self.name, Self.metric, report.seconds, .seconds)
    time.userSeconds = run.userSeconds
    time.systemSeconds = run.systemSeconds
    try context.sink.emit(.sample(time))
    guard report.memory.peakPSSBytes > 0 else {
      guard complaints.insert(CodeflashRunPlan.memoryMetric).inserted else { return }
      return try context.sink.emit(
        .trouble(
          Trouble(
            layer: .memory, metric: CodeflashRunPlan.memoryMetric, python: report.python, side: report.side,
            problem: TreeSampler.sawNothing)))
    }
    try context.sink.emit(
      .sample(sample(.memory, CodeflashRunPlan.memoryMetric, Double(report.memory.peakPSSBytes), .bytes)))
    if arm != .copy, timelines.isFirst(report.side, block: report.block) {
      try context.sink.emit(
        .memoryTimeline(
          MemoryTimeline(python: report.python, side: report.side, block: report.block, points: run.points)))
    }
  }

  private mutating func complain(
    _ breakage: Breakage, _ function: String, on side: SideEnvironment, in context: LayerContext
  ) throws {
    guard complaints.insert("\(side.side) \(function)").inserted else { return }
    try context.sink.emit(
      .trouble(
        Trouble(
          layer: Self.name, metric: Self.metric, python: context.python, side: side.side,
          problem: Problem(
            what: "codeflash of \(side.label) is broken on \(function)", why: breakage.reason, fix: breakage.fix,
            exitStatus: .partial))))
  }

  // MARK: Ending

  private mutating func record(_ work: Work, list: OpportunityList, in context: LayerContext) throws {
    guard let side = context.sides.last else { return }
    var work = work
    if plan.form != .quick {
      work.form = .full
      work.functions = list.functions
    }
    let report = try run(work, on: side, block: nil, position: 0, in: context).report
    broken = Set(report.functions.filter { $0.finding == .broken }.map(\.function))
    try context.sink.emit(.optimizeRun(report))
  }

  /// Each side once over all functions: whether codeflash finds what there is to find is no question of one function.
  private mutating func lookForFindings(in context: LayerContext) throws {
    let rule = plan.findings ?? .never
    guard var work, findingsSeconds > 0, rule != .never, work.runner.service.isRunning else { return }
    let sides = rule == .head ? Array(context.sides.suffix(1)) : context.sides
    let needed = findingsSeconds * Double(sides.count) / Double(context.sides.count)
    guard rule == .always || (context.secondsLeft() ?? 0) >= needed else { return }
    work.functions = work.runner.project.list.functions
    work.form = .full
    for side in sides {
      try context.sink.emit(
        .phase(Phase(text: "codeflash of \(side.label) on all \(work.functions.count) functions", side: side.side)))
      let run = try run(work, on: side, block: nil, position: 0, purpose: .findings, in: context)
      try context.sink.emit(.optimizeRun(run.report))
    }
  }

  mutating func summarise(in context: LayerContext, telling: Telling) throws {
    try lookForFindings(in: context)
    guard let service = work?.runner.service else { return }
    for recording in try service.finish() where !broken.contains(recording.function) {
      try context.sink.emit(.recording(recording))
    }
    work = nil
  }
}

/// Of which block each side's use of memory over time was told: once is enough, if that block counts.
struct ToldTimelines {
  private var blocks: [Side: Int] = [:]

  /// Whether it is to be told of this block; it is then taken as told.
  mutating func isFirst(_ side: Side, block: Int) -> Bool {
    guard blocks[side] == nil else { return false }
    blocks[side] = block
    return true
  }

  mutating func discard(_ block: Block) { blocks = blocks.filter { $0.value != block.number } }

  /// What an earlier worker told.
  mutating func restore(_ earlier: [EarlierBlock]) {
    for block in earlier where block.finished.disturbance == nil {
      for side in block.content.timelines { blocks[side] = block.finished.block }
    }
  }
}

extension TreeMemory {
  /// The higher of each peak; what is counted is added.
  mutating func take(_ other: TreeMemory) {
    peakPSSBytes = max(peakPSSBytes, other.peakPSSBytes)
    peakRSSBytes = max(peakRSSBytes, other.peakRSSBytes)
    largestProcessBytes = max(largestProcessBytes, other.largestProcessBytes)
    processes += other.processes
    looks += other.looks
    costSeconds += other.costSeconds
  }
}
