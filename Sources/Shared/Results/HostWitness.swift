/// The machine that measured, as it says of itself.
public struct HostWitness: Codable, Equatable, Sendable {
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
  public init(
    hostname: String, kernel: String, cpuModel: String, cpuCount: Int, memoryBytes: Int, availableMemoryBytes: Int,
    load: Double, bootID: String, operatingSystem: String, hyperfineVersion: String?, uvVersion: String?
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
  }
}
