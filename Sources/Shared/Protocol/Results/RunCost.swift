/// What having a rented machine for a run came to: `cost.json`, and `cost` in `comparison.json`.
public struct RunCost: Codable, Equatable, Sendable {
  /// Which machine: `GROUP/NAME`.
  public var machine: String
  public var size: String?
  public var location: String?
  /// From asking for the start until the machine was off, or until others had it.
  public var seconds: Double
  /// Whether it was on before, for somebody else.
  public var wasOn: Bool
  /// In words: `deallocated`, `left on for …`.
  public var end: String
  /// US dollars; `nil` where no price is known.
  public var usdPerHour: Double?
  public var usd: Double?
  /// The day of the price, `2026-01-31`.
  public var priceAsOf: String?
  /// `publicList`, or `table`: the one that came with the release.
  public var priceSource: String?

  public init(
    machine: String, size: String?, location: String?, seconds: Double, wasOn: Bool, end: String,
    usdPerHour: Double? = nil, priceAsOf: String? = nil, priceSource: String? = nil
  ) {
    self.machine = machine
    self.size = size
    self.location = location
    self.seconds = seconds
    self.wasOn = wasOn
    self.end = end
    self.usdPerHour = usdPerHour
    self.priceAsOf = priceAsOf
    self.priceSource = priceSource
    usd = usdPerHour.map { $0 * seconds / 3600 }
  }
}
