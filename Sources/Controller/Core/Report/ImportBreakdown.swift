import Shared

/// The folded part of the comment that says where import time went, module by module.
enum ImportBreakdown {
  private static let top = 10

  /// `nil` when no import tree is there for both sides.
  static func markdown(_ differences: [ImportDifference]) -> String? {
    guard !differences.isEmpty else { return nil }
    let parts = differences.map { part($0, naming: differences.count > 1) }
    return Comment.fold("Per-module import breakdown", parts.joined(separator: "\n"))
  }

  private static func part(_ difference: ImportDifference, naming: Bool) -> String {
    var text = naming ? "**Python \(Markdown.text(difference.python))**\n\n" : ""
    text += "\(modules(difference.baseModules)) in \(Numbers.microseconds(difference.baseMicroseconds)) → "
    text += "\(modules(difference.headModules)) in \(Numbers.microseconds(difference.headMicroseconds)), "
    text += "by `python -X importtime` (median of \(difference.runs) \(difference.runs == 1 ? "run" : "runs"); "
    text += "the trace itself slows the import, and single modules vary).\n"
    if difference.isEmpty { text += "\nNo module differs beyond what runs of one side differ by.\n" }
    text += costs("Gone", difference.gone) + costs("New", difference.new)
    text += changes("Shrank most", difference.shrank) + changes("Grew most", difference.grew)
    return text
  }

  private static func costs(_ title: String, _ modules: [ModuleCost]) -> String {
    guard !modules.isEmpty else { return "" }
    let all = Numbers.microseconds(modules.reduce(0) { $0 + $1.selfMicroseconds })
    let rows = modules.prefix(top).map { [Markdown.code($0.name), Numbers.microseconds($0.selfMicroseconds)] }
    return "\n**\(title)**: \(self.modules(modules.count)), \(all)\n\n" + Markdown.table(["Module", "Self time"], rows)
      + more(modules.count)
  }

  private static func changes(_ title: String, _ changes: [ImportDifference.Change]) -> String {
    guard !changes.isEmpty else { return "" }
    let rows = changes.prefix(top).map { change in
      [
        Markdown.code(change.name), Numbers.microseconds(change.base), Numbers.microseconds(change.head),
        (change.difference > 0 ? "+" : "") + Numbers.microseconds(change.difference),
      ]
    }
    return "\n**\(title)**\n\n" + Markdown.table(["Module", "Base", "Head", "Self time"], rows) + more(changes.count)
  }

  private static func modules(_ count: Int) -> String { count == 1 ? "1 module" : "\(count) modules" }

  private static func more(_ count: Int) -> String {
    count > top ? "\nand \(count - top) more, in `importtime.tsv` of both sides\n" : ""
  }
}
