import Shared

/// What a job's events come to, gathered by kind. Everything that is reported is made from this.
struct JobRecord: Equatable, Sendable {
  /// What the person called each side.
  var labels: [Side: String]
  var started: Started?
  /// When the runner came up, RFC 3339 in UTC.
  var startedAt: String?
  /// The machine before anything was measured, and when all was.
  var host: HostInfo?
  var hostAfter: HostInfo?
  /// Knobs of the machine that the job wanted turned, in that order; empty for a job that was not tuned.
  var tuning: [TuningReport] = []
  /// Environments that became ready, a side and Python each.
  var sides: [SideReady] = []
  /// What of the harness's settings was in force, a side and Python each.
  var effectiveSettings: [EffectiveSettings] = []
  var layers: [LayerStarted] = []
  /// Values of both sides that count.
  var samples: [Sample] = []
  /// Values of the base's second installation that count.
  var copySamples: [Sample] = []
  var blocks: [BlockFinished] = []
  var layersFinished: [LayerFinished] = []
  var importTrees: [ImportTree] = []
  var profiles: [FunctionProfile] = []
  var stacks: [StackProfile] = []
  var optimizeRuns: [OptimizeRun] = []
  var profiledPhases: [ProfiledPhases] = []
  var memoryTimelines: [MemoryTimeline] = []
  var memoryProfiles: [MemoryProfile] = []
  var recordings: [Recording] = []
  var skipped: [Skipped] = []
  var troubles: [Trouble] = []
  /// What was planned and has neither a value that counts nor a reason of its own.
  var withoutResult: [Trouble] = []
  /// `nil` while the job runs, and when its runner died without a final event.
  var finished: Finished?

  init(events: [NumberedEvent], labels: [Side: String] = [:]) {
    self.labels = labels
    var unreadable: [String: (count: Int, why: String)] = [:]
    var counted = CountedEvents<NumberedEvent>()
    for event in events { counted.take(event.event, as: event) }
    for event in counted.items {
      take(event)
      if case .unknown(let type, let why?) = event.event { unreadable[type, default: (0, why)].count += 1 }
    }
    noteUnreadable(unreadable)
    leaveOutDiscarded()
    noteMissing()
    for side in sides where self.labels[side.side] == nil { self.labels[side.side] = side.label }
  }

  private mutating func take(_ event: NumberedEvent) {
    switch event.event {
    case .started(let body):
      started = body
      startedAt = event.time
    case .host(let body): if host == nil { host = body } else { hostAfter = body }
    case .tuned(let body): tuning.append(body)
    case .sideReady(let body):
      // A runner that takes a job over makes its environments ready once more.
      if let place = sides.firstIndex(where: { $0.side == body.side && $0.python == body.python }) {
        sides[place] = body
      } else {
        sides.append(body)
      }
    case .effectiveSettings(let body): take(body)
    case .layerStarted(let body): layers.append(body)
    case .sample(let body):
      if body.isCopy == true { copySamples.append(body) } else { samples.append(body) }
    case .blockFinished(let body): blocks.append(body)
    case .layerFinished(let body): layersFinished.append(body)
    case .importTree(let body): importTrees.append(body)
    case .profile(let body): profiles.append(body)
    case .stacks(let body): stacks.append(body)
    case .optimizeRun(let body): optimizeRuns.append(body)
    case .profiledPhases(let body): profiledPhases.append(body)
    case .memoryTimeline(let body): memoryTimelines.append(body)
    case .memoryProfile(let body): memoryProfiles.append(body)
    case .recording(let body): recordings.append(body)
    case .skipped(let body): skipped.append(body)
    case .trouble(let body): troubles.append(body)
    case .finished(let body): finished = body
    case .resumed, .continued, .queued, .phase, .unknown: break
    }
  }

  private mutating func take(_ new: EffectiveSettings) {
    guard let place = effectiveSettings.firstIndex(where: { $0.side == new.side && $0.python == new.python }) else {
      return effectiveSettings.append(new)
    }
    let names = new.settings.map(\.name)
    effectiveSettings[place].settings.removeAll { names.contains($0.name) }
    effectiveSettings[place].settings += new.settings
  }

  /// One word of trouble for each kind of event that this release can't decode.
  private mutating func noteUnreadable(_ unreadable: [String: (count: Int, why: String)]) {
    for (type, found) in unreadable.sorted(by: { $0.key < $1.key }) {
      let problem = Problem(
        what: "\(found.count) of the job's '\(type)' events can't be read by this release, and count for nothing",
        why: found.why, fix: "report with the release of cf-bench that measured; events.ndjson has them",
        exitStatus: .partial)
      troubles.append(Trouble(problem: problem))
    }
  }

