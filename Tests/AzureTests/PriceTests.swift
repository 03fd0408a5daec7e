import Foundation
import Shared
import TestSupport
import Testing

@testable import Azure

@Suite("Prices: the public list where it answers, the table otherwise, and never a wrong one")
struct PriceTests {
  private let vm = PricedItem.compute(size: "Standard_D4s_v5", location: "westus2")
  private let disk = PricedItem.disk(gigabytes: 64, location: "westus2")
  private let address = PricedItem.address(location: "westus2")

  @Test("every group of the table has a date, a source and prices that can be")
  func table() throws {
    let table = PriceTable.builtIn
    let groups = table.compute + table.disk + table.address
    #expect(table.schema == 1 && !table.compute.isEmpty && !table.disk.isEmpty && !table.address.isEmpty)
    for group in groups {
      #expect(group.asOf.wholeMatch(of: /20\d\d-\d\d-\d\d/) != nil && !group.source.isEmpty && !group.usd.isEmpty)
      #expect(group.usd.values.allSatisfy { 0.0001..<1000 ~= $0 })
      #expect(group.location == PricedItem.location(group.location))
    }
    // Nothing stands there twice.
    let names = table.compute.flatMap { group in group.usd.keys.map { "\(group.location) \($0)" } }
    #expect(Set(names).count == names.count)
  }

  @Test("a lookup does not care for case or the region's long name; what is unknown has no price")
  func lookup() {
    let table = PriceTable.builtIn
    #expect(table.price(of: vm)?.usd == 0.192)
    #expect(table.price(of: .compute(size: "standard_d4s_V5", location: "West US 2"))?.usd == 0.192)
    #expect(table.price(of: .compute(size: "Standard_D4s_v5", location: "moon1")) == nil)
    #expect(table.price(of: .compute(size: "Standard_D4s", location: "westus2")) == nil)
    #expect(table.price(of: .compute(size: "", location: "westus2")) == nil)
    #expect(table.price(of: .compute(size: "Standard_D4s_v5", location: "westus3"))?.isVerified == false)
  }

