import Shared

/// What a job's events come to, gathered by kind. Everything that is reported is made from this.
struct JobRecord: Equatable, Sendable {
  /// What the person called each side.
  var labels: [Side: String]
  var started: Started?
  /// When the runner came up, RFC 3339 in UTC.
  var startedAt: String?
  var host: HostWitness?
  /// Knobs of the machine that the job wanted turned, in that order; empty for a job that was not tuned.
  var tuning: [TuningReport] = []
  /// Environments that became ready, a side and Python each.
  var sides: [SideReady] = []
  var layers: [LayerStarted] = []
  var samples: [Sample] = []
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
  /// `nil` while the job runs, and when its runner died without a last word.
  var finished: Finished?

  init(events: [NumberedEvent], labels: [Side: String] = [:]) {
    self.labels = labels
    for event in events { take(event) }
    for side in sides where self.labels[side.side] == nil { self.labels[side.side] = side.label }
  }

  private mutating func take(_ event: NumberedEvent) {
    switch event.event {
    case .started(let body):
      started = body
      startedAt = event.time
    case .host(let body): host = body
    case .tuned(let body): tuning.append(body)
    case .sideReady(let body): sides.append(body)
    case .layerStarted(let body): layers.append(body)
    case .sample(let body): samples.append(body)
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
    case .queued, .phase, .layerFinished, .unknown: break
    }
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
  /// Why the job as a whole failed, or that it ended without a last word.
  var failure: Problem? {
    guard let finished else {
      return Problem(
        what: "the job has no last word: it is still running, or its runner was killed",
        fix: "run the command again", exitStatus: .infrastructure)
    }
    return finished.problem
  }
}
