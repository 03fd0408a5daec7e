import Azure
import Shared

/// What the machine of a run cost, in one sentence.
enum CostFormatter {
  /// `Azure VM cf-bench, Standard_D4s_v5 in westus2: 11 min 20 s, 3.6 cents (list price of 2026-01-31).`
  static func sentence(_ cost: RunCost) -> String {
    let name = cost.machine.split(separator: "/").last.map(String.init) ?? cost.machine
    let size = cost.size.map { ", \($0)" } ?? ""
    let location = cost.location.map { " in \($0)" } ?? ""
    let wasOn = cost.wasOn ? "; it was on already" : ""
    let end = cost.end == "deallocated" ? "" : "; \(cost.end)"
    return "Azure VM \(name)\(size)\(location): \(Numbers.elapsed(cost.seconds)), \(amount(cost))\(wasOn)\(end)."
  }

  private static func amount(_ cost: RunCost) -> String {
    guard let usd = cost.usd else { return "price not known" }
    let table = cost.priceSource == Price.Source.table.rawValue ? ", by the built-in table" : ""
    return "\(cents(usd)) (list price\(cost.priceAsOf.map { " of \($0)" } ?? "")\(table))"
  }

  /// `3.6 cents`, `$1.20`.
  static func cents(_ usd: Double) -> String {
    if usd >= 0.995 { return Dollars.text(usd) }
    let cents = usd * 100
    if cents < 0.05 { return "less than 0.1 cents" }
    return "\(Numbers.digits(cents, 2)) cents"
  }
}
