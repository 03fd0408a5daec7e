import FoundationEssentials
import Shared

/// Layer 2: single functions timed by `timeit` in fresh worker processes of the side's own interpreter.
///
/// The unit is a worker: each position of a block has a new one. They set up all targets and then measure them in turns, one repeat of each
/// target in this worker, then in the next, in an order of targets that is shuffled from block to block and the same for all positions.
struct MicroLayer: Layer {
  static let name = LayerName.micro

  let plan: MicroPlan
  /// The plan's targets, and the project's own benchmarks once they are found.
  private var targets: [MicroTarget]
  private var suite: MicroSuite?
  /// What is still measured: indices of the targets, in their order.
  private var standing: [Int] = []
  /// How often a target is called, fixed once, so that all blocks measure the same thing.
  private var work: [Side: [Int: MicroWork]] = [:]
  /// Seconds that calibrating all targets in one worker took.
  private var workerSeconds: Double?

  init(plan: MicroPlan) {
    self.plan = plan
    targets = plan.targets
  }

  var blocks: Int { plan.blocks }

  func plannedSamples(sides: Int) -> Int { plan.blocks * targets.count * sides * 2 }

  static func metric(_ target: MicroTarget) -> String { "micro: \(target.name)" }

  var metrics: [PlannedMetric] { standing.map { PlannedMetric(name: Self.metric(targets[$0])) } }
  /// Calibrating a target takes about as long as measuring it.
  var expectedBlockSeconds: Double? { workerSeconds.map { $0 * 4 } }
  /// A profile takes a few calls of each target on each side, sampled for some time and traced.
  func closingSeconds(telling: Telling) -> Double {
    let count = Double(profiled(telling).count)
    return 2 * count * ((workerSeconds ?? 0) / Double(max(1, standing.count)) + 1)
  }

  private func profiled(_ telling: Telling) -> [Int] {
    standing.filter { telling.includes(Self.metric(targets[$0])) }
  }

  // MARK: Preparing

  /// Of one call, in seconds.
  private static let longSeconds = 0.02

  mutating func prepare(in context: LayerContext) throws {
    _ = try MicroWorker.writeScript(into: context.scratch)
    if let asked = plan.suite { try takeUp(asked, in: context) }
    standing = Array(targets.indices)
    var costs: [Side: [Int: Double]] = [:]
    var slow: Set<Int> = []
    var missing: [Int: [(side: Side, reason: String)]] = [:]
    // Twice, and the shorter time counts: a side that was interrupted while it was calibrated must not get loops of its own.
    for (pass, side) in (context.sides + context.sides).enumerated() {
      try context.checkpoint()
      var failed: Set<Int> = []
      let isAgain = pass >= context.sides.count
      // What is long on both sides is long, and not worth a second look.
      func isLong(_ index: Int) -> Bool {
        context.sides.allSatisfy { (costs[$0.side]?[index] ?? 0) > Self.longSeconds }
      }
      let there = standing.filter { index in
        missing[index]?.contains { $0.side == side.side } != true && !slow.contains(index)
          && !(isAgain && isLong(index))
      }
      let started = MonotonicClock.seconds
      let slowBefore = slow.count
      defer {
        if !isAgain {
          let spentInVain = Double(slow.count - slowBefore) * (plan.longestCallSeconds ?? 0)
          workerSeconds = min(workerSeconds ?? .infinity, MonotonicClock.seconds - started - spentInVain)
        }
      }
      try run(.calibrate, there, on: [side], block: 0, in: context, failed: &failed) { _, index, answer in
        if let reason = answer.missing {
          missing[index, default: []].append((side.side, reason))
        } else if answer.slow != nil {
          slow.insert(index)
        } else if let seconds = answer.seconds, let loops = answer.loops, let repeats = answer.repeats,
          seconds < costs[side.side]?[index] ?? .infinity
        {
          costs[side.side, default: [:]][index] = seconds
          work[side.side, default: [:]][index] = MicroWork(loops: loops, repeats: repeats)
        }
      }
      // What hangs or crashes on one side is not waited for on the other.
      standing.removeAll { failed.contains($0) }
    }
    for (index, where_) in missing.sorted(by: { $0.key < $1.key }) where standing.contains(index) {
      try skip(index, missing: where_, in: context)
    }
    for index in slow.sorted() where standing.contains(index) && missing[index] == nil {
      try skip(
        index, side: nil,
        reason: "its first call was ended after \(plan.longestCallSeconds ?? 0) s, the setting micro.longest-call",
        in: context)
    }
    standing.removeAll { missing[$0] != nil || slow.contains($0) }
    shareWork(costs: costs, sides: context.sides.map(\.side))
  }

