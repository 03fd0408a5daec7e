import Shared

/// What a run has to keep to: rules, and what becomes of a question that stays open.
struct Gate: Equatable, Sendable, Codable {
  var rules: [GateRule] = []
  var undecided = Undecided.pass

  /// What an undecided metric does to a gate that asks for it.
  enum Undecided: String, CaseIterable, Sendable, Codable { case pass, fail }

  enum Outcome: Equatable, Sendable {
    /// No rule was given.
    case none
    case passed
    case failed([String])
    /// Nothing is proven to be over a threshold, but of these it can't be said either.
    case open([String])
    /// A rule asks for what this run has no result for.
    case unmeasured([String])
  }

  /// Holds the rules against what was found. Proven regressions come first, then what is missing, then what is open.
  func judge(_ document: ComparisonDocument) -> Outcome {
    guard !rules.isEmpty else { return .none }
    // A run whose control moved proves nothing, in either direction.
    guard document.verdict != .void else { return .open(["every metric (a control moved)"]) }
    var (failed, open, missing): ([String], [String], [String]) = ([], [], [])
    for rule in rules {
      let metrics = document.metrics.filter { rule.names($0.name) }
      let findings = rule.thresholdPercent == 0 && rule.names(FindingFormatter.rowName) ? document.findings : []
      if let name = rule.metric, metrics.isEmpty, findings.isEmpty { missing.append(name) }
      for metric in metrics.judged {
        switch rule.standing(of: metric) {
        case .over: failed.append(metric.label(in: document))
        case .open: open.append(metric.label(in: document))
        case .within: break
        }
      }
      if findings.contains(where: { $0.verdict == .regressed }) { failed.append(FindingFormatter.rowName) }
      if findings.contains(where: { $0.verdict == .undecided }) { open.append(FindingFormatter.rowName) }
    }
    if rules.contains(where: { $0.metric == nil }) {
      if document.metrics.judged.isEmpty { missing.append("every metric") }
      open += document.notMeasured.map(\.metric)
    }
    if !failed.isEmpty { return .failed(failed.uniqued()) }
    if !missing.isEmpty { return .unmeasured(missing.uniqued()) }
    return open.isEmpty ? .passed : .open(open.uniqued())
  }

  /// How a command that measured ends.
  ///
  /// A job that failed, was cancelled or left no final event ends as that, whatever was measured by then; a regression that is
  /// proven fails the gate also when something else has no result.
  func exitStatus(_ record: JobRecord, _ document: ComparisonDocument?) -> ExitStatus {
    let ended = Self.exitStatus(record, complete: document?.complete ?? record.withoutResult.isEmpty)
    guard let document, ended == .done || ended == .partial else { return ended }
    switch judge(document) {
    case .failed: return .gateFailed
    case .unmeasured: return .partial
    case .open where undecided == .fail && ended == .done: return .gateFailed
    case .none, .passed, .open: return ended
    }
  }

  /// Done when everything planned has a result or a stated reason, partial when something has none; what failed
  /// altogether ends as its problem says, and as a failure of the machine when it left no final event.
  private static func exitStatus(_ record: JobRecord, complete: Bool) -> ExitStatus {
    switch record.finished?.outcome {
    case .done: complete ? .done : .partial
    case .partial: .partial
    case .failed: record.finished?.problem?.exitStatus.ofFailure ?? .infrastructure
    case .cancelled: .cancelled
    case nil: .infrastructure
    }
  }
}

/// `regression`, `regression:import codeflash`, `regression>5%`, `regression:Peak memory>3%`.
struct GateRule: Equatable, Sendable {
  /// One metric's name; every metric if nil.
  var metric: String?
  /// By how much it may be worse, in percent; 0 for not at all.
  var thresholdPercent: Double = 0

  enum Standing: Equatable { case over, within, open }

  static let words = "regression, regression:METRIC, regression>5% or regression:METRIC>5%"

  /// `nil` for a text that is no rule.
  init?(_ text: String) {
    var rest = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")[...]
    guard rest.hasPrefix("regression") else { return nil }
    rest = rest.dropFirst("regression".count)
    if rest.hasSuffix("%"), let sign = rest.lastIndex(of: ">") {
      let number = rest[rest.index(after: sign)...].dropLast().filter { $0 != " " }
      guard let percent = Double(number), percent.isFinite, 0...10_000 ~= percent else { return nil }
      thresholdPercent = percent
      rest = rest[..<sign]
      if rest.last == " " { rest.removeLast() }
    }
    if rest.isEmpty { return }
    guard rest.first == ":" else { return nil }
    let name = rest.dropFirst().trimmingPrefix(" ")
    guard !name.isEmpty else { return nil }
    metric = String(name)
  }

  var text: String {
    let threshold = thresholdPercent == 0 ? "" : ">\(VerdictFormatter.percent(thresholdPercent / 100))"
    return "regression" + (metric.map { ":\($0)" } ?? "") + threshold
  }

  func names(_ name: String) -> Bool { metric.map { $0.lowercased() == name.lowercased() } ?? true }

  /// Without a threshold the verdict decides. With one the interval does: only what lies beyond it as a whole is proven to.
  func standing(of metric: ComparisonDocument.Metric) -> Standing {
    if thresholdPercent == 0 {
      switch metric.verdict {
      case .regressed: return .over
      case .improved, .equivalent: return .within
      case .undecided, .void: return .open
      }
    }
    let limit = 1 + thresholdPercent / 100
    guard let low = metric.low, let high = metric.high else { return metric.verdict == .undecided ? .open : .within }
    if high <= limit { return .within }
    if low > limit { return metric.verdict == .regressed ? .over : .open }
    return metric.verdict == .improved || metric.verdict == .equivalent ? .within : .open
  }
}

extension GateRule: Codable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let rule = GateRule(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is no rule: \(Self.words)")
    }
    self = rule
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

extension ComparisonDocument {
  /// Whether a metric's name alone does not tell it from all others.
  var hasSeveralPythons: Bool {
    guard let first = (metrics.first ?? controls.first)?.python else { return false }
    return metrics.contains { $0.python != first } || controls.contains { $0.python != first }
  }
}

extension ComparisonDocument.Metric {
  /// The name, with the Python where there are several.
  func label(in document: ComparisonDocument) -> String {
    document.hasSeveralPythons ? "\(name) (Python \(python))" : name
  }
}

extension ExitStatus {
  /// A job that failed never ends in success, whatever its problem claims.
  fileprivate var ofFailure: ExitStatus { self == .done ? .infrastructure : self }
}

/// The gate in words.
enum GateFormatter {
  private static let shown = 5

  /// `nil` where no rule was given.
  static func sentence(_ gate: Gate, _ document: ComparisonDocument) -> String? {
    let rules = gate.rules.map(\.text).joined(separator: ", ")
    switch gate.judge(document) {
    case .none: return nil
    case .passed: return "Gate (\(rules)): passed."
    case .failed(let names): return "Gate (\(rules)): failed by \(list(names))."
    case .unmeasured(let names): return "Gate (\(rules)): could not be held, there is no result for \(list(names))."
    case .open(let names):
      let end = gate.undecided == .pass ? "passes, as undecided does here" : "fails, as undecided does here"
      return "Gate (\(rules)): undecided for \(list(names)); it \(end) (gate.undecided: \(gate.undecided.rawValue))."
    }
  }

  static func list(_ names: [String]) -> String { listed(names, most: shown) }
}
