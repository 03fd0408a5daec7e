import Shared
import Statistics

/// Measures the layers of one interpreter: prepares them all, gives each its turns, and lets each say what is not timed.
///
/// A turn is a block of one layer. With a rule for stopping, turns go where they buy most, only open metrics are measured,
/// and it ends when all are decided, the budget is spent, or no block can decide anything in the time left. Without one,
/// each layer measures all of its blocks, one layer after the other.
///
/// Where a worker died, the next one goes on behind the last block that was finished: with its numbers, its order and all that
/// was known by then. A block that was cut off is measured again, under its own number.
final class Schedule {
  private var entries: [Entry]
  private let context: LayerContext
  private let tally: SampleAccumulator
  private let stopping: StoppingRule?
  private let budgetSeconds: Double
  private var interference: InterferenceMonitor
  private let trouble: (LayerName, any Error) throws -> Void
  private let past: [EarlierBlock]
  private let pastSeconds: Double
  private var began = MonotonicClock.seconds

  private struct Entry {
    var layer: any Layer
    var order: BlockOrder
    /// What could be measured after preparing.
    var planned: [PlannedMetric] = []
    /// Turns taken, and those among them that count.
    var turns = 0
    var counted = 0
    /// Seconds that the layer took, and what a run of each of its blocks took on average.
    var seconds = 0.0
    var runSeconds: [Double] = []
    var hasFailed = false
    /// Steps that failed one after the other.
    var failures = 0

    var name: LayerName { type(of: layer).name }
    var isOpen: Bool { !hasFailed && counted < layer.blocks && !layer.metrics.isEmpty }
    /// What the next block takes, going by the runs of those before: one with the control arm has more of them.
    var nextBlockSeconds: Double? {
      guard let run = Quantile.median(runSeconds) else { return layer.expectedBlockSeconds }
      var order = order
      return run * Double(order.block(turns).order.count)
    }
  }

  /// - Parameters:
  ///   - budgetSeconds: For how long may be measured, closing included; infinite without a rule for stopping.
  ///   - past: Blocks of this interpreter that are kept, and what of the budget they took, in seconds.
  ///   - trouble: Told what ended a layer early; throws when the job can't go on.
  init(
    _ layers: [any Layer], in context: LayerContext, stopping: StoppingRule?, budgetSeconds: Double,
    setsAsideDisturbed: Bool, past: (blocks: [EarlierBlock], seconds: Double) = ([], 0),
    trouble: @escaping (LayerName, any Error) throws -> Void
  ) {
    self.past = past.blocks
    pastSeconds = past.seconds
    tally = SampleAccumulator(context.sink, stopping: stopping?.plan, hasCopyArm: context.copy != nil)
    var context = context
    context.sink = tally
    self.context = context
    self.stopping = stopping
    self.budgetSeconds = budgetSeconds
    self.trouble = trouble
    interference = InterferenceMonitor(isOn: setsAsideDisturbed)
    entries = layers.map { layer in
      Entry(
        layer: layer,
        order: BlockOrder(
          seed: context.seed, layer: type(of: layer).name, python: context.python, sides: context.sides.map(\.side),
          copyEvery: context.copy == nil ? nil : type(of: layer).copyEvery, design: stopping?.design ?? .mirrored))
    }
  }

  /// What the metrics of a comparison brought, in one family.
  var questions: [Question] { metrics.map { tally.question($0) } }

  /// The metrics that the verdicts of a comparison are about.
  private var metrics: [String] {
    entries.flatMap { entry in entry.planned.filter { !$0.isControl && $0.isJudged }.map(\.name) }
  }

  func run() throws {
    try forEachLayer { entry in
      try self.context.sink.emit(
        .layerStarted(
          LayerStarted(
            layer: entry.name, python: self.context.python,
            plannedSamples: entry.layer.plannedSamples(sides: self.context.sides.count))))
      // A second attempt begins where the first did.
      var layer = entry.layer
      try layer.prepare(in: self.context)
      entry.layer = layer
      entry.planned = layer.metrics
    }
    if !past.isEmpty { restore() }
    try sayWhatItTakes()
    while let turn = nextTurn() ?? controlTurn() { try attempt(turn.index) { try self.measure(&$0, turn) } }
    try sayWhatWasNotMeasured()
    let telling = telling
    var context = context
    for index in entries.indices where !entries[index].hasFailed {
      let others = entries[(index + 1)...].filter { !$0.hasFailed }
      let reserved = others.reduce(0) { $0 + $1.layer.closingSeconds(telling: telling) }
      context.secondsLeft = { [unowned self] in
        budgetSeconds.isFinite ? budgetSeconds - secondsSpent - reserved : nil
      }
      try attempt(index, attempts: 1) { entry in try entry.layer.summarise(in: context, telling: telling) }
    }
    let open = stopping?.open(metrics, in: tally) ?? [:]
    try forEachLayer(attempts: 1) { entry in
      try self.context.sink.emit(
        .layerFinished(
          LayerFinished(
            layer: entry.name, python: self.context.python, seconds: entry.seconds,
            metrics: entry.planned.map(\.name),
            reachedMostBlocks: entry.counted >= entry.layer.blocks && entry.planned.contains { open[$0.name] != nil }
              ? true : nil)))
    }
  }