  private func skip(_ index: Int, missing: [(side: Side, reason: String)], in context: LayerContext) throws {
    let reasons = missing.map { missing in
      let label = context.environment(of: Arm(missing.side))?.label ?? missing.side.rawValue
      return "\(label) does not have it: \(missing.reason)"
    }
    try skip(
      index, side: missing.count == context.sides.count ? nil : missing.first?.side,
      reason: reasons.joined(separator: "; ") + context.onlyOneSideWords(missing: missing.count), in: context)
  }

  private func skip(_ index: Int, side: Side?, reason: String, in context: LayerContext) throws {
    try context.sink.emit(
      .skipped(
        Skipped(
          layer: Self.name, metric: Self.metric(targets[index]), python: context.python, side: side, reason: reason)))
  }

  /// Finds the project's own benchmarks and adds them to the targets.
  private mutating func takeUp(_ asked: BenchmarkSuite, in context: LayerContext) throws {
    let found = try MicroSuite.prepare(asked, script: script(in: context), plan: plan, in: context)
    suite = found
    let own = Set(targets.map(\.name))
    let names = Dictionary(grouping: found.tests, by: \.name)
    for test in found.tests {
      let isOnly = !own.contains(test.name) && names[test.name]?.count == 1
      suite?.nodes[targets.count] = test.node
      targets.append(
        MicroTarget(name: isOnly ? test.name : test.node, group: asked.path, candidates: [], setup: ""))
    }
  }

  /// The same work on both sides where a call costs about the same: the base's. The best of a few short repeats is less than
  /// that of long ones on a busy machine, so the same code must be timed alike. Beyond a factor of 16 each side keeps its
  /// own, since the loops of one would make the other's repeat too long or too short to time.
  private mutating func shareWork(costs: [Side: [Int: Double]], sides: [Side]) {
    guard let first = sides.first else { return }
    for side in sides.dropFirst() {
      for index in standing {
        guard let mine = costs[side]?[index], let theirs = costs[first]?[index], let shared = work[first]?[index],
          max(mine, theirs) <= 16 * min(mine, theirs)
        else { continue }
        work[side]?[index] = shared
      }
    }
  }

  /// What was calibrated now is another number than what the earlier blocks were measured with.
  mutating func restore(_ blocks: [EarlierBlock]) {
    for sample in blocks.flatMap(\.content.samples) {
      guard let index = targets.firstIndex(where: { Self.metric($0) == sample.metric }) else { continue }
      if let used = sample.loops { work[sample.side]?[index]?.loops = used }
    }
  }

  // MARK: Measuring

  mutating func measure(_ block: Block, of open: Set<String>, in context: LayerContext) throws {
    var random = SplitMix64(state: UInt64(block.number))
    let order = standing.filter { open.contains(Self.metric(targets[$0])) }.shuffled(using: &random)
    var failed: Set<Int> = []
    let sides = block.order.compactMap { context.environment(of: $0) }
    try run(.measure, order, on: sides, block: block.number, in: context, failed: &failed) { position, index, answer in
      if let seconds = answer.seconds {
        try context.sink.emit(
          .sample(
            Sample(
              layer: Self.name, metric: Self.metric(targets[index]), python: context.python,
              arm: sides[position].arm, block: block.number, position: position, value: seconds, loops: answer.loops)))
      }
    }
    standing.removeAll { failed.contains($0) }
  }

  // MARK: Profiles

