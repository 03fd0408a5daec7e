/// What of a job's events still counts. A worker that takes a job over from one that died invalidates part of what that one
/// wrote (see ``Resumed`` and ``Continued``): the journal keeps it, and nothing that is told from the journal has it.
///
/// `Item` is what is kept of an event for as long as it counts.
public struct CountedEvents<Item: Equatable & Sendable>: Equatable, Sendable {
  private struct Entry: Equatable {
    var item: Item
    var lifetime: Lifetime
  }

  /// For how long an event counts.
  private enum Lifetime: Equatable {
    case job
    /// Until the machine is booted, and of several until the next worker.
    case host(isFirst: Bool)
    /// Until the next worker.
    case worker
    /// Until its interpreter is taken up again.
    case attempt(python: String)
    /// As long as the block in which it came: for good once that is finished (by this layer, if any is named), or until its
    /// interpreter is taken up again.
    case openBlock(python: String, layer: LayerName?)
    /// Until its interpreter is measured anew.
    case block(python: String)
  }

  private var entries: [Entry] = []
  /// Places of events of blocks that are not finished.
  private var open: [Int] = []

  public init() {}

  /// What counts, in the order in which it came.
  public var items: [Item] { entries.map(\.item) }

  /// Takes the next event in.
  /// - Parameter item: `nil` for an event of which nothing is kept, but for what it invalidates.
  public mutating func take(_ event: JobEvent, as item: Item?) {
    switch event {
    case .resumed(let body):
      drop { lifetime in
        switch lifetime {
        case .worker, .host(isFirst: false): true
        case .host(isFirst: true): body.reason == .rebooted
        default: false
        }
      }
    case .continued(let body):
      drop { lifetime in
        switch lifetime {
        case .attempt(body.python), .openBlock(body.python, _): true
        case .block(body.python): !body.keepsBlocks
        default: false
        }
      }
    case .blockFinished(let body): finishBlock(body)
    default: break
    }
    guard let item else { return }
    let lifetime = lifetime(of: event)
    if case .openBlock = lifetime { open.append(entries.count) }
    entries.append(Entry(item: item, lifetime: lifetime))
  }

  private mutating func finishBlock(_ block: BlockFinished) {
    open.removeAll { index in
      guard case .openBlock(block.python, let layer) = entries[index].lifetime, layer == nil || layer == block.layer
      else { return false }
      entries[index].lifetime = .block(python: block.python)
      return true
    }
  }

  private mutating func drop(_ isInvalid: (Lifetime) -> Bool) {
    entries.removeAll { isInvalid($0.lifetime) }
    open = entries.indices.filter { if case .openBlock = entries[$0].lifetime { true } else { false } }
  }

  private func lifetime(of event: JobEvent) -> Lifetime {
    switch event {
    case .host: .host(isFirst: !entries.contains { $0.lifetime == .host(isFirst: true) })
    case .tuned, .recording: .worker
    case .blockFinished(let body): .block(python: body.python)
    case .sample(let body): .openBlock(python: body.python, layer: nil)
    case .memoryTimeline(let body): .openBlock(python: body.python, layer: nil)
    case .optimizeRun(let body):
      body.purpose == .measured ? .openBlock(python: body.python, layer: .optimize) : .attempt(python: body.python)
    case .layerStarted(let body): .attempt(python: body.python)
    case .layerFinished(let body): .attempt(python: body.python)
    case .effectiveSettings(let body): .attempt(python: body.python)
    case .importTree(let body): .attempt(python: body.python)
    case .profile(let body): .attempt(python: body.python)
    case .stacks(let body): .attempt(python: body.python)
    case .profiledPhases(let body): .attempt(python: body.python)
    case .memoryProfile(let body): .attempt(python: body.python)
    case .skipped(let body): .attempt(python: body.python)
    case .trouble(let body): body.python.map { .attempt(python: $0) } ?? .job
    case .started, .resumed, .continued, .queued, .phase, .sideReady, .finished, .unknown: .job
    }
  }
}