  private var telling: Telling {
    switch context.profiles {
    case .always: .all
    case .never: .only([])
    case .moved: stopping.map { .only($0.telling(metrics, in: tally)) } ?? .all
    }
  }

  /// Takes up what was measured before. Preparing again is not charged to the budget a second time.
  private func restore() {
    for index in entries.indices {
      let blocks = past.filter { $0.finished.layer == entries[index].name }
      for number in blocks.indices { _ = entries[index].order.block(number) }
      entries[index].turns = blocks.count
      entries[index].counted = blocks.count { $0.finished.disturbance == nil }
      entries[index].runSeconds = blocks.map { $0.finished.seconds / Double(max(1, $0.finished.order.count)) }
      entries[index].seconds += blocks.reduce(0) { $0 + $1.finished.seconds }
      entries[index].layer.restore(blocks)
    }
    tally.restore(past)
    began = MonotonicClock.seconds - pastSeconds
  }

  private func forEachLayer(attempts: Int = Schedule.attempts, _ step: (inout Entry) throws -> Void) throws {
    for index in entries.indices {
      var isDone = false
      while !isDone, !entries[index].hasFailed { isDone = try attempt(index, attempts: attempts, step) }
    }
  }

  /// So often a step that fails is tried: what it met may pass.
  private static let attempts = 3

  /// Does a step of a layer, and takes the layer out when it fails too often, or for a reason that does not pass.
  /// - Returns: whether it was done.
  @discardableResult
  private func attempt(
    _ index: Int, attempts: Int = Schedule.attempts, _ step: (inout Entry) throws -> Void
  ) throws -> Bool {
    try context.checkpoint()
    let started = MonotonicClock.seconds
    // A copy: the step may ask about the other layers, and that includes this place.
    var entry = entries[index]
    defer {
      entry.seconds += MonotonicClock.seconds - started
      entries[index] = entry
    }
    do {
      try step(&entry)
      entry.failures = 0
      return true
    } catch {
      try context.checkpoint()
      entry.failures += 1
      let problem = Problem(error, at: context.home.path)
      let passes = problem.exitStatus != .usage && StorageFailure(full: error, at: context.home.path) == nil
      if passes, entry.failures < attempts, secondsSpent < budgetSeconds {
        try context.sink.emit(.phase(Phase(text: "layer \(entry.name.rawValue) is tried again: \(problem.what)")))
      } else {
        try trouble(entry.name, error)
        entry.hasFailed = true
      }
      return false
    }
  }

  // MARK: Turns

  private struct Turn {
    var index: Int
    /// What is measured in it.
    var open: Set<String>
    /// How many metrics are open in all; `nil` without a rule for stopping.
    var openInAll: Int?
    var isOfControls = false
  }

  /// Blocks of what is shown and not judged.
  private static let shownBlocks = 4

  /// Since the interpreter's turn began, in seconds.
  var secondsSpent: Double { MonotonicClock.seconds - began }

  private func nextTurn() -> Turn? {
    guard let stopping else {
      guard let index = entries.firstIndex(where: \.isOpen) else { return nil }
      return Turn(index: index, open: Set(entries[index].layer.metrics.map(\.name)))
    }
    let open = stopping.open(metrics, in: tally)
    let left = secondsLeft
    let candidates = entries.map { entry in
      let names = entry.isOpen ? entry.layer.metrics.filter { open[$0.name] != nil }.map(\.name) : []
      func needed(_ names: [String]) -> [Int?] {
        names.map { name in open[name].flatMap { open in open.blocksNeeded.map { max(1, $0 - open.blocks) } } }
      }
      let headline = names.filter(stopping.headline.contains)
      return LayerScheduler.Candidate(
        blocks: entry.counted, blockSeconds: entry.nextBlockSeconds, needed: needed(names),
        headline: needed(headline), most: entry.layer.blocks, isTold: headline.allSatisfy { open[$0]?.isTold ?? false })
    }
    let least = [true, false].map { stopping.leastBlocks(metrics, isHeadline: $0) }
    guard
      let index = LayerScheduler.next(candidates, least: least[1], leastHeadline: least[0], secondsLeft: left)
    else { return nil }
    // Controls run along for as long as their layer does, and what is only shown for its first blocks.
    let isEarly = entries[index].counted < Self.shownBlocks
    let names = entries[index].layer.metrics.filter {
      $0.isControl || open[$0.name] != nil || (isEarly && !$0.isJudged)
    }.map(\.name)
    return Turn(index: index, open: Set(names), openInAll: open.count)
  }