  mutating func summarise(in context: LayerContext, telling: Telling) throws {
    let profiled = profiled(telling)
    guard !profiled.isEmpty else { return }
    for side in context.sides {
      var failed: Set<Int> = []
      try run(.profile, profiled, on: [side], block: 0, in: context, failed: &failed) { _, index, answer in
        guard let calls = answer.calls, let seconds = answer.seconds, let functions = answer.functions else { return }
        let listed = functions.map {
          ProfiledFunction(
            name: $0.name, line: $0.line, calls: $0.calls, selfSeconds: $0.selfSeconds,
            cumulativeSeconds: $0.cumulativeSeconds)
        }
        try context.sink.emit(
          .profile(
            FunctionProfile(
              metric: Self.metric(targets[index]), python: context.python, side: side.side, calls: calls,
              seconds: seconds, functions: listed)))
        guard let stacks = answer.stacks, !stacks.isEmpty else { return }
        var gatherer = StackGatherer()
        for stack in stacks { gatherer.add(stack.frames, stack.value) }
        try context.sink.emit(
          .stacks(
            gatherer.profile(
              Self.name, metric: Self.metric(targets[index]), unit: .seconds, tool: "sampling by signal",
              python: context.python, side: side.side)))
      }
    }
  }

  // MARK: Workers

  private func script(in context: LayerContext) -> String { context.scratch + "/micro_worker.py" }

  /// Runs the targets in a worker of each side that is named. One that raises, hangs or takes a worker with it is said so and put into
  /// `failed`.
  private func run(
    _ mode: MicroWorker.Mode, _ indices: [Int], on sides: [SideEnvironment], block: Int, in context: LayerContext,
    failed: inout Set<Int>, each: (_ place: Int, _ index: Int, _ answer: MicroWorker.Answer) throws -> Void
  ) throws {
    let surroundings = context.surroundings(of: block)
    let worker = MicroWorker(
      script: script(in: context), plan: plan, scratch: context.scratch, name: surroundings.folder)
    func tasks(_ side: SideEnvironment) -> [MicroWorker.Task] {
      indices.map { index in
        let target = targets[index]
        let work = work[side.side]?[index] ?? MicroWork(loops: 1, repeats: plan.repeats)
        return MicroWorker.Task(
          index: index, name: target.name, candidates: target.candidates, setup: target.setup,
          test: suite?.nodes[index],
          loops: work.loops, repeats: work.repeats)
      }
    }
    var answered = sides.map { _ in Set<Int>() }
    func fail(_ index: Int, at place: Int, _ what: String, _ why: String?) throws {
      // All workers of a block may meet the same; once a side is enough.
      guard failed.insert(index).inserted else { return }
      try trouble(index, side: sides[place], what: what, why: why, in: context)
    }
    try worker.run(mode, sides.map { ($0, tasks($0)) }, of: suite, surroundings: surroundings) { place, answer in
      guard let index = answer.index, targets.indices.contains(index) else { return }
      answered[place].insert(index)
      // What was there when calibrated and is not there now has failed.
      if let reason = answer.failed ?? (mode == .calibrate ? nil : answer.missing) {
        try fail(index, at: place, "raised an error on \(sides[place].label)", reason)
      } else {
        try each(place, index, answer)
      }
    } lost: { place, casualty in
      // Without a target to blame the worker itself does not run here: nothing of this side can be measured.
      for index in casualty.index.map({ [$0] }) ?? indices.filter({ !answered[place].contains($0) }) {
        try fail(
          index, at: place, "took its process with it on \(sides[place].label): it \(casualty.end.status.words)",
          casualty.end.words.isEmpty ? nil : casualty.end.words)
      }
    }
  }

  private func trouble(
    _ index: Int, side: SideEnvironment, what: String, why: String?, in context: LayerContext
  ) throws {
    let target = targets[index]
    try context.sink.emit(
      .trouble(
        Trouble(
          layer: Self.name, metric: Self.metric(target), python: context.python, side: side.side,
          problem: Problem(
            what: "the micro target '\(target.name)' \(what)", why: why,
            fix: suite?.nodes[index] == nil
              ? "correct the target's setup in the file of micro targets, or take it out; the others go on"
              : "run the test by itself; micro.only measures only some; the others go on",
            exitStatus: .partial))))
  }
}

/// How often a worker calls a target.
struct MicroWork: Equatable {
  /// Calls of one repeat.
  var loops: Int
  var repeats: Int
}
