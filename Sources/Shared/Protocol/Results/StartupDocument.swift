/// `startup.json`: what `hyperfine --export-json` writes, so that hyperfine's own scripts read it.
///
/// Format: hyperfine's `BenchmarkResult` (all times in seconds). Several interpreters stand in hyperfine's own `parameters`.
public struct StartupDocument: Codable, Equatable, Sendable {
  public var results: [Result]
  public init(results: [Result]) { self.results = results }

  public struct Result: Codable, Equatable, Sendable {
    public var command: String
    public var mean: Double
    public var stddev: Double?
    public var median: Double
    public var user: Double
    public var system: Double
    public var min: Double
    public var max: Double
    public var times: [Double]
    public var exit_codes: [Int32]
    public var parameters: [String: String]?
    public init(
      command: String, mean: Double, stddev: Double?, median: Double, user: Double, system: Double, min: Double,
      max: Double, times: [Double], exit_codes: [Int32], parameters: [String: String]?
    ) {
      self.command = command
      self.mean = mean
      self.stddev = stddev
      self.median = median
      self.user = user
      self.system = system
      self.min = min
      self.max = max
      self.times = times
      self.exit_codes = exit_codes
      self.parameters = parameters
    }
  }
}

extension StartupDocument.Result {
  private enum Key: String, CodingKey {
    case command, mean, stddev, median, user, system, min, max, times, exit_codes, parameters
  }

  /// As hyperfine writes it: `stddev` is there and null for a single run, `parameters` is not there when there are none.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(command, forKey: .command)
    try container.encode(mean, forKey: .mean)
    try container.encode(stddev, forKey: .stddev)
    try container.encode(median, forKey: .median)
    try container.encode(user, forKey: .user)
    try container.encode(system, forKey: .system)
    try container.encode(min, forKey: .min)
    try container.encode(max, forKey: .max)
    try container.encode(times, forKey: .times)
    try container.encode(exit_codes, forKey: .exit_codes)
    try container.encodeIfPresent(parameters, forKey: .parameters)
  }
}
