import Foundation
import Shared
import TestSupport
import Testing

@testable import Azure

@Suite("What was spent: the ledger here, the month's sum at the VM, and the limit")
struct SpendingTests {
  private static func moment(_ text: String) throws -> Date { try Timestamp.date(text + ":00.000Z") }

  private func use(
    _ run: String, _ from: String, _ to: String, _ outcome: UsageLog.Entry.Outcome = .deallocated, kept: String? = nil,
    usdPerHour: Double? = 0.2
  ) throws -> UsageLog.Entry {
    let seconds = try Self.moment(to).timeIntervalSince(Self.moment(from))
    return UsageLog.Entry(
      event: .stopped, run: run, owner: "alice", group: "G", vm: "v", size: "Standard_D4s_v5", location: "westus2",
      from: from + ":00.000Z", to: to + ":00.000Z", seconds: seconds, outcome: outcome,
      keptUntil: kept.map { $0 + ":00.000Z" }, usdPerHour: usdPerHour, usd: usdPerHour.map { $0 * seconds / 3600 })
  }

  private func start(_ run: String, _ from: String, until: String, kind: Lease.Kind = .run) -> UsageLog.Start {
    UsageLog.Start(
      run: run, owner: "alice", group: "G", vm: "v", size: "Standard_D4s_v5", location: "westus2",
      from: from + ":00.000Z", until: until + ":00.000Z", kind: kind.rawValue)
  }

  private func spending(
    starts: [UsageLog.Start] = [], uses: [UsageLog.Entry] = [], offs: [UsageLog.Entry] = [],
    now: String = "2026-11-30T00:00"
  ) throws -> Spending {
    Spending(
      UsageLog.Content(starts: starts, uses: uses, offs: offs), at: try Self.moment(now), price: { _, _ in 0.2 })
  }

  private let vm = AzureVM(group: "G", name: "v")

  @Test("time over the new year belongs to both months")
  func newYear() throws {
    let all = try spending(uses: [use("r", "2026-12-31T23:45", "2027-01-01T00:30")])
    #expect(all.part("2026-12", of: vm).seconds == 900 && all.part("2027-01", of: vm).seconds == 1800)
    #expect(abs(all.part("2027-01", of: vm).usd - 0.1) < 1e-9)
    let long = BilledTime(from: try Self.moment("2027-01-31T12:00"), to: try Self.moment("2027-03-01T12:00")).months
    #expect(long == ["2027-01": 43_200, "2027-02": 28 * 86_400, "2027-03": 43_200])
  }

  @Test("two runs that had the VM at once are billed once, and both stand in the list")
  func overlap() throws {
    let all = try spending(uses: [
      use("a", "2026-11-01T10:00", "2026-11-01T10:20", .leftOn), use("b", "2026-11-01T10:10", "2026-11-01T10:30"),
      use("c", "2026-11-01T10:12", "2026-11-01T10:14", .leftOn),
    ])
    #expect(all.part("2026-11", of: vm).seconds == 1800 && all.runs.count == 3)
  }

  @Test("a start without a stop is open, and counts until its lease's end or now, whichever is first")
  func open() throws {
    let killed = start("k", "2026-11-02T10:00", until: "2026-11-02T10:30")
    let all = try spending(
      starts: [killed, start("x", "2026-11-01T09:00", until: "2026-11-01T11:00")],
      uses: [
        use("x", "2026-11-01T09:00", "2026-11-01T09:10")
      ])
    #expect(all.runs.map(\.end) == ["deallocated", "open"])
    #expect(all.runs.last?.seconds == 2100)
    #expect(try spending(starts: [killed], now: "2026-11-02T10:05").runs.first?.seconds == 300)
  }

  @Test("what was kept on counts until the VM was off, at most until it was to stay on")
  func kept() throws {
    let kept = try use("a", "2026-11-03T10:00", "2026-11-03T10:10", .kept, kept: "2026-11-03T11:10")
    #expect(try spending(uses: [kept]).part("2026-11", of: vm).seconds == 4200)
    let off = try use("stop", "2026-11-03T10:40", "2026-11-03T10:40")
    #expect(try spending(uses: [kept], offs: [off]).part("2026-11", of: vm).seconds == 2400)
    let byHand = start("s", "2026-11-03T10:00", until: "2026-11-03T11:00", kind: .keep)
    #expect(try spending(starts: [byHand], offs: [off]).part("2026-11", of: vm).seconds == 2400)
    #expect(try spending(starts: [byHand]).part("2026-11", of: vm).seconds == 3600)
  }

