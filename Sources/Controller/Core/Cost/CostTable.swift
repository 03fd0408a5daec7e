import Azure
import Shared

/// What `cost` prints for a person.
enum CostTable {
  static func text(_ report: CostReport) -> String {
    var parts = [prices(report)]
    parts.append(report.runs.isEmpty ? "No runs are in the ledger.\n" : grid([runHeader] + report.runs.map(row)))
    parts.append(grid([monthHeader] + report.months.map(row)))
    var last = report.plan.map { $0.words(report.prices) } ?? []
    if let limit = report.monthlyLimit {
      last.append(
        "Nothing is started that would take a month's compute over \(Dollars.text(limit)) (azure.monthly-limit).")
    }
    last += report.notes
    if !last.isEmpty { parts.append(last.map { TerminalText.clean($0) + "\n" }.joined()) }
    return parts.joined(separator: "\n")
  }

  private static func prices(_ report: CostReport) -> String {
    func line(_ name: String, _ price: Price?, _ unit: String) -> String {
      let words = price.map { "\(Dollars.text($0.usd)) \(unit) (\($0.origin))" } ?? "price not known"
      return "  \(name): \(words)\n"
    }
    return "\(TerminalText.clean(report.vm))\n"
      + line(TerminalText.clean("\(report.size) in \(report.location)"), report.prices.compute, "an hour")
      + line("Premium SSD for \(report.diskGB) GB", report.prices.disk, "a month")
      + line("public address", report.prices.address, "an hour")
  }

  private static let runHeader = ["When (UTC)", "Run", "Minutes", "USD", "End"]

  private static func row(_ run: Spending.Run) -> [String] {
    let words = [
      "leftOn": "left on for others", "kept": "kept on", "nothingToDo": "not ours any more",
      Spending.Run.open: "no stop known",
    ]
    return [
      String(run.from.prefix(16)).replacing("T", with: " "), run.run, Numbers.fixed(run.seconds / 60, 1),
      run.usd.map(Dollars.text) ?? "?", words[run.end] ?? run.end,
    ]
  }

  private static let monthHeader = ["Month", "On", "Compute", "Disk", "Address", "Together"]

  private static func row(_ month: CostReport.Month) -> [String] {
    [month.month, Numbers.elapsed(month.seconds)]
      + [month.computeUsd, month.diskUsd, month.addressUsd, month.totalUsd].map { $0.map(Dollars.text) ?? "?" }
  }

  private static func grid(_ rows: [[String]]) -> String {
    TerminalText.columns(rows.map { $0.map { TerminalText.clean($0, limit: 80) } }).map { $0 + "\n" }.joined()
  }
}