  @Test(
    "a disk is billed as the next larger tier",
    arguments: [(30, "P4"), (32, "P4"), (33, "P6"), (64, "P6"), (65, "P10"), (4095, "P50")])
  func tier(gigabytes: Int, tier: String) { #expect(PricedItem.tier(gigabytes: gigabytes) == tier) }

  @Test("sizes of disk that nobody sells have no tier and no price", arguments: [0, -1, 4096])
  func noTier(gigabytes: Int) {
    #expect(PricedItem.tier(gigabytes: gigabytes) == nil)
    #expect(PriceTable.builtIn.price(of: .disk(gigabytes: gigabytes, location: "westus2")) == nil)
  }

  @Test(
    "of the list's rows only the plain Linux one counts: not Windows, Spot, low priority, other regions, units, currencies"
  )
  func compute() throws {
    #expect(try PublicPriceList.price(of: vm, in: Rows.compute) == 0.192)
    #expect(
      try PublicPriceList.price(of: .compute(size: "STANDARD_d4s_v5", location: "West US 2"), in: Rows.compute) == 0.192
    )
    #expect(
      try PublicPriceList.price(of: .compute(size: "Standard_D8s_v5", location: "westus2"), in: Rows.compute) == nil)
  }

  @Test("a disk's price is not that of mounting it, an address may stand under 'Global'")
  func others() throws {
    #expect(try PublicPriceList.price(of: disk, in: Rows.disk) == 9.2801)
    #expect(try PublicPriceList.price(of: address, in: Rows.address) == 0.005)
  }

  @Test("rows that contradict each other give no price; a later price holds from its day on")
  func contradiction() throws {
    let two = Rows.list([Rows.row(price: 0.192), Rows.row(price: 0.2)])
    #expect(try PublicPriceList.price(of: vm, in: two) == nil)
    let later = Rows.list([
      Rows.row(price: 0.192), Rows.row(price: 0.2, start: "2026-06-01T00:00:00Z"),
      Rows.row(price: 0.3, start: "2099-01-01T00:00:00Z"),
    ])
    #expect(try PublicPriceList.price(of: vm, in: later, at: Timestamp.date("2026-11-23T00:00:00.000Z")) == 0.2)
    #expect(try PublicPriceList.price(of: vm, in: later, at: Timestamp.date("2026-05-01T00:00:00.000Z")) == 0.192)
  }

  @Test(
    "what is no list is an error, what stands in it unread is passed over",
    arguments: ["", "<html>busy</html>", "[]", "{}", #"{"Items":7}"#])
  func garbage(text: String) {
    #expect(throws: (any Error).self) { try PublicPriceList.price(of: vm, in: Data(text.utf8)) }
  }

  @Test("rows of other shapes and prices that can't be are passed over")
  func oddRows() throws {
    let odd = Data(#"{"Items":[7,null,{"retailPrice":"cheap"},\#(Rows.row(price: 0)),\#(Rows.row(price: -1))]}"#.utf8)
    #expect(try PublicPriceList.price(of: vm, in: odd) == nil)
  }

  @Test("a name can't leave its place in the question")
  func filter() {
    let filter = PublicPriceList.filter(for: .compute(size: "x' or 'a' eq 'a", location: "westus2"))
    #expect(filter?.contains("armSkuName eq 'x'' or ''a'' eq ''a'") == true)
  }

  @Test("the list wins over the table, is kept for a day, and its loss is no error", .programs)
  func book() async throws {
    try await withTemporaryFolder { folder in
      let page = try PricePage(Rows.list([Rows.row(price: 0.5)]))
      defer { page.stop() }
      let environment = [
        "CF_BENCH_STATE": folder + "/state", "CF_BENCH_PRICES": page.address, "PATH": "/usr/bin:/bin",
        "NO_PROXY": "127.0.0.1",
      ]
      let book = PriceBook(
        state: StateFolder(environment: environment), environment: environment, limit: .seconds(300))
      #expect(book.price(of: vm)?.source == .table)
      #expect(try await PublicPriceList(environment: environment)?.price(of: vm) == 0.5)  // says why, unlike the book
      await book.refresh([vm])
      #expect(book.price(of: vm) == Price(usd: 0.5, asOf: String(Timestamp.rfc3339().prefix(10)), source: .publicList))
      page.stop()
      await book.refresh([vm])  // within a day: not asked
      await book.refresh([vm], at: .now + 90_000)  // asked in vain
      #expect(book.price(of: vm)?.usd == 0.5)
      // The list does not know it: the table may.
      #expect(book.price(of: disk)?.source == .table)
      let other = PriceBook(
        state: StateFolder(environment: ["CF_BENCH_STATE": folder + "/other"]),
        environment: environment.merging(["CF_BENCH_STATE": folder + "/other"]) { $1 })
      await other.refresh([vm])
      #expect(other.price(of: vm)?.source == .table && other.price(of: vm)?.asOf == "2023-12-18")
    }
  }

  @Test("a damaged file of kept answers is as good as none")
  func damaged() async throws {
    try await withTemporaryFolder { folder in
      let environment = ["CF_BENCH_STATE": folder, "CF_BENCH_PRICES": "table"]
      try Data("{ no".utf8).write(to: URL(filePath: folder + "/prices.json"))
      let book = PriceBook(
        state: StateFolder(environment: environment), environment: environment, limit: .seconds(300))
      #expect(book.price(of: vm)?.usd == 0.192)
      await book.refresh([vm])
      #expect(try String(contentsOfFile: folder + "/prices.json", encoding: .utf8) == "{ no")
    }
  }
}

/// Rows as Azure's list has them.
enum Rows {
  static func row(
    price: Double, region: String = "westus2", start: String = "2021-11-01T00:00:00Z", meter: String = "D4s v5",
    product: String = "Virtual Machines Dsv5 Series", sku: String = "Standard_D4s_v5", name: String? = nil,
    unit: String = "1 Hour", type: String = "Consumption", currency: String = "USD"
  ) -> String {
    #"{"currencyCode":"\#(currency)","tierMinimumUnits":0.0,"retailPrice":\#(price),"unitPrice":\#(price),"#
      + #""armRegionName":"\#(region)","location":"US West 2","effectiveStartDate":"\#(start)","meterName":"\#(meter)","#
      + #""productName":"\#(product)","skuName":"\#(name ?? meter)","serviceName":"Virtual Machines","#
      + #""unitOfMeasure":"\#(unit)","type":"\#(type)","isPrimaryMeterRegion":true,"armSkuName":"\#(sku)"}"#
  }

  static func list(_ rows: [String]) -> Data {
    Data(#"{"BillingCurrency":"USD","Items":[\#(rows.joined(separator: ","))],"NextPageLink":null,"Count":1}"#.utf8)
  }

  static let compute = list([
    row(price: 0.376, product: "Virtual Machines Dsv5 Series Windows"),
    row(price: 0.0384, meter: "D4s v5 Spot"), row(price: 0.0384, meter: "D4s v5 Low Priority"),
    row(price: 0.01, meter: "D4s v5", name: "D4s v5 Spot"), row(price: 0.192), row(price: 0.19, region: "westus3"),
    row(price: 1009, unit: "1 Year"), row(price: 990, type: "Reservation"),
    row(price: 0.15, type: "DevTestConsumption"),
    row(price: 0.17, currency: "EUR"), row(price: 0.1, sku: "Standard_D4s_v5_Promo"),
    row(price: 0.2, product: "Dsv5 Series Cloud Services"),
  ])

  static let disk = list([
    row(price: 0.58, meter: "P6 LRS Disk Mount", product: "Premium SSD Managed Disks", sku: "", unit: "1/Month"),
    row(price: 9.2801, meter: "P6 LRS Disk", product: "Premium SSD Managed Disks", sku: "", unit: "1/Month"),
    row(price: 13.92, meter: "P6 ZRS Disk", product: "Premium SSD Managed Disks", sku: "", unit: "1/Month"),
  ])

  static let address = list([
    row(
      price: 0.005, region: "Global", meter: "Standard IPv4 Static Public IP", product: "IP Addresses", sku: "",
      name: "Standard"),
    row(price: 0.0036, region: "Global", meter: "Basic IPv4 Static Public IP", product: "IP Addresses", sku: ""),
  ])
}

/// One page on loopback, whatever is asked.
private final class PricePage {
  private let process = Process()
  private var isStopped = false
  let address: String

  init(_ content: Data) throws {
    let script = """
      import http.server, sys
      content = sys.argv[1].encode()
      class Page(http.server.BaseHTTPRequestHandler):
          def do_GET(self):
              self.send_response(200)
              self.end_headers()
              self.wfile.write(content)
          def log_message(self, *words): pass
      server = http.server.HTTPServer(("127.0.0.1", 0), Page)
      print(server.server_port, flush=True)
      server.serve_forever()
      """
    let pipe = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script, String(decoding: content, as: UTF8.self)]
    process.standardOutput = pipe
    try process.run()
    var line = Data()
    while line.last != UInt8(ascii: "\n"), case let more = pipe.fileHandleForReading.readData(ofLength: 1),
      !more.isEmpty
    {
      line += more
    }
    address = "http://127.0.0.1:\(String(decoding: line, as: UTF8.self).trimmingCharacters(in: .newlines))/prices"
  }

  func stop() {
    guard !isStopped else { return }  // its number may be another's by now
    isStopped = true
    // Not Foundation's own ways: a thread of a test may have blocked the gentler signals, and its waiting spins then.
    kill(process.processIdentifier, SIGKILL)
  }
}
