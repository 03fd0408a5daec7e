import FoundationEssentials
import Shared

/// Azure's public list of prices, which needs no sign-in. Source: "Azure Retail Prices REST API".
struct PublicPriceList: Sendable {
  static let standardAddress = "https://prices.azure.com/api/retail/prices"
  /// In `CF_BENCH_PRICES`: the table is enough.
  static let never = "table"

  private let address: String
  private let web: Web

  /// `nil` where nobody wants it to be asked.
  init?(environment: [String: String]) {
    let given = environment["CF_BENCH_PRICES"] ?? ""
    guard given != Self.never else { return nil }
    address = given.isEmpty ? Self.standardAddress : given
    web = Web(environment: environment)
  }

  /// - Returns: `nil` when the list has no price, or no single one.
  /// - Throws: when it does not answer, or with something else than a list.
  func price(of item: PricedItem) async throws -> Double? {
    guard let filter = Self.filter(for: item) else { return nil }
    let text = try await web.get("\(address)?$filter=\(Self.escaped(filter))", what: "Azure's price list")
    return try Self.price(of: item, in: Data(text.utf8))
  }

  static func filter(for item: PricedItem) -> String? {
    let conditions: [(String, String)]
    switch item {
    case .compute(let size, _):
      conditions = [("serviceName", "Virtual Machines"), ("armSkuName", size), ("armRegionName", item.location)]
    case .disk(let gigabytes, _):
      guard let tier = PricedItem.tier(gigabytes: gigabytes) else { return nil }
      conditions = [
        ("serviceName", "Storage"), ("armRegionName", item.location), ("meterName", "\(tier) LRS Disk"),
      ]
    case .address:
      conditions = [("serviceName", "Virtual Network"), ("meterName", "Standard IPv4 Static Public IP")]
    }
    return (conditions + [("priceType", "Consumption")])
      .map { "\($0.0) eq '\($0.1.replacing("'", with: "''"))'" }.joined(separator: " and ")
  }

  /// RFC 3986: everything but unreserved characters.
  private static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      let scalar = Character(UnicodeScalar(byte))
      if scalar.isASCII, scalar.isLetter || scalar.isNumber || "-._~".contains(scalar) { return String(scalar) }
      let hex = String(byte, radix: 16, uppercase: true)
      return "%" + (hex.count < 2 ? "0" : "") + hex
    }.joined()
  }

  private struct Answer: Decodable {
    /// A row that can't be read is one that is not understood: passed over.
    struct Row: Decodable {
      var item: Item?
      init(from decoder: any Decoder) { item = try? Item(from: decoder) }
    }
    var Items: [Row]
  }

  private struct Item: Decodable {
    var currencyCode: String
    var tierMinimumUnits: Double?
    var retailPrice: Double
    var armRegionName: String?
    var effectiveStartDate: String?
    var meterName: String
    var productName: String
    var skuName: String
    var unitOfMeasure: String
    var type: String
    var armSkuName: String?
  }

  /// The one price that the rows agree on; of rows that follow one another in time, the one that holds now.
  static func price(of item: PricedItem, in data: Data, at now: Date = .now) throws -> Double? {
    let today = Timestamp.rfc3339(now)
    let rows = try JSONDecoder().decode(Answer.self, from: data).Items.compactMap(\.item).filter { row in
      row.type == "Consumption" && row.currencyCode == "USD" && (row.tierMinimumUnits ?? 0) == 0 && row.retailPrice > 0
        && (row.effectiveStartDate ?? "") <= today && isAbout(item, row)
    }
    let newest = rows.map { $0.effectiveStartDate ?? "" }.max()
    let prices = Set(rows.filter { ($0.effectiveStartDate ?? "") == newest }.map(\.retailPrice))
    return prices.count == 1 ? prices.first : nil
  }

  private static func isAbout(_ item: PricedItem, _ row: Item) -> Bool {
    let region = PricedItem.location(row.armRegionName ?? "")
    switch item {
    case .compute(let size, _):
      // The same size stands there for Windows, as Spot and with low priority, and as a cloud service.
      let words = "\(row.productName) \(row.skuName) \(row.meterName)".lowercased()
      let isOther = ["windows", "spot", "low priority", "cloud services", "dedicated"].contains { words.contains($0) }
      return region == item.location && row.armSkuName?.lowercased() == size.lowercased() && !isOther
        && row.unitOfMeasure == "1 Hour"
    case .disk(let gigabytes, _):
      // Beside each disk stands what mounting it at a second VM costs, a sixteenth of its price.
      let tier = PricedItem.tier(gigabytes: gigabytes) ?? ""
      return region == item.location && row.meterName == "\(tier) LRS Disk"
        && row.productName == "Premium SSD Managed Disks" && row.unitOfMeasure == "1/Month"
    case .address:
      return [item.location, "global", ""].contains(region) && row.meterName == "Standard IPv4 Static Public IP"
        && row.unitOfMeasure == "1 Hour"
    }
  }
}
