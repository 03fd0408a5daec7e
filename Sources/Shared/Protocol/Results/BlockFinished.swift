/// A block has been measured: what was measured in it, on what machine, and how much time is left.
public struct BlockFinished: Codable, Equatable, Sendable {
  public var layer: LayerName
  public var python: String
  /// Number of the block in its layer, from 0.
  public var block: Int
  /// Whose turn it was at each position.
  public var order: [Arm]
  /// From which orders it was drawn; `nil`, as in blocks of before, for ``BlockDesign/mirrored``.
  public var design: BlockDesign?
  /// The metrics that were measured in it.
  public var metrics: [String]
  public var seconds: Double
  /// Wall time of a fixed piece of work right before and right after the block, in seconds.
  public var probeSeconds: [Double]
  /// What others had of the machine meanwhile.
  public var machine: MachineUse?
  /// Why this block does not count: the machine was disturbed. It was decided without a look at what was measured.
  public var disturbance: String?
  /// How many metrics are still open, and how many there are in all; `nil` without a rule for stopping.
  public var open: Int?
  public var of: Int?
  /// Seconds of the budget that are spent and left; `nil` without a budget.
  public var spentSeconds: Double?
  public var leftSeconds: Double?

  public init(
    layer: LayerName, python: String, block: Int, order: [Arm], metrics: [String], seconds: Double,
    probeSeconds: [Double] = [], machine: MachineUse? = nil, disturbance: String? = nil, open: Int? = nil,
    of: Int? = nil, spentSeconds: Double? = nil, leftSeconds: Double? = nil, design: BlockDesign? = nil
  ) {
    self.design = design
    self.layer = layer
    self.python = python
    self.block = block
    self.order = order
    self.metrics = metrics
    self.seconds = seconds
    self.probeSeconds = probeSeconds
    self.machine = machine
    self.disturbance = disturbance
    self.open = open
    self.of = of
    self.spentSeconds = spentSeconds
    self.leftSeconds = leftSeconds
  }
}

/// What others had of the machine while a block was measured.
public struct MachineUse: Codable, Equatable, Sendable {
  /// Stolen by the hypervisor, over all CPUs, as a share of one core's time.
  public var stealShare: Double
  /// CPU time of other processes, as a share of one core's time.
  public var foreignShare: Double
  /// Share of the time in which some process waited for memory; `nil` where the kernel does not tell.
  public var memoryPressureShare: Double?
  /// Share of the time in which some process waited for a CPU.
  public var cpuPressureShare: Double?

  public init(
    stealShare: Double, foreignShare: Double, memoryPressureShare: Double?, cpuPressureShare: Double?
  ) {
    self.stealShare = stealShare
    self.foreignShare = foreignShare
    self.memoryPressureShare = memoryPressureShare
    self.cpuPressureShare = cpuPressureShare
  }
}
