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
