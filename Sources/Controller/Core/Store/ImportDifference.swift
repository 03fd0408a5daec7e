import Shared

/// How the import trees of both sides differ with one Python.
///
/// Python's own trace slows the import and varies from run to run: it says where time went, and is no basis of a verdict.
struct ImportDifference: Equatable, Sendable {
  var python: String
  var runs: Int
  var baseModules: Int
  var headModules: Int
  /// All self times together, in microseconds.
  var baseMicroseconds: Double
  var headMicroseconds: Double
  /// Modules that only the base imports, and only the head, the dearest first.
  var gone: [ModuleCost]
  var new: [ModuleCost]
  /// Modules whose self times lie apart on both sides in every run, the largest change first.
  var grew: [Change]
  var shrank: [Change]

  struct Change: Equatable, Sendable {
    var name: String
    /// Medians of self time, in microseconds.
    var base: Double
    var head: Double
    var difference: Double { head - base }
  }

  var isEmpty: Bool { gone.isEmpty && new.isEmpty && grew.isEmpty && shrank.isEmpty }

  /// One difference a Python that has runs on both sides.
  static func all(from record: JobRecord) -> [ImportDifference] {
    record.pythons.compactMap { python in
      guard let base = ImportCosts(.base, python: python, record: record),
        let head = ImportCosts(.head, python: python, record: record)
      else { return nil }
      return ImportDifference(base: base, head: head)
    }
  }

  init(base: ImportCosts, head: ImportCosts) {
    let before = Self.byName(base.modules)
    let after = Self.byName(head.modules)
    python = base.python
    runs = min(base.runs, head.runs)
    baseModules = base.modules.count
    headModules = head.modules.count
    baseMicroseconds = base.totalMicroseconds
    headMicroseconds = head.totalMicroseconds
    gone = Self.dearestFirst(before.values.filter { after[$0.name] == nil })
    new = Self.dearestFirst(after.values.filter { before[$0.name] == nil })
    let changes = before.values.compactMap { old -> Change? in
      guard let now = after[old.name], !old.selfRange.overlaps(now.selfRange) else { return nil }
      return Change(name: old.name, base: old.selfMicroseconds, head: now.selfMicroseconds)
    }.sorted { (abs($0.difference), $1.name) > (abs($1.difference), $0.name) }
    grew = changes.filter { $0.difference > 0 }
    shrank = changes.filter { $0.difference < 0 }
  }

  /// Of a name that stands there twice, the dearer one: the other is an import that failed.
  private static func byName(_ modules: [ModuleCost]) -> [String: ModuleCost] {
    Dictionary(modules.map { ($0.name, $0) }) { $0.selfMicroseconds >= $1.selfMicroseconds ? $0 : $1 }
  }

  private static func dearestFirst(_ modules: [ModuleCost]) -> [ModuleCost] {
    modules.sorted { ($0.selfMicroseconds, $1.name) > ($1.selfMicroseconds, $0.name) }
  }
}