  /// The samples of blocks that were discarded are in the events, and in nothing that is made from them.
  private mutating func leaveOutDiscarded() {
    let disturbed = Set(blocks.filter { $0.disturbance != nil }.flatMap(\.places))
    guard !disturbed.isEmpty else { return }
    samples.removeAll { disturbed.contains($0.place) }
    copySamples.removeAll { disturbed.contains($0.place) }
    // A run of codeflash belongs to the block of its layer that has its number.
    func isDisturbed(_ layers: [LayerName], _ python: String, _ block: Int) -> Bool {
      blocks.contains {
        $0.disturbance != nil && $0.python == python && $0.block == block && layers.contains($0.layer)
      }
    }
    optimizeRuns.removeAll { $0.purpose == .measured && isDisturbed([.optimize], $0.python, $0.block) }
    let hasRuns = !optimizeRuns.isEmpty || blocks.contains { $0.layer == .optimize }
    memoryTimelines.removeAll { timeline in
      timeline.block.map { isDisturbed([hasRuns ? .optimize : .memory], timeline.python, $0) } ?? false
    }
  }

  /// Each planned metric ends as a row or has a reason.
  private mutating func noteMissing() {
    let sidesMeasured = Set(sides.map(\.side)).count
    for layer in layersFinished {
      for metric in layer.metrics ?? [] {
        let measured = Set(samples.lazy.filter { $0.metric == metric && $0.python == layer.python }.map(\.side))
        let isExplained =
          troubles.contains { $0.metric == metric && ($0.python ?? layer.python) == layer.python }
          || skipped.contains { $0.metric == metric && $0.python == layer.python }
          || troubles.contains {
            $0.metric == nil && $0.layer == layer.layer && ($0.python ?? layer.python) == layer.python
          }
        guard measured.count < sidesMeasured, !isExplained else { continue }
        withoutResult.append(
          Trouble(
            layer: layer.layer, metric: metric, python: layer.python,
            problem: Problem(
              what: "\(metric) has no result", why: reason(metric, layer),
              fix: "measure again, with a larger budget if it stays so",
              exitStatus: .partial)))
      }
    }
  }

  private func reason(_ metric: String, _ layer: LayerFinished) -> String {
    let measured = blocks.filter { $0.python == layer.python && $0.metrics.contains(metric) }
    let lost = measured.compactMap(\.disturbance).uniqued()
    guard !lost.isEmpty else {
      return started?.budgetSeconds == nil
        ? "none of its blocks was measured in full" : "the budget was spent before a block of it was measured"
    }
    let words =
      measured.count == 1 ? "its only block was discarded" : "all \(measured.count) blocks of it were discarded"
    return "\(words): \(listed(lost, most: 2, rest: "others"))"
  }

  /// How many blocks of a series were discarded.
  func setAside(_ key: MetricKey) -> Int {
    blocks.count { $0.disturbance != nil && $0.python == key.python && $0.metrics.contains(key.metric) }
  }

  /// The blocks of a series whose order was drawn from all balanced ones. Not by layer: `Peak memory` is measured in those of layer 3.
  func balancedBlocks(_ key: MetricKey) -> Set<Int> {
    Set(
      blocks.filter { $0.design == .balanced && $0.python == key.python && $0.metrics.contains(key.metric) }
        .map(\.block))
  }

  func label(_ side: Side) -> String { labels[side] ?? side.rawValue }

  func ready(_ side: Side) -> [SideReady] { sides.filter { $0.side == side } }

  /// The Pythons that anything is known of, in the order in which they appeared.
  var pythons: [String] {
    (sides.map(\.python) + samples.map(\.python)).uniqued()
  }
}

extension Sequence where Element: Hashable {
  /// Each element once, where it first stood.
  func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}

/// Where a sample was taken.
struct BlockPlace: Hashable {
  var python: String
  var metric: String
  var block: Int
}

extension Sample {
  var place: BlockPlace { BlockPlace(python: python, metric: metric, block: block) }
}

extension BlockFinished {
  var places: [BlockPlace] {
    metrics.map { BlockPlace(python: python, metric: $0, block: block) }
  }
}

/// Which series of samples a value belongs to.
struct MetricKey: Hashable, Sendable {
  var layer: LayerName
  var metric: String
  var python: String
  var unit: MetricUnit
  var isControl: Bool
}

extension Sample {
  var key: MetricKey { MetricKey(layer: layer, metric: metric, python: python, unit: unit, isControl: isControl) }
}

extension JobRecord {
  /// The series there are, in the order of the layers and, within one, as they were first measured.
  var metrics: [MetricKey] {
    let keys = samples.map(\.key).uniqued()
    return LayerName.allCases.flatMap { layer in keys.filter { $0.layer == layer } }
  }
}

extension JobRecord {
  /// Why the job as a whole failed, or that it ended without a final event.
  var failure: Problem? {
    guard let finished else {
      return Problem(
        what: "the job has no last word: it is still running, or its runner was killed",
        fix: "run the command again", exitStatus: .infrastructure)
    }
    return finished.problem
  }
}