  @Test("a stop that was written days after a kill does not bill the days")
  func lateStop() throws {
    let all = try spending(
      starts: [start("k", "2026-11-04T10:00", until: "2026-11-04T10:30")],
      uses: [use("k", "2026-11-04T10:00", "2026-11-07T10:00")])
    #expect(all.part("2026-11", of: vm).seconds == 2100)
  }

  @Test("time without a price is counted as such")
  func unpriced() throws {
    let all = Spending(
      UsageLog.Content(uses: [try use("a", "2026-11-05T10:00", "2026-11-05T11:00", usdPerHour: nil)]),
      price: { _, _ in nil })
    #expect(all.runs.first?.usd == nil)
    #expect(all.part("2026-11", of: vm) == Spending.Part(seconds: 3600, usd: 0, unpricedSeconds: 3600))
  }

  @Test("the ledger: a start, its stop with the price, a torn line, and a line of a later release")
  func ledger() async throws {
    try await withTemporaryFolder { folder in
      let state = StateFolder(environment: ["CF_BENCH_STATE": folder])
      let ledger = UsageLog(state: state)
      var intent = Intent(run: "r", owner: "alice", vm: vm)
      intent.startedAt = Timestamp.rfc3339(.now - 1800)
      try ledger.begin(
        intent, lease: Lease(run: "r", until: .now + 3600, generation: 1, kind: .run, owner: "alice"))
      #expect(ledger.content().starts.map(\.run) == ["r"] && ledger.entries().entries.isEmpty)
      let crash = try FileHandle(forWritingTo: URL(filePath: state.ledger))
      try crash.seekToEnd()
      try crash.write(contentsOf: Data(#"{"event":"stopped","run":"#.utf8))
      try crash.close()
      try ledger.add(
        VMOutcome(outcome: .deallocated, seconds: 1800), of: intent,
        price: Price(usd: 0.2, asOf: "2026-11-01", source: .publicList))
      intent.startedAt = nil
      try ledger.add(VMOutcome(outcome: .deallocated, seconds: 0), of: intent)
      try ledger.add(VMOutcome(outcome: .nothingToDo("gone"), seconds: 0), of: intent)
      try DurableFile.append(line: Array(#"{"event":"paused","run":"r"}"#.utf8), to: state.ledger)
      let content = ledger.content()
      #expect(content.starts.count == 1 && content.uses.count == 1 && content.offs.count == 1)
      #expect(content.unreadable == 2)
      let entry = try #require(content.uses.first)
      #expect(entry.usd == 0.1 && entry.usdPerHour == 0.2 && entry.priceAsOf == "2026-11-01")
      #expect(entry.priceSource == .publicList)
    }
  }

  @Test("lines of the first release are read")
  func oldLines() async throws {
    try await withTemporaryFolder { folder in
      let state = StateFolder(environment: ["CF_BENCH_STATE": folder])
      try state.write(
        #"{"from":"2026-11-01T10:00:00.000Z","group":"G","outcome":"deallocated","owner":"a","run":"r","schema":1,"#
          + #""seconds":60,"to":"2026-11-01T10:01:00.000Z","vm":"v"}"# + "\n", to: state.ledger)
      #expect(UsageLog(state: state).entries().entries.map(\.seconds) == [60])
    }
  }

  @Test("the month's sum at the VM: added to, begun anew in a new month, and nothing counted twice")
  func monthTag() throws {
    func time(_ from: String, _ to: String) throws -> BilledTime {
      BilledTime(from: try Self.moment(from), to: try Self.moment(to))
    }
    let first = MonthTag.tags(adding: try time("2026-11-01T10:00", "2026-11-01T10:20"), to: LeaseTags(tags: [:]))
    #expect(first["cf-bench-month"] == "2026-11=1200")
    // Another one that had it from 10:10 on.
    let second = MonthTag.tags(adding: try time("2026-11-01T10:10", "2026-11-01T10:30"), to: LeaseTags(tags: first))
    #expect(second["cf-bench-month"] == "2026-11=1800")
    // One that ended before the last count adds nothing, and does not turn the moment back.
    let late = MonthTag.tags(adding: try time("2026-11-01T10:05", "2026-11-01T10:25"), to: LeaseTags(tags: second))
    #expect(late == second)
    let december = MonthTag.tags(adding: try time("2026-11-30T23:50", "2026-12-01T00:05"), to: LeaseTags(tags: second))
    #expect(december["cf-bench-month"] == "2026-12=300")
    #expect(december.values.allSatisfy { $0.count <= 256 })
  }

  @Test(
    "a sum that can't be read is none",
    arguments: ["", "2026-11", "2026-11=", "2026-11=x", "2026-11=-5", "2026-13=5", "soon=5"])
  func badTag(text: String) { #expect(MonthTag(board: LeaseTags(tags: ["cf-bench-month": text])) == nil) }

  private func view(tags: [String: String] = [:], power: String = "deallocated", size: String = "Standard_D4s_v5")
    throws
    -> VMView
  {
    let document: [String: Any] = [
      "id": "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/v", "name": "v",
      "location": "westus2", "tags": tags, "hardwareProfile": ["vmSize": size],
      "instanceView": ["statuses": [["code": "PowerState/\(power)"]]],
    ]
    return try JSONDecoder().decode(VMView.self, from: JSONSerialization.data(withJSONObject: document))
  }

  private func limit(_ usd: Double, spent: Double = 0) -> SpendingLimit {
    SpendingLimit(
      limit: usd, expected: .seconds(900), ledger: Spending.Part(seconds: 0, usd: spent),
      prices: { size, _ in size == "Standard_D4s_v5" ? Price(usd: 0.2, asOf: "2026-11-01", source: .table) : nil })
  }

  @Test("a start that would pass the limit is refused in words that say the figures, with exit code 2")
  func refused() throws {
    try limit(1, spent: 0.94).check(view(), vm: vm, run: "r")
    let error = #expect(throws: SpendingRefused.self) { try limit(1, spent: 0.96).check(view(), vm: vm, run: "r") }
    #expect(error?.exitStatus == .usage)
    let words = error?.problem.rendered ?? ""
    for part in ["$1.00", "$0.96", "$0.05", "15 min", "$0.20 an hour", "2026-11-01", "--set azure.monthly-limit=2"] {
      #expect(words.contains(part), "\(part) in \(words)")
    }
  }

  @Test("what others spent counts through the VM's tag, in its own month only")
  func tag() throws {
    let month = Month.name()
    #expect(throws: SpendingRefused.self) {
      try limit(1).check(view(tags: ["cf-bench-month": "\(month)=18000"]), vm: vm, run: "r")
    }
    try limit(1).check(view(tags: ["cf-bench-month": "2020-01=18000"]), vm: vm, run: "r")
  }

  @Test("a VM that others have on for longer costs nothing more; one that ends earlier does")
  func shared() throws {
    func tags(_ seconds: Double) -> [String: String] {
      let lease = Lease(run: "other", until: .now + seconds, generation: 1, kind: .run, owner: "bob")
      return [lease.tag: lease.value]
    }
    try limit(0).check(view(tags: tags(1000), power: "running"), vm: vm, run: "r")
    #expect(throws: SpendingRefused.self) {
      try limit(0).check(view(tags: tags(600), power: "running"), vm: vm, run: "r")
    }
    #expect(throws: SpendingRefused.self) { try limit(0).check(view(tags: tags(1000)), vm: vm, run: "r") }
  }

  @Test("without a price the limit can't be kept, so nothing is started")
  func noPrice() throws {
    let error = #expect(throws: Problem.self) { try limit(100).check(view(size: "Standard_X"), vm: vm, run: "r") }
    #expect(error?.exitStatus == .usage && error?.why?.contains("Standard_X") == true)
  }

  @Test(
    "amounts as people read them",
    arguments: [
      (0, "$0"), (0.0001, "less than $0.001"), (0.0363, "$0.036"), (0.5, "$0.50"), (0.9996, "$1.00"),
      (12.925, "$12.93"),
      (1234.5, "$1234.50"),
    ])
  func dollars(usd: Double, text: String) { #expect(Dollars.text(usd) == text) }
}
