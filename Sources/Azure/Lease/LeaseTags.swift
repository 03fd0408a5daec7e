import FoundationEssentials

/// All that the VM's tags say about who wants it.
public struct LeaseTags: Sendable, Equatable {
  /// In the order of their names.
  public var leases: [Lease]
  /// The controller that is about to deallocate, and until when that claim counts.
  public var stopping: Stopping?
  private var tags: [String: String]

  public struct Stopping: Sendable, Equatable {
    public var run: String
    public var until: Date

    static let tag = "cf-bench-stopping"
    /// How long the claim counts: far longer than the step between it and the request takes.
    static let life: TimeInterval = 60

    var value: String { "until=\(TagMoment.text(until));run=\(run)" }
  }

  public init(tags: [String: String]) {
    self.tags = tags
    leases = tags.sorted { $0.key < $1.key }.compactMap { Lease(tag: $0.key, value: $0.value) }
    if let fields = tags[Stopping.tag].map(TagFields.init), let run = fields["run"], let until = fields.moment("until")
    {
      stopping = Stopping(run: run, until: until)
    }
  }

  /// Leases of others that are not over.
  public func others(than run: String, at now: Date = .now) -> [Lease] {
    leases.filter { $0.run != run && !$0.isOver(at: now) }
  }

  public func lease(of run: String) -> Lease? { leases.first { $0.run == run } }

  /// Whether another controller is about to deallocate.
  public func isBeingStopped(byOtherThan run: String, at now: Date = .now) -> Bool {
    stopping.map { $0.run != run && $0.until > now } ?? false
  }

  /// The generation for a new lease.
  public var nextGeneration: Int { (leases.map(\.generation).max() ?? 0) + 1 }

  /// Names of lease tags that are over, readable or not.
  public func overdue(at now: Date = .now) -> [Lease] { leases.filter { $0.isOver(at: now) } }

  /// A value of ours, such as the host key.
  public subscript(tag: String) -> String? { tags[tag] }
}
