/// `micro.json`: layer 2 of one side. Schema: `docs/schemas/micro.schema.json`.
public struct MicroDocument: Codable, Equatable, Sendable {
  public var schema: Int = 1
  public var revision: String
  public var targets: [Target]
  /// Targets without a number, and why.
  public var skipped: [Skipped]
  public init(revision: String, targets: [Target], skipped: [Skipped]) {
    self.revision = revision
    self.targets = targets
    self.skipped = skipped
  }

  public struct Target: Codable, Equatable, Sendable {
    public var name: String
    public var python: String
    /// Median over fresh worker processes of the seconds of one call.
    public var medianSeconds: Double
    public var minSeconds: Double
    public var maxSeconds: Double
    /// Seconds of one call, one value a worker process, in the order measured.
    public var seconds: [Double]
    public var profile: FunctionProfile?
    public init(
      name: String, python: String, medianSeconds: Double, minSeconds: Double, maxSeconds: Double, seconds: [Double],
      profile: FunctionProfile?
    ) {
      self.name = name
      self.python = python
      self.medianSeconds = medianSeconds
      self.minSeconds = minSeconds
      self.maxSeconds = maxSeconds
      self.seconds = seconds
      self.profile = profile
    }
  }
}
