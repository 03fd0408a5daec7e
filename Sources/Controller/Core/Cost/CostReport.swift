import Azure
import Shared

/// What `cost --json` prints. Schema: `docs/schemas/cost-report.schema.json`.
struct CostReport: Encodable, Equatable {
  struct Month: Encodable, Equatable {
    var month: String
    /// For how long the VM was on: the larger of what the ledger here and the VM's tag say.
    var seconds: Double
    var ledgerSeconds: Double
    /// `nil` for a month that the tag is not about, and where Azure could not be asked.
    var tagSeconds: Double?
    /// US dollars; `nil` where a price is not known.
    var computeUsd: Double?
    /// Fixed, for the whole month.
    var diskUsd: Double?
    var addressUsd: Double?
    var totalUsd: Double?
  }

  var schema = 1
  var vm: String
  var size: String
  var location: String
  var diskGB: Int
  var prices: MachinePrices
  var runs: [Spending.Run]
  var months: [Month]
  /// US dollars of compute a month above which nothing is started.
  var monthlyLimit: Double?
  var plan: CostPlan?
  /// What else has to be known to read it.
  var notes: [String]

  /// What Azure says of the VM, as far as it was asked.
  struct Seen: Sendable {
    var size: String?
    var location: String
    var tag: MonthTag?
  }

  init(_ settings: AzureSettings, content: UsageLog.Content, book: PriceBook, seen: Seen?, month: String?) {
    let size = seen?.size ?? settings.size
    let location = seen?.location ?? settings.location
    vm = settings.machine.description
    self.size = size
    self.location = location
    diskGB = settings.diskGB
    monthlyLimit = settings.monthlyLimit
    let prices = book.prices(size: size, diskGB: settings.diskGB, location: location)
    self.prices = prices
    let spending = Spending(content) { size, location in
      size.flatMap { size in location.flatMap { book.price(of: .compute(size: size, location: $0))?.usd } }
    }
    runs = spending.runs.filter { run in month.map { run.from.hasPrefix($0) || run.to.hasPrefix($0) } ?? true }
    notes = []
    let named = [month, seen?.tag?.month].compactMap(\.self)
    let names = Set(spending.months.keys).union(month == nil ? [Azure.Month.name()] + named : named)
    months = names.filter { month == nil || $0 == month }.sorted().map {
      Self.month($0, settings.machine.description, spending, seen?.tag, prices)
    }
    notes = Self.notes(spending, prices, hasSeen: seen != nil)
  }

  private static func month(
    _ name: String, _ vm: String, _ spending: Spending, _ tag: MonthTag?, _ prices: MachinePrices
  ) -> Month {
    let parts = spending.months[name] ?? [:]
    let own = parts[vm] ?? Spending.Part()
    let others = parts.filter { $0.key != vm }.values
    let tagSeconds = tag.flatMap { $0.month == name ? $0.seconds : nil }
    let all = [own] + others
    let unpriced = all.contains { $0.unpricedSeconds > 0 } || (tagSeconds ?? 0 > 0 && prices.compute == nil)
    let tagUsd = tagSeconds.flatMap { seconds in prices.compute.map { $0.usd * seconds / 3600 } } ?? 0
    let otherUsd = others.reduce(0) { $0 + $1.usd }
    let computeUsd = unpriced ? nil : max(own.usd, tagUsd) + otherUsd
    var month = Month(
      month: name, seconds: max(own.seconds, tagSeconds ?? 0) + others.reduce(0) { $0 + $1.seconds },
      ledgerSeconds: all.reduce(0) { $0 + $1.seconds }, tagSeconds: tagSeconds, computeUsd: computeUsd,
      diskUsd: prices.disk?.usd, addressUsd: prices.addressPerMonth)
    if let computeUsd, let fixed = prices.fixedPerMonth { month.totalUsd = computeUsd + fixed }
    return month
  }

  private static func notes(_ spending: Spending, _ prices: MachinePrices, hasSeen: Bool) -> [String] {
    var notes: [String] = []
    if !hasSeen {
      notes.append("From the ledger of this machine alone: Azure was not asked what others spent on the VM.")
    }
    let open = spending.runs.count { $0.end == Spending.Run.open }
    if open > 0 {
      notes.append(
        "\(open == 1 ? "1 start has" : "\(open) starts have") no stop here: at work, kept on, or killed (cf-bench reap "
          + "finishes those); counted until its lease ended.")
    }
    if spending.unreadable > 0 {
      let lines = spending.unreadable == 1 ? "1 line of the ledger" : "\(spending.unreadable) lines of the ledger"
      notes.append("\(lines) can't be read and not counted.")
    }
    if [prices.compute, prices.disk, prices.address].contains(where: { $0?.isVerified == false }) {
      notes.append("Prices marked 'not verified' are of the built-in table and were not found in Azure's list.")
    }
    return notes
  }
}
