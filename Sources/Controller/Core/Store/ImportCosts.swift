import Shared
import Statistics

/// What importing the target costs on one side with one Python: the median over the fresh runs, module by module.
struct ImportCosts: Equatable, Sendable {
  var side: Side
  var python: String
  var runs: Int
  /// In the order in which Python finished them: children before their parent.
  var modules: [ModuleCost]

  /// Self times of all modules together, in microseconds: what the import takes in all.
  var totalMicroseconds: Double { modules.reduce(0) { $0 + $1.selfMicroseconds } }
}

struct ModuleCost: Equatable, Sendable {
  var name: String
  var depth: Int
  /// Median over the runs that imported it, in microseconds.
  var selfMicroseconds: Double
  var cumulativeMicroseconds: Double
  /// The least and the most that a run saw, in microseconds of self time.
  var selfRange: ClosedRange<Double>
}

extension ImportCosts {
  /// `nil` when no run saw a module.
  init?(_ side: Side, python: String, record: JobRecord) {
    let trees = record.importTrees.filter { $0.side == side && $0.python == python }
    guard trees.contains(where: { !$0.modules.isEmpty }) else { return nil }
    var order: [Occurrence] = []
    var seen: [Occurrence: [ImportedModule]] = [:]
    for tree in trees {
      for (occurrence, module) in Occurrence.all(tree.modules) {
        if seen[occurrence] == nil { order.append(occurrence) }
        seen[occurrence, default: []].append(module)
      }
    }
    self.init(
      side: side, python: python, runs: trees.count,
      modules: order.compactMap { ModuleCost($0.name, runs: seen[$0] ?? []) })
  }

  /// Python says a name twice when a first import of it failed: these are two lines, not one with two values.
  private struct Occurrence: Hashable {
    var name: String
    var index: Int

    static func all(_ modules: [ImportedModule]) -> [(Occurrence, ImportedModule)] {
      var counts: [String: Int] = [:]
      return modules.map { module in
        let index = counts[module.name, default: 0]
        counts[module.name] = index + 1
        return (Occurrence(name: module.name, index: index), module)
      }
    }
  }
}

extension ModuleCost {
  fileprivate init?(_ name: String, runs: [ImportedModule]) {
    let own = runs.map { Double($0.selfMicroseconds) }
    guard let first = runs.first, let least = own.min(), let most = own.max(), let median = Quantile.median(own),
      let cumulative = Quantile.median(runs.map { Double($0.cumulativeMicroseconds) })
    else { return nil }
    self.init(
      name: name, depth: first.depth, selfMicroseconds: median, cumulativeMicroseconds: cumulative,
      selfRange: least...most)
  }
}

/// `importtime.tsv` of one side.
enum ImportTable {
  /// A header line, then a line a module: name, depth, self and cumulative time in whole microseconds. With several
  /// Pythons a first column names it. `nil` when nothing was recorded.
  static func text(_ side: Side, from record: JobRecord) -> String? {
    let costs = record.pythons.compactMap { ImportCosts(side, python: $0, record: record) }
    guard !costs.isEmpty else { return nil }
    let columns = ["module", "depth", "self_us", "cumulative_us"]
    var lines = [(costs.count > 1 ? ["python"] : []) + columns]
    for cost in costs {
      for module in cost.modules {
        let cells = [
          field(module.name), String(module.depth), String(Int(module.selfMicroseconds.rounded())),
          String(Int(module.cumulativeMicroseconds.rounded())),
        ]
        lines.append((costs.count > 1 ? [field(cost.python)] : []) + cells)
      }
    }
    return lines.map { $0.joined(separator: "\t") + "\n" }.joined()
  }

  /// A name can't break the table.
  private static func field(_ text: String) -> String {
    String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 })
  }
}
