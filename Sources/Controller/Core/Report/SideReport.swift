import Shared

/// Everything that the words about one side are made from.
struct SideReport: Equatable, Sendable {
  var side: Side
  var label: String
  /// Its environments, one a Python.
  var environments: [SideReady]
  var startup: StartupDocument?
  /// What timed it, cold figures apart; `nil` where it was not measured.
  var startupEngine: TimingEngine?
  var controls: Set<String>
  var micro: MicroDocument?
  var optimize: OptimizeDocument?
  var memory: MemoryDocument?
  var imports: [ImportCosts]
  var host: HostInfo?
  var startedAt: String?
  var seconds: Double
  var missing: [MissingPart]
  var isComplete: Bool
  /// Set when the side was measured against another one.
  var comparison: Comparison?
  /// What the machine cost, for both sides of a comparison together; `nil` for one that was not rented for it.
  var cost: RunCost?

  struct Comparison: Equatable, Sendable {
    var other: String
    /// Name of the comparison's folder, beside the side's own.
    var folder: String
  }

  init(_ side: Side, record: JobRecord, comparison: Comparison?, cost: RunCost? = nil) {
    self.side = side
    self.cost = cost
    self.comparison = comparison
    label = record.label(side)
    environments = record.ready(side)
    startup = StartupDocument.make(side, from: record)
    let timed = record.samples.filter { $0.layer == .startup }
    // Only the agent's own engine says what the kernel counted; cold figures are always its own.
    if !timed.isEmpty { startupEngine = timed.contains { $0.usage == nil } ? .hyperfine : .spawn }
    controls = Set(record.samples.filter(\.isControl).map(\.metric))
    micro = MicroDocument.make(side, from: record)
    optimize = OptimizeDocument.make(side, from: record)
    memory = MemoryDocument.make(side, from: record)
    imports = record.importKeys.compactMap { ImportCosts(side, $0, record: record) }
    host = record.host
    startedAt = record.startedAt
    seconds = record.finished?.seconds ?? 0
    isComplete = record.finished?.outcome == .done && record.withoutResult.isEmpty
    missing = MissingPart.all(
      troubles: (record.troubles + record.withoutResult).filter { $0.side != side.other },
      skipped: record.skipped.filter { $0.side != side.other }, failure: record.failure)
  }
}
