import Azure
import Shared

/// What the measuring time went into, how quiet the machine was, and what more time would buy.
enum SpendingFormatter {
  static func sentences(_ document: ComparisonDocument) -> [String] {
    [spent(document), disturbed(document.spending), floor(document), further(document)].compactMap { $0 }
  }

  /// `Measured for 5 min 2 s of at most 10 min: startup 48 s (14 blocks), micro 2 min 3 s (13 blocks), the rest ….`
  private static func spent(_ document: ComparisonDocument) -> String? {
    let spending = document.spending
    guard let budget = spending.budgetSeconds, !spending.layers.isEmpty else { return nil }
    let severalPythons = Set(spending.layers.map(\.python)).count > 1
    let layers = spending.layers.map { layer in
      let python = severalPythons ? ", Python \(layer.python)" : ""
      let blocks = layer.blocks == 1 ? "1 block" : "\(layer.blocks) blocks"
      return "\(layer.layer.rawValue)\(python) \(Numbers.elapsed(layer.blockSeconds)) (\(blocks))"
    }
    let other = spending.layers.compactMap(\.otherSeconds).reduce(0, +)
    return "Measured for \(Numbers.elapsed(spending.spentSeconds)) of at most \(Numbers.elapsed(budget)): "
      + layers.joined(separator: ", ") + "; warming up, import trees and profiles \(Numbers.elapsed(other))."
  }

  private static func disturbed(_ spending: ComparisonDocument.Spending) -> String? {
    let aside = spending.layers.reduce(0) { $0 + $1.setAside }
    let all = spending.layers.reduce(0) { $0 + $1.blocks }
    guard aside > 0 else { return nil }
    return
      "\(aside) of \(all) blocks were discarded: something disturbed the machine, or a run failed, while they were measured."
  }

  private static func floor(_ document: ComparisonDocument) -> String? {
    let floors = document.metrics.compactMap { metric in metric.floor.map { (metric.name, $0) } }
    guard let most = floors.max(by: { $0.1 < $1.1 }) else { return nil }
    return "A/A control: two installs of the base differed by up to \(Numbers.digits(most.1 * 100, 2)) % (\(most.0)); "
      + "smaller differences are not reported."
  }

  /// What would settle what is open.
  private static func further(_ document: ComparisonDocument) -> String? {
    guard document.verdict != .void, document.spending.budgetSeconds != nil else { return nil }
    if let forecast = document.forecast {
      return "About \(Duration.seconds(forecast.seconds).words) more may decide "
        + "\(listed(forecast.metrics, most: 3, rest: "others")): \(forecast.option)."
    }
    let isOpen = document.metrics.judged.contains { $0.verdict == .undecided && $0.withheld == nil }
    return isOpen ? "No amount of time in sight would decide what is open." : nil
  }
}

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
