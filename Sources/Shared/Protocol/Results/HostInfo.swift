/// The machine that measured, as it says of itself.
public struct HostInfo: Codable, Equatable, Sendable {
  public var hostname: String
  /// Kernel name, release and machine, as `uname` says.
  public var kernel: String
  public var cpuModel: String
  public var cpuCount: Int
  /// Total memory, in bytes.
  public var memoryBytes: Int
  /// Memory available when the job started, in bytes.
  public var availableMemoryBytes: Int
  /// One-minute load average when the job started.
  public var load: Double
  /// Changes with every boot: samples of different boots are never pooled.
  public var bootID: String
  /// Operating system's name from `/etc/os-release`.
  public var operatingSystem: String
  public var hyperfineVersion: String?
  public var uvVersion: String?
  /// What runs this virtual machine, by the names it shows, such as `QEMU Standard PC`; `nil` when none is visible.
  public var hypervisor: String?
  /// How the kernel picks the processor's frequency, such as `performance`; several, split by `, `, where CPUs differ.
  public var governor: String?
  /// Of the first CPU at that moment, in MHz.
  public var frequencyMHz: Double?
  /// Whether the processor may run above its nominal frequency.
  public var turbo: Bool?
  /// `kernel.randomize_va_space`: 0 is off, 1 leaves the heap where it is, 2 moves everything.
  public var addressRandomisation: Int?
  /// More than 1: two threads share a core, and each slows the other.
  public var threadsPerCore: Int?
  /// In bytes.
  public var swapUsedBytes: Int?
  /// Percent of the last 10 s in which some process waited for memory (`some avg10` of `/proc/pressure/memory`).
  public var memoryPressure: Double?
  /// Percent of the last 10 s in which some process waited for a CPU (`some avg10` of `/proc/pressure/cpu`).
  public var cpuPressure: Double?
  /// Processes outside the job that used a core for more than a twentieth of a short look, the busiest first.
  public var busyProcesses: [BusyProcess]?

  public init(
    hostname: String, kernel: String, cpuModel: String, cpuCount: Int, memoryBytes: Int, availableMemoryBytes: Int,
    load: Double, bootID: String, operatingSystem: String, hyperfineVersion: String?, uvVersion: String?,
    hypervisor: String? = nil, governor: String? = nil, frequencyMHz: Double? = nil, turbo: Bool? = nil,
    addressRandomisation: Int? = nil, threadsPerCore: Int? = nil, swapUsedBytes: Int? = nil,
    memoryPressure: Double? = nil, cpuPressure: Double? = nil, busyProcesses: [BusyProcess]? = nil
  ) {
    self.hostname = hostname
    self.kernel = kernel
    self.cpuModel = cpuModel
    self.cpuCount = cpuCount
    self.memoryBytes = memoryBytes
    self.availableMemoryBytes = availableMemoryBytes
    self.load = load
    self.bootID = bootID
    self.operatingSystem = operatingSystem
    self.hyperfineVersion = hyperfineVersion
    self.uvVersion = uvVersion
    self.hypervisor = hypervisor
    self.governor = governor
    self.frequencyMHz = frequencyMHz
    self.turbo = turbo
    self.addressRandomisation = addressRandomisation
    self.threadsPerCore = threadsPerCore
    self.swapUsedBytes = swapUsedBytes
    self.memoryPressure = memoryPressure
    self.cpuPressure = cpuPressure
    self.busyProcesses = busyProcesses
  }
}

/// A process of somebody else that was busy while the machine was looked at.
public struct BusyProcess: Codable, Equatable, Sendable {
  /// The short name that the kernel keeps (`comm` of proc(5)), never the command line: that may hold secrets.
  public var name: String
  public var pid: Int32
  /// Of one core's time, user and kernel mode together: 1 is a whole core.
  public var share: Double

  public init(name: String, pid: Int32, share: Double) {
    self.name = name
    self.pid = pid
    self.share = share
  }
}
