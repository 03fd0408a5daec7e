import Shared

/// Everything that the words about a comparison are made from.
struct ComparisonReport: Equatable, Sendable {
  var document: ComparisonDocument
  var imports: [ImportDifference]
  var profiles: [ProfileDifference]
  /// Where the time of a rehearsal went on both sides, one pair a Python.
  var phases: [(base: ProfiledPhases, head: ProfiledPhases)] { optimize.compactMap(\.phases) }
  var optimize: [OptimizePair]
  var memoryProfiles: [MemoryPair]
  /// The interpreters' own versions by the Python asked for, such as `3.12` → `3.12.3`.
  var interpreters: [String: String]
  /// Where another interpreter stands in for the one asked for, and other things to know first.
  var notes: [String]
  /// What the run had to keep to.
  var gate = Gate()

  init(record: JobRecord, alpha: Double, delta: Double, cost: RunCost? = nil, gate: Gate = Gate()) {
    self.gate = gate
    document = Comparison.make(from: record, alpha: alpha, delta: delta)
    document.cost = cost
    imports = ImportDifference.all(from: record)
    profiles = ProfileDifference.all(from: record)
    optimize = OptimizePair.all(from: record)
    memoryProfiles = MemoryPair.all(from: record)
    interpreters = record.interpreters
    notes = record.notes
  }

  /// A document without a job behind it: nothing but its own words.
  init(document: ComparisonDocument) {
    self.document = document
    imports = []
    profiles = []
    optimize = []
    memoryProfiles = []
    interpreters = [:]
    notes = []
  }

  /// The name of a metric; the Python stands with it only when there are several.
  func python(of metric: ComparisonDocument.Metric) -> String? {
    hasSeveralPythons ? metric.python : nil
  }

  var hasSeveralPythons: Bool { document.hasSeveralPythons }
}

/// Layer 3 of both sides with one Python.
struct OptimizePair: Equatable, Sendable {
  var base: OptimizeDocument.Result
  var head: OptimizeDocument.Result

  var phases: (base: ProfiledPhases, head: ProfiledPhases)? {
    guard let base = base.phases, let head = head.phases else { return nil }
    return (base, head)
  }

  static func all(from record: JobRecord) -> [OptimizePair] {
    let base = OptimizeDocument.make(.base, from: record)?.results ?? []
    let head = OptimizeDocument.make(.head, from: record)?.results ?? []
    return base.compactMap { result in
      head.first { $0.python == result.python }.map { OptimizePair(base: result, head: $0) }
    }
  }
}

/// The memory profiles of both sides by one tool with one Python.
struct MemoryPair: Equatable, Sendable {
  var base: MemoryProfile
  var head: MemoryProfile

  static func all(from record: JobRecord) -> [MemoryPair] {
    let base = MemoryDocument.make(.base, from: record)?.profiles ?? []
    let head = MemoryDocument.make(.head, from: record)?.profiles ?? []
    return head.compactMap { profile in
      base.first { $0.tool == profile.tool && $0.python == profile.python }.map { MemoryPair(base: $0, head: profile) }
    }
  }
}

extension JobRecord {
  var interpreters: [String: String] {
    Dictionary(sides.map { ($0.python, $0.interpreterVersion) }) { first, _ in first }
  }

  var notes: [String] { sides.compactMap(\.interpreterNote).uniqued() + sideDifferences + settingRemarks + tuned }

  /// What else differs between the sides and may be the cause: interpreters, and packages beside the target.
  private var sideDifferences: [String] {
    pythons.flatMap { python -> [String] in
      guard let base = ready(.base).first(where: { $0.python == python }),
        let head = ready(.head).first(where: { $0.python == python })
      else { return [] }
      var differences: [String] = []
      if base.interpreterVersion != head.interpreterVersion {
        differences.append("Python differs: \(base.interpreterVersion) → \(head.interpreterVersion).")
      }
      let changes = PackageChange.all(from: base, to: head, except: started?.package ?? started?.importName)
      if !changes.isEmpty { differences.append("Other packages differ: \(listed(changes, most: 8)).") }
      return differences
    }.uniqued()
  }

  /// What `--tune` changed, in one sentence; what it could not is in the events.
  private var tuned: [String] {
    let turned = tuning.filter { $0.outcome == .changed || $0.outcome == .alreadySo }.uniqued()
    guard !tuning.isEmpty else { return [] }
    return [
      "Tuned: " + (turned.isEmpty ? "nothing could be" : turned.map(TuningFormatter.line).joined(separator: "; ")) + "."
    ]
  }
}

/// How the packages beside the target differ between two sides.
enum PackageChange {
  /// `libcst 1.8.2 → 1.8.3`, `rich 14.0 only on the head`, by name.
  static func all(from base: SideReady, to head: SideReady, except target: String?) -> [String] {
    func versions(_ side: SideReady) -> [String: String] {
      Dictionary(
        side.distributions.compactMap { text in
          text.firstRange(of: "==").map { (String(text[..<$0.lowerBound]), String(text[$0.upperBound...])) }
        }, uniquingKeysWith: { first, _ in first })
    }
    let (before, after) = (versions(base), versions(head))
    let own = target.map { $0.lowercased().replacing("_", with: "-") }
    return Set(before.keys).union(after.keys).sorted().compactMap { name in
      guard name.lowercased().replacing("_", with: "-") != own, before[name] != after[name] else { return nil }
      switch (before[name], after[name]) {
      case (let old?, let new?): return "\(name) \(old) → \(new)"
      case (let old?, nil): return "\(name) \(old) only on the base"
      case (nil, let new?): return "\(name) \(new) only on the head"
      case (nil, nil): return nil
      }
    }
  }
}

/// What has no result, and why: the same list everywhere.
struct MissingPart: Equatable, Sendable {
  /// What is missing, such as `micro: parse (base, Python 3.12)`; `nil` for the job as a whole.
  var name: String?
  var reason: String
  /// `nil` for what a side simply does not have.
  var fix: String?

  static func all(troubles: [Trouble], skipped: [Skipped], failure: Problem? = nil) -> [MissingPart] {
    var parts: [MissingPart] = []
    if let failure { parts.append(.init(name: nil, reason: reason(failure), fix: failure.fix)) }
    parts += troubles.map {
      .init(
        name: name($0.metric ?? $0.layer?.rawValue, side: $0.side, python: $0.python), reason: reason($0.problem),
        fix: $0.problem.fix)
    }
    // What the budget had no time for is a row.
    parts += skipped.filter { $0.secondsNeeded == nil }.map {
      .init(name: name($0.metric, side: $0.side, python: $0.python), reason: $0.reason, fix: nil)
    }
    return parts.uniquedEquatable()
  }

  private static func reason(_ problem: Problem) -> String {
    [problem.what, problem.why].compactMap { $0 }.joined(separator: ": ")
  }

  private static func name(_ name: String?, side: Side?, python: String?) -> String? {
    let place = [side?.rawValue, python.map { "Python \($0)" }].compactMap { $0 }.joined(separator: ", ")
    guard let name else { return place.isEmpty ? nil : place }
    return place.isEmpty ? name : "\(name) (\(place))"
  }
}

extension Array where Element: Equatable {
  fileprivate func uniquedEquatable() -> [Element] {
    reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