  /// What of the budget is left for blocks.
  private var secondsLeft: Double {
    let telling = telling
    let closing = entries.filter { !$0.hasFailed }.reduce(0) { $0 + $1.layer.closingSeconds(telling: telling) }
    return budgetSeconds - secondsSpent - closing
  }

  /// In so many blocks of its layer a control that moves by 5 % is told on a machine whose runs scatter by 2 %.
  static let controlBlocks = 10

  /// Controls alone: their layer's metrics may all have been decided before it could be told whether a control moved.
  private func controlTurn() -> Turn? {
    guard let stopping else { return nil }
    for (index, entry) in entries.enumerated() where entry.isOpen && entry.counted > 0 {
      let controls = entry.layer.metrics.filter(\.isControl).map(\.name)
      guard !controls.isEmpty, entry.counted < Self.controlBlocks,
        (entry.nextBlockSeconds ?? .infinity) <= secondsLeft
      else { continue }
      return Turn(
        index: index, open: Set(controls), openInAll: stopping.open(metrics, in: tally).count, isOfControls: true)
    }
    return nil
  }

  /// What the metrics that matter most take at least, where that is more than there is: said before the time is spent.
  private func sayWhatItTakes() throws {
    guard let stopping, stopping.isFirstInterpreter, past.isEmpty else { return }
    let least = Double(stopping.leastBlocks(metrics, isHeadline: true))
    let blocks = entries.reduce(0.0) { sum, entry in
      let isNeeded = entry.layer.metrics.contains { stopping.headline.contains($0.name) }
      return sum + (isNeeded ? least * (entry.nextBlockSeconds ?? 0) : 0)
    }
    let needed = (secondsSpent + blocks) * Double(stopping.interpretersLeft)
    guard needed > stopping.plan.budgetSeconds else { return }
    let whom = stopping.interpretersLeft > 1 ? " with \(stopping.interpretersLeft) interpreters" : ""
    try context.sink.emit(
      .phase(
        Phase(
          text: "the rows that matter most take at least \(Duration.seconds(needed).words)\(whom), the budget is "
            + "\(Duration.seconds(stopping.plan.budgetSeconds).words): all of them need --budget "
            + "\(Int((min(needed, 1e6) / 60).rounded(.up))) or more")
      ))
  }

  /// A layer that was not begun, since the time left would not even have given an estimate.
  private func sayWhatWasNotMeasured() throws {
    guard let stopping else { return }
    for entry in entries where entry.isOpen && entry.turns == 0 {
      guard let block = entry.nextBlockSeconds else { continue }
      let left = max(0, secondsLeft)
      for metric in entry.layer.metrics where !metric.isControl {
        let least = stopping.leastBlocks(metrics, isHeadline: stopping.headline.contains(metric.name))
        let needed = block * Double(min(max(least, LayerScheduler.telling), entry.layer.blocks))
        try context.sink.emit(
          .skipped(
            Skipped(
              layer: entry.name, metric: metric.name, python: context.python, side: nil,
              reason:
                "not measured: needs about \(Duration.seconds(needed).words), \(Duration.seconds(left).words) were left",
              secondsNeeded: needed)))
      }
    }
  }

  private func measure(_ entry: inout Entry, _ turn: Turn) throws {
    let block = entry.order.block(entry.turns)
    entry.turns += 1
    let started = MonotonicClock.seconds
    interference.begin()
    var failure: (any Error)?
    do { try entry.layer.measure(block, of: turn.open, in: context) } catch { failure = error }
    try context.checkpoint()
    var seen = interference.end()
    if let failure { seen.disturbance = "it failed: \(Problem(failure, at: context.home.path).what)" }
    let seconds = MonotonicClock.seconds - started
    // Controls alone say nothing of what a block of the layer takes.
    if !turn.isOfControls { entry.runSeconds.append(seconds / Double(max(1, block.order.count))) }
    let measured = tally.endBlock(counts: seen.disturbance == nil, design: stopping?.design)
    if seen.disturbance == nil { entry.counted += 1 } else { entry.layer.discarded(block) }
    let hasBudget = budgetSeconds.isFinite
    let spent = secondsSpent
    try context.sink.emit(
      .blockFinished(
        BlockFinished(
          layer: entry.name, python: context.python, block: block.number, order: block.order,
          metrics: measured, seconds: seconds,
          probeSeconds: seen.probeSeconds, machine: seen.machine, disturbance: seen.disturbance, open: turn.openInAll,
          of: turn.openInAll.map { _ in metrics.count }, spentSeconds: hasBudget ? spent : nil,
          leftSeconds: hasBudget ? max(0, budgetSeconds - spent) : nil, design: stopping?.design)))
    if let failure { throw failure }
  }
}
