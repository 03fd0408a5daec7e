import Shared

/// What a job's journal tells of the workers that had it before: what was measured, and on what conditions.
struct JobHistory {
  /// `nil` for a job that was never begun.
  private(set) var started: Started?
  /// How many workers the job has had.
  private(set) var attempts = 0
  /// By interpreter, as the manifest names it.
  private(set) var interpreters: [String: Past] = [:]
  /// Something went wrong that belongs to no interpreter.
  private(set) var hasTrouble = false
  /// The boot and the agent of the last worker.
  private(set) var conditions = RunConditions()

  /// What must be the same for blocks to be kept.
  struct RunConditions: Equatable {
    var bootID: String?
    var agentSHA256: String?
  }

  /// What was measured with one interpreter.
  struct Past {
    /// The environments that were measured in.
    var sides: [SideReady] = []
    /// On what the blocks were measured.
    var conditions = RunConditions()
    /// In the order in which they were measured.
    var blocks: [EarlierBlock] = []
    var layersFinished: [LayerFinished] = []
    var hasTrouble = false

    // Of the block in progress, and of sides that no block was measured in yet.
    fileprivate var pending = EarlierBlock.Content()
    fileprivate var newSides: [SideReady] = []
  }

  init() {}

  init(_ events: [JobEvent]) {
    var counted = CountedEvents<JobEvent>()
    for event in events { counted.take(event, as: event) }
    for event in counted.items { take(event) }
  }

  /// - Throws: when the journal can't be read.
  init(journal: String) throws {
    var events: [JobEvent] = []
    try EventLog.eachLine(journal) { line, _ in
      if Self.types.contains(where: { JournalFile.isType($0, line) }),
        let event = try? NumberedEvent(line: line)
      {  // not our writer's: it tells nothing
        events.append(event.event)
      }
      return true
    }
    self.init(events)
  }

  private static let types = [
    "started", "resumed", "continued", "sideReady", "sample", "blockFinished", "layerFinished", "optimizeRun",
    "memoryTimeline", "trouble",
  ]

  private mutating func take(_ event: JobEvent) {
    switch event {
    case .started(let body):
      started = body
      attempts = 1
      conditions = RunConditions(bootID: body.bootID, agentSHA256: body.agentSHA256)
    case .resumed(let body):
      attempts = body.attempt
      conditions = RunConditions(bootID: body.bootID, agentSHA256: body.agentSHA256)
    case .sideReady(let body): interpreters[body.python, default: Past()].take(body)
    case .sample(let body): interpreters[body.python, default: Past()].pending.samples.append(body)
    case .optimizeRun(let body) where body.purpose == .measured:
      interpreters[body.python, default: Past()].pending.form = body.form
    case .memoryTimeline(let body): interpreters[body.python, default: Past()].pending.timelines.insert(body.side)
    case .blockFinished(let body): interpreters[body.python, default: Past()].take(body, on: conditions)
    case .layerFinished(let body): interpreters[body.python, default: Past()].layersFinished.append(body)
    case .trouble(let body):
      guard let python = body.python else { return hasTrouble = true }
      interpreters[python, default: Past()].hasTrouble = true
    default: break
    }
  }

  /// An interpreter all of whose layers were finished: it is not measured again.
  func complete(_ python: String, layers: [LayerName]) -> Past? {
    guard let past = interpreters[python], !layers.isEmpty else { return nil }
    let finished = Set(past.layersFinished.map(\.layer))
    return layers.allSatisfy(finished.contains) ? past : nil
  }
}

extension JobHistory.Past {
  fileprivate mutating func take(_ side: SideReady) {
    newSides.removeAll { $0.side == side.side }
    newSides.append(side)
  }

  fileprivate mutating func take(_ block: BlockFinished, on conditions: JobHistory.RunConditions) {
    sides = newSides
    self.conditions = conditions
    blocks.append(EarlierBlock(finished: block, content: pending))
    pending = EarlierBlock.Content()
  }

  /// Why the blocks can't be kept; `nil` when they can.
  func reasonAgainst(_ conditions: JobHistory.RunConditions, _ sidesNow: [SideReady]) -> String? {
    guard !blocks.isEmpty else { return nil }
    if self.conditions.bootID == nil || self.conditions.bootID != conditions.bootID {
      return "the machine was booted since"
    }
    if self.conditions.agentSHA256 != conditions.agentSHA256 { return "another agent measures now" }
    for side in sidesNow {
      guard let before = sides.first(where: { $0.side == side.side }) else { return "\(side.label) is new" }
      if before.identity != side.identity { return "\(side.label) was \(before.identity), is \(side.identity)" }
      if before.interpreterVersion != side.interpreterVersion {
        return "Python was \(before.interpreterVersion), is \(side.interpreterVersion)"
      }
      if before.distributions != side.distributions { return "other distributions are installed for \(side.label)" }
    }
    return nil
  }

  /// What of the budget was spent, in seconds: by the last block's own account, or by what the layers took in all.
  var secondsSpent: Double {
    let layers = layersFinished.reduce(0) { $0 + $1.seconds }
    return max(layers, blocks.last?.finished.spentSeconds ?? blocks.reduce(0) { $0 + $1.finished.seconds })
  }
}

/// A block that a worker finished before it died.
struct EarlierBlock {
  var finished: BlockFinished
  /// What was emitted in it.
  var content: Content

  struct Content {
    var samples: [Sample] = []
    /// The form of the runs of codeflash.
    var form: OptimizeForm?
    /// Sides whose use of memory over time was told.
    var timelines: Set<Side> = []
  }
}
