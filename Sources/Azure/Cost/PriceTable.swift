import FoundationEssentials

/// The prices that came with this release: `Data/prices.json`.
struct PriceTable: Decodable {
  struct Group: Decodable {
    var location: String
    var asOf: String
    var verified: Bool
    var source: String
    /// By size or tier.
    var usd: [String: Double]
  }

  var schema: Int
  var compute: [Group]
  var disk: [Group]
  var address: [Group]

  /// Empty when it can't be read, which a test rules out.
  static let builtIn: PriceTable = {
    let data = Data(PackageResources.prices_json)
    return (try? JSONDecoder().decode(PriceTable.self, from: data))
      ?? PriceTable(schema: 1, compute: [], disk: [], address: [])
  }()

  /// `nil` for what does not stand there: never the price of something else.
  func price(of item: PricedItem) -> Price? {
    let (groups, name): ([Group], String?) =
      switch item {
      case .compute(let size, _): (compute, size)
      case .disk(let gigabytes, _): (disk, PricedItem.tier(gigabytes: gigabytes))
      case .address: (address, "Standard")
      }
    guard let name else { return nil }
    for group in groups where PricedItem.location(group.location) == item.location {
      if let usd = group.usd.first(where: { $0.key.lowercased() == name.lowercased() })?.value {
        return Price(usd: usd, asOf: group.asOf, source: .table, isVerified: group.verified)
      }
    }
    return nil
  }
}
