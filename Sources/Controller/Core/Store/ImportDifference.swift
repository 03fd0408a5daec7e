import Shared

/// How the import trees of both sides differ for one command with one Python.
///
/// Python's own trace slows the import and varies from run to run: it says where time went, and is no basis of a verdict.
struct ImportDifference: Equatable, Sendable {
  var python: String
  var command: String
  var runs: Int
  var baseModules: Int
  var headModules: Int
  /// All self times together, in microseconds.
  var baseMicroseconds: Double
  var headMicroseconds: Double
  /// Modules that only the base imports, and only the head, the dearest first.
  var gone: [ModuleCost]
  var new: [ModuleCost]
  /// The imports that brought them in, the dearest first.
  var dropped: [Branch]
  var added: [Branch]
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

  /// One import that only one side makes, with all that came by it and that the other side does not have.
  struct Branch: Equatable, Sendable {
    /// Who imports; `nil` for the command itself.
    var importer: String?
    var module: String
    var modules: Int
    /// Self times of them all, in microseconds.
    var microseconds: Double
  }

  /// Fewer runs than this lie apart by chance too often: with three a side, one module of ten.
  private static let leastRuns = 5

  /// Whether a module that both sides import takes a tenth of the whole more or less, and a millisecond at least.
  var hasLargeChange: Bool {
    (grew + shrank).contains { abs($0.difference) > max(1000, baseMicroseconds / 10) }
  }

  var isEmpty: Bool { gone.isEmpty && new.isEmpty && grew.isEmpty && shrank.isEmpty }

  /// One difference a command and Python that has runs on both sides.
  static func all(from record: JobRecord) -> [ImportDifference] {
    record.importKeys.compactMap { key in
      guard let base = ImportCosts(.base, key, record: record), let head = ImportCosts(.head, key, record: record)
      else { return nil }
      return ImportDifference(base: base, head: head)
    }
  }

  init(base: ImportCosts, head: ImportCosts) {
    let before = Self.byName(base.modules)
    let after = Self.byName(head.modules)
    python = base.python
    command = base.command
    runs = min(base.runs, head.runs)
    baseModules = base.modules.count
    headModules = head.modules.count
    baseMicroseconds = base.totalMicroseconds
    headMicroseconds = head.totalMicroseconds
    gone = Self.dearestFirst(before.values.filter { after[$0.name] == nil })
    new = Self.dearestFirst(after.values.filter { before[$0.name] == nil })
    dropped = Self.branches(of: gone, in: before)
    added = Self.branches(of: new, in: after)
    let changes = before.values.compactMap { old -> Change? in
      guard let now = after[old.name], !old.selfRange.overlaps(now.selfRange) else { return nil }
      return Change(name: old.name, base: old.selfMicroseconds, head: now.selfMicroseconds)
    }.sorted { (abs($0.difference), $1.name) > (abs($1.difference), $0.name) }
    grew = runs >= Self.leastRuns ? changes.filter { $0.difference > 0 } : []
    shrank = runs >= Self.leastRuns ? changes.filter { $0.difference < 0 } : []
  }

  /// Of a name that stands there twice, the dearer one: the other is an import that failed.
  private static func byName(_ modules: [ModuleCost]) -> [String: ModuleCost] {
    Dictionary(modules.map { ($0.name, $0) }) { $0.selfMicroseconds >= $1.selfMicroseconds ? $0 : $1 }
  }

  /// Modules of one side alone, by the import through which they came: the topmost whose importer both sides have.
  private static func branches(of modules: [ModuleCost], in all: [String: ModuleCost]) -> [Branch] {
    let names = Set(modules.map(\.name))
    var branches: [String: Branch] = [:]
    for module in modules {
      var top = module
      var passed: Set<String> = [module.name]
      while let importer = top.importer, names.contains(importer), passed.insert(importer).inserted,
        let above = all[importer]
      {
        top = above
      }
      var branch = branches[top.name] ?? Branch(importer: top.importer, module: top.name, modules: 0, microseconds: 0)
      branch.modules += 1
      branch.microseconds += module.selfMicroseconds
      branches[top.name] = branch
    }
    return branches.values.sorted { ($0.microseconds, $1.module) > ($1.microseconds, $0.module) }
  }

  private static func dearestFirst(_ modules: [ModuleCost]) -> [ModuleCost] {
    modules.sorted { ($0.selfMicroseconds, $1.name) > ($1.selfMicroseconds, $0.name) }
  }
}
