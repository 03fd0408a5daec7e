/// What something costs, and how that is known.
public struct Price: Codable, Sendable, Equatable {
  public enum Source: String, Codable, Sendable {
    /// Azure's public list, asked by this machine.
    case publicList
    /// The table that came with this release.
    case table
  }

  /// US dollars for one of its unit: an hour of compute or address, a month of disk.
  public var usd: Double
  /// The day it was looked up, `2026-01-31`.
  public var asOf: String
  public var source: Source
  /// Whether it was found in the public list, and not only taken to be so.
  public var isVerified: Bool

  public init(usd: Double, asOf: String, source: Source, isVerified: Bool = true) {
    self.usd = usd
    self.asOf = asOf
    self.source = source
    self.isVerified = isVerified
  }

  /// `list price of 2026-01-31`, `the built-in table of 2026-01-31, not verified`.
  public var origin: String {
    switch source {
    case .publicList: "list price of \(asOf)"
    case .table: "list price of \(asOf), by the built-in table\(isVerified ? "" : ", not verified")"
    }
  }
}

/// What is priced, in the words of Azure's public list.
public enum PricedItem: Sendable, Hashable {
  case compute(size: String, location: String)
  case disk(gigabytes: Int, location: String)
  case address(location: String)

  /// `westus2` for `West US 2`.
  static func location(_ text: String) -> String { text.lowercased().filter { $0 != " " } }

  /// The name that it is kept under.
  var key: String {
    switch self {
    case .compute(let size, let location): "compute \(size.lowercased()) \(Self.location(location))"
    case .disk(let gigabytes, let location):
      "disk \(Self.tier(gigabytes: gigabytes) ?? "?") \(Self.location(location))"
    case .address(let location): "address standard \(Self.location(location))"
    }
  }

  var location: String {
    switch self {
    case .compute(_, let location), .disk(_, let location), .address(let location): Self.location(location)
    }
  }

  /// A Premium SSD is billed as the next larger tier. Source: Azure's "Managed disk types", Premium SSD sizes.
  static func tier(gigabytes: Int) -> String? {
    let tiers = [
      (4, "P1"), (8, "P2"), (16, "P3"), (32, "P4"), (64, "P6"), (128, "P10"), (256, "P15"), (512, "P20"), (1024, "P30"),
      (2048, "P40"), (4095, "P50"),
    ]
    return gigabytes > 0 ? tiers.first { gigabytes <= $0.0 }?.1 : nil
  }
}

/// What cf-bench's VM costs: each `nil` where no price is known.
public struct MachinePrices: Codable, Sendable, Equatable {
  /// An hour of the VM.
  public var compute: Price?
  /// A month of its disk.
  public var disk: Price?
  /// An hour of its public address, whether the VM is on or not.
  public var address: Price?

  public init(compute: Price?, disk: Price?, address: Price?) {
    self.compute = compute
    self.disk = disk
    self.address = address
  }

  /// Azure's own month.
  public static let hoursPerMonth = 730.0

  public var addressPerMonth: Double? { address.map { $0.usd * Self.hoursPerMonth } }

  /// What is due in a month without any start.
  public var fixedPerMonth: Double? {
    guard let disk, let addressPerMonth else { return nil }
    return disk.usd + addressPerMonth
  }
}
