import Azure
import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore

@Suite("What the VM of a run cost: in its results, and over the months")
struct CostTests {
  static let cost = RunCost(
    machine: "CF-BENCH-RG/cf-bench", size: "Standard_D4s_v5", location: "westus2", seconds: 680, wasOn: false,
    end: "deallocated", usdPerHour: 0.192, priceAsOf: "2026-11-23", priceSource: "publicList")

  @Test("one sentence: time, cents, and where the price is from")
  func sentence() {
    #expect(
      CostFormatter.sentence(Self.cost)
        == "Azure VM cf-bench, Standard_D4s_v5 in westus2: 11 min 20 s, 3.6 cents (list price of 2026-11-23).")
    var cost = Self.cost
    cost.usd = nil
    cost.wasOn = true
    cost.end = "left on for bob"
    #expect(
      CostFormatter.sentence(cost)
        == "Azure VM cf-bench, Standard_D4s_v5 in westus2: 11 min 20 s, price not known; it was on already; left on for bob."
    )
    cost = Self.cost
    cost.priceSource = "table"
    #expect(CostFormatter.sentence(cost).contains("(list price of 2026-11-23, by the built-in table)"))
  }

  @Test(
    "cents", arguments: [(0.0001, "less than 0.1 cents"), (0.0363, "3.6 cents"), (0.5, "50 cents"), (1.2, "$1.20")])
  func cents(usd: Double, text: String) { #expect(CostFormatter.cents(usd) == text) }

  @Test("the words of a comparison and of a run that had a VM (Golden)")
  func wordsGolden() throws {
    let report = ComparisonReport(record: EventFixture().record, alpha: 0.01, delta: 0.02, cost: Self.cost)
    try Golden.check(Comment.text(report), is: "comment-cost.md")
    try Golden.check(TerminalTable.text(report, style: .plain), is: "table-cost.txt")
    let side = SideReport(.head, record: EventFixture().record, comparison: nil, cost: Self.cost)
    try Golden.check(Summary.text(side), is: "summary-cost.md")
  }

  private func stored(in folder: TemporaryFolder) throws -> RunFolder {
    let story = EventFixture()
    let run = try RunFolder.create(
      in: folder.path, base: story.labels[.base], head: story.labels[.head] ?? "", alpha: 0.01, delta: 0.02)
    let store = try EventStore(path: run.events)
    for line in try story.lines() { try store.append(line: Array(line.dropLast())) }
    try store.close()
    return run
  }

  @Test("cost.json is kept, and every word and document that follows from it is made again from it")
  func file() async throws {
    let folder = try TemporaryFolder()
    let run = try stored(in: folder)
    try RunCostFile(cost: Self.cost).write(to: run)
    try StoredReport.rewrite(run)
    let comment = try TemporaryFolder.text(run.path.appending("comment.md"))
    #expect(comment.contains("3.6 cents"))
    let document = try StoredFile.decode(ComparisonDocument.self, at: run.path.appending("comparison.json"))
    #expect(document.cost == Self.cost)
    for (schema, file) in [("cost", "cost.json"), ("comparison", "comparison.json")] {
      #expect(
        try await SchemaValidator.errors(ofFiles: [run.path.appending(file).string], schema: schema) == nil, "\(schema)"
      )
    }
    for side in [Side.base, .head] {
      let path = try #require(run.folder(of: side))
      #expect(try TemporaryFolder.text(path.appending("summary.md")).contains("Both sides together."))
    }
    try StoredReport.rewrite(try RunFolder.open(run.path))
    #expect(try TemporaryFolder.text(run.path.appending("comment.md")) == comment)
    try TemporaryFolder.write(Array("{ no".utf8), run.path.appending("cost.json"))
    #expect(throws: ResultsError.self) { try StoredReport.rewrite(run) }
  }

  @Test("the schema refuses a price without its day, and a cost without its machine")
  func refusals() async throws {
    let texts = [
      #"{"schema":1,"cost":{"machine":"G/v","seconds":1,"wasOn":false,"end":"deallocated","usd":1,"usdPerHour":1}}"#,
      #"{"schema":1,"cost":{"seconds":1,"wasOn":false,"end":"deallocated"}}"#,
      #"{"schema":1,"cost":{"machine":"G/v","seconds":-1,"wasOn":false,"end":"deallocated"}}"#,
    ]
    let fitting = try await SchemaValidator.fitting(texts.map { Data($0.utf8) }, schema: "cost")
    #expect(fitting == [], "\(fitting.map { texts[$0] })")
  }

  private let prices = MachinePrices(
    compute: Price(usd: 0.192, asOf: "2026-11-23", source: .publicList),
    disk: Price(usd: 9.2801, asOf: "2026-11-23", source: .publicList),
    address: Price(usd: 0.005, asOf: "2026-11-23", source: .table, isVerified: false))

  @Test(
    "a plan in runs and time",
    arguments: [("22x10m", 22, 10.0), ("30x90s", 30, 1.5), ("4x1h", 4, 60), ("5x2.5", 5, 2.5)])
  func plan(text: String, runs: Int, minutes: Double) throws {
    let plan = try CostPlan(text, prices: prices)
    #expect(plan.runsPerMonth == runs && plan.minutesPerRun == minutes)
    let compute = try #require(plan.computeUsd)
    #expect(abs(compute - Double(runs) * minutes / 60 * 0.192) < 1e-9)
    let total = try #require(plan.totalUsd)
    #expect(abs(total - compute - 9.2801 - 3.65) < 1e-9)
  }

  @Test("what is no plan", arguments: ["", "22", "x10", "0x10m", "22x0m", "22 x 10m", "-1x10m", "22x10d", "1e9x1m"])
  func noPlan(text: String) {
    let error = #expect(throws: Problem.self) { try CostPlan(text, prices: prices) }
    #expect(error?.exitStatus == .usage)
  }

  @Test("a plan's words say what a rough fifteen dollars come to; without a price they say so")
  func planWords() throws {
    let words = try CostPlan("22x10m", prices: prices).words(prices).joined(separator: "\n")
    for part in ["compute $0.704", "disk $9.28", "address $3.65", "$13.63 a month", "leaves $2.07", "64 such runs"] {
      #expect(words.contains(part), "\(part) in \(words)")
    }
    let nothing = MachinePrices(compute: nil, disk: nil, address: nil)
    let unknown = try CostPlan("22x10m", prices: nothing).words(nothing)
    #expect(unknown.count == 1 && unknown[0].contains("compute price not known") && !unknown[0].contains("$"))
  }

  /// A ledger with a run over a month's end and a killed one, as lines.
  private static let ledger = """
    {"event":"started","from":"2026-10-31T23:50:00.000Z","group":"G","kind":"run","location":"westus2","owner":"a","run":"r1","schema":1,"size":"Standard_D4s_v5","until":"2026-11-01T02:00:00.000Z","vm":"v"}
    {"event":"stopped","from":"2026-10-31T23:50:00.000Z","to":"2026-11-01T00:10:00.000Z","group":"G","location":"westus2","owner":"a","run":"r1","schema":1,"size":"Standard_D4s_v5","vm":"v","seconds":1200,"outcome":"deallocated","usdPerHour":0.192,"usd":0.064}
    {"event":"started","from":"2026-11-20T10:00:00.000Z","group":"G","kind":"run","location":"westus2","owner":"a","run":"r2","schema":1,"size":"Standard_D4s_v5","until":"2026-11-20T10:30:00.000Z","vm":"v"}
    {"event":"sto

    """

  private func report(month: String? = nil, tag: [String: String]? = nil) async throws -> CostReport {
    try await TestSupport.withTemporaryFolder { folder in
      try Data(Self.ledger.utf8).write(to: URL(filePath: folder + "/ledger.ndjson"))
      let environment = ["CF_BENCH_STATE": folder, "CF_BENCH_PRICES": "table"]
      let state = StateFolder(environment: environment)
      var settings = AzureSettings()
      settings.group = "G"
      settings.vm = "v"
      settings.monthlyLimit = 5
      let seen = tag.map {
        CostReport.Seen(size: nil, location: "westus2", tag: MonthTag(board: LeaseTags(tags: $0)))
      }
      var report = CostReport(
        settings, content: UsageLog(state: state).content(), book: PriceBook(state: state, environment: environment),
        seen: seen, month: month)
      report.plan = try CostPlan("22x10m", prices: report.prices)
      return report
    }
  }

  @Test("by run and month: the ledger's time, or the VM's own sum where that is larger")
  func months() async throws {
    let alone = try await report(month: "2026-11")
    #expect(alone.months.map(\.month) == ["2026-11"] && alone.months[0].seconds == 600 + 2100)
    #expect(alone.runs.map(\.end) == ["deallocated", "open"])
    #expect(alone.notes.contains { $0.contains("Azure was not asked") })
    #expect(alone.notes.contains { $0.contains("1 line of the ledger can't be read") })
    #expect(alone.notes.contains { $0.contains("1 start has no stop") })
    let october = try await report(month: "2026-10")
    #expect(october.months[0].seconds == 600 && october.runs.map(\.run) == ["r1"])
    let larger = try await report(month: "2026-11", tag: ["cf-bench-month": "2026-11=7200"])
    #expect(larger.months[0].seconds == 7200 && larger.months[0].tagSeconds == 7200)
    #expect(larger.months[0].ledgerSeconds == 2700)
    let compute = try #require(larger.months[0].computeUsd)
    #expect(abs(compute - 0.384) < 1e-9)
    let smaller = try await report(month: "2026-11", tag: ["cf-bench-month": "2026-11=60"])
    #expect(smaller.months[0].seconds == 2700)
  }

  @Test("what cost --json prints fits its schema, with all there is and with nothing")
  func schema() async throws {
    let empty = CostReport(
      AzureSettings(), content: UsageLog(state: StateFolder(environment: ["CF_BENCH_STATE": "/nowhere"])).content(),
      book: PriceBook(state: StateFolder(environment: ["CF_BENCH_STATE": "/nowhere"]), environment: [:]), seen: nil,
      month: "2026-11")
    let all = [try await report(), try await report(tag: ["cf-bench-month": "2026-12=60"]), empty]
    let documents = try all.map { try JSONEncoder().encode($0) }
    #expect(try await SchemaValidator.errors(of: documents, schema: "cost-report") == nil)
  }

  @Test("the table (Golden)")
  func tableGolden() async throws {
    try Golden.check(CostTable.text(try await report(month: "2026-11")), is: "table-spending.txt")
  }
}
