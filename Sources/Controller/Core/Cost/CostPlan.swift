import Azure
import Shared

/// So many runs a month, and what they would cost.
struct CostPlan: Encodable, Equatable {
  var runsPerMonth: Int
  /// For how long the VM is on for one of them.
  var minutesPerRun: Double
  var secondsPerMonth: Double
  /// US dollars a month; `nil` where a price is not known.
  var computeUsd: Double?
  var diskUsd: Double?
  var addressUsd: Double?
  var totalUsd: Double?

  /// What people take such a VM to cost a month, before they have looked.
  static let roughBudget = 15.0

  /// - Parameter text: `22x10m`, `30x90s`, `4x1h`; without a unit minutes.
  init(_ text: String, prices: MachinePrices) throws {
    guard let match = text.wholeMatch(of: /(\d{1,5})x(\d{1,4}(?:\.\d{1,3})?)(s|m|h)?/),
      let runs = Int(match.output.1), let time = Double(match.output.2), runs > 0, time > 0
    else {
      throw Problem(
        what: "'\(text)' is not a plan", why: "a plan is the runs a month and how long the VM is on for each",
        fix: "write --plan 22x10m for 22 runs of ten minutes", exitStatus: .usage)
    }
    let unit: Double = match.output.3 == "s" ? 1 : match.output.3 == "h" ? 3600 : 60
    runsPerMonth = runs
    minutesPerRun = time * unit / 60
    secondsPerMonth = Double(runs) * time * unit
    computeUsd = prices.compute.map { [secondsPerMonth] in $0.usd * secondsPerMonth / 3600 }
    diskUsd = prices.disk?.usd
    addressUsd = prices.addressPerMonth
    if let computeUsd, let diskUsd, let addressUsd { totalUsd = computeUsd + diskUsd + addressUsd }
  }

  /// What the plan comes to, and what the rough budget would buy.
  func words(_ prices: MachinePrices) -> [String] {
    let each = Duration.seconds(minutesPerRun * 60).words
    let all = Duration.seconds(secondsPerMonth).words
    func amount(_ usd: Double?) -> String { usd.map(Dollars.text) ?? "price not known" }
    var words = [
      "Plan: \(runsPerMonth) runs a month with the VM on for \(each) each, \(all) together: "
        + "compute \(amount(computeUsd)), disk \(amount(diskUsd)), address \(amount(addressUsd))"
        + (totalUsd.map { "; \(Dollars.text($0)) a month." } ?? ".")
    ]
    if let fixed = prices.fixedPerMonth, let compute = prices.compute?.usd, compute > 0 {
      let left = Self.roughBudget - fixed
      let hours = left / compute
      words.append(
        left > 0
          ? "$15 a month leaves \(Dollars.text(left)) for compute after disk and address (\(Dollars.text(fixed))): "
            + "\(Duration.seconds(hours * 3600).words), or \(Int(hours * 60 / minutesPerRun)) such runs."
          : "$15 a month is spent by disk and address alone (\(Dollars.text(fixed))).")
    }
    return words
  }
}
