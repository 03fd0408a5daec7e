import Shared
import Statistics

/// Whose imports were traced.
struct ImportKey: Hashable, Sendable {
  var command: String
  var python: String
}

/// What a command's imports cost on one side with one Python: the median over the fresh runs, module by module.
struct ImportCosts: Equatable, Sendable {
  var side: Side
  var command: String
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
  /// The module that imports it first; `nil` for what the command itself imports.
  var importer: String?
  /// Median over the runs that imported it, in microseconds.
  var selfMicroseconds: Double
  var cumulativeMicroseconds: Double
  /// The least and the most that a run saw, in microseconds of self time.
  var selfRange: ClosedRange<Double>
}

extension JobRecord {
  /// Earlier results have one tree, which does not name its command.
  func command(of tree: ImportTree) -> String { tree.metric ?? "import \(started?.importName ?? "the target")" }

  /// The trees there are: by Python, in the order in which their commands were first traced.
  var importKeys: [ImportKey] {
    let keys = importTrees.map { ImportKey(command: command(of: $0), python: $0.python) }.uniqued()
    return pythons.flatMap { python in keys.filter { $0.python == python } }
  }

  /// Whether a command is a bare import on both sides, by which nothing of the target's is imported.
  func importsNothing(_ key: MetricKey) -> Bool {
    guard key.layer == .startup, let target = started?.importName, key.metric == "import \(target)" else {
      return false
    }
    let trees = importTrees.filter { $0.metric == key.metric && $0.python == key.python }
    return Side.allCases.allSatisfy { side in
      trees.contains { $0.side == side && $0.importsNothing(of: target) }
    }
  }
}

extension ImportCosts {
  /// `nil` when no run saw a module.
  init?(_ side: Side, _ key: ImportKey, record: JobRecord) {
    let trees = record.importTrees.filter {
      $0.side == side && $0.python == key.python && record.command(of: $0) == key.command
    }
    guard trees.contains(where: { !$0.modules.isEmpty }) else { return nil }
    var order: [Occurrence] = []
    var seen: [Occurrence: [ImportedModule]] = [:]
    var importers: [String: String] = [:]
    for tree in trees {
      importers.merge(Self.importers(tree.modules)) { first, _ in first }
      for (occurrence, module) in Occurrence.all(tree.modules) {
        if seen[occurrence] == nil { order.append(occurrence) }
        seen[occurrence, default: []].append(module)
      }
    }
    self.init(
      side: side, command: key.command, python: key.python, runs: trees.count,
      modules: order.compactMap { ModuleCost($0.name, importer: importers[$0.name], runs: seen[$0] ?? []) })
  }

  /// By whom each module was imported: children stand before their parent, one level deeper. Python imports a package as
  /// part of its first submodule's import: who imports the submodule imports the package.
  private static func importers(_ modules: [ImportedModule]) -> [String: String] {
    var parents = [Int?](repeating: nil, count: modules.count)
    var waiting: [Int] = []
    for index in modules.indices {
      while let child = waiting.last, modules[child].depth > modules[index].depth {
        parents[child] = index
        waiting.removeLast()
      }
      waiting.append(index)
    }
    var importers: [String: String] = [:]
    for index in modules.indices where importers[modules[index].name] == nil {
      let name = modules[index].name
      var parent = parents[index]
      while let above = parent, modules[above].name == name || modules[above].name.hasPrefix(name + ".") {
        parent = parents[above]
      }
      if let parent { importers[name] = modules[parent].name }
    }
    return importers
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
  fileprivate init?(_ name: String, importer: String?, runs: [ImportedModule]) {
    let own = runs.map { Double($0.selfMicroseconds) }
    guard let first = runs.first, let least = own.min(), let most = own.max(), let median = Quantile.median(own),
      let cumulative = Quantile.median(runs.map { Double($0.cumulativeMicroseconds) })
    else { return nil }
    self.init(
      name: name, depth: first.depth, importer: importer, selfMicroseconds: median, cumulativeMicroseconds: cumulative,
      selfRange: least...most)
  }
}

/// `importtime.tsv` of one side.
enum ImportTable {
  /// A header line, then a line a module: name, depth, self and cumulative time in whole microseconds, and the command whose
  /// imports were traced. With several Pythons a first column names it. `nil` when nothing was recorded.
  static func text(_ side: Side, from record: JobRecord) -> String? {
    let costs = record.importKeys.compactMap { ImportCosts(side, $0, record: record) }
    guard !costs.isEmpty else { return nil }
    let hasSeveral = Set(costs.map(\.python)).count > 1
    var lines = [(hasSeveral ? ["python"] : []) + ["module", "depth", "self_us", "cumulative_us", "command"]]
    for cost in costs {
      for module in cost.modules {
        let cells = [
          field(module.name), String(module.depth), String(Int(module.selfMicroseconds.rounded())),
          String(Int(module.cumulativeMicroseconds.rounded())), field(cost.command),
        ]
        lines.append((hasSeveral ? [field(cost.python)] : []) + cells)
      }
    }
    return lines.map { $0.joined(separator: "\t") + "\n" }.joined()
  }

  /// A name can't break the table.
  private static func field(_ text: String) -> String {
    String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 })
  }
}
