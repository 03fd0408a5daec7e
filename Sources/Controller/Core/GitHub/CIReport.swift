import Foundation
import GitHub
import Shared
import Synchronization
import SystemPackage

/// Tells GitHub how a step went: outputs, summary, comment, check, annotations. Whatever of it fails is said, and changes the
/// step's end only when that was asked for.
struct CIReport {
  let step: CIStep
  let end: CIEnd
  let hurry = Hurry()

  /// A cancelled step is killed ten seconds after the cancel: only the check is ended, in what is left of them.
  private var hurriedLimit: Duration { isCancelled ? .milliseconds(2500) : .seconds(5) }

  init(step: CIStep, end: CIEnd) {
    self.step = step
    self.end = end.masked
  }

  private var isCancelled: Bool { end.status == .cancelled }
  private var hasToHurry: Bool { isCancelled || hurry.isRaised }

  func tell() async -> ExitStatus {
    var troubles: [String] = []
    // A kill may come before this ends: the runner reads commands again first.
    let isEarly = hasToHurry
    if isEarly { await collect(&troubles) { try resumeCommands() } }
    await collect(&troubles) { try writeOutputs() }
    await collect(&troubles) { try step.files.summary(summary(limit: step.files.summaryRoom)) }
    var isCommentMissing = false
    if let pull = end.pull, step.inputs.writesComment, !isCancelled {
      isCommentMissing = !(await collect(&troubles) { try await hurry.cancelling { try await comment(pull) } })
    }
    if let check = end.check {
      let conclusion = CheckFormatter.conclusion(of: end)
      let ended = await collect(&troubles) {
        try await withLimit(hasToHurry ? hurriedLimit : .seconds(150), waitingFor: "GitHub to end the check") {
          [summary = summary(limit: CheckRun.summaryLimit), title = masked(conclusion.title)] in
          try await check.end(conclusion.0, title: title, summary: summary)
        }
      }
      if ended { OpenCheck.remove(step.environment) }
    }
    do {
      if !isEarly { try resumeCommands() }
      for annotation in annotations(troubles) { try step.print(raw: WorkflowCommands.line(annotation)) }
    } catch {
      let status = Failure(error).tell()
      if end.status == .done { return status }
    }
    if isCommentMissing, step.inputs.failsOnComment, end.status == .done { return .infrastructure }
    return end.status
  }

  private func resumeCommands() throws(OutputFailure) {
    try step.print(raw: WorkflowCommands.resume(step.token))
    try step.print(raw: WorkflowCommands.endGroup)
  }

  @discardableResult
  private func collect(_ troubles: inout [String], _ body: () async throws -> Void) async -> Bool {
    do {
      try await body()
      return true
    } catch {
      let text = Failure(error).text
      troubles.append(text)
      StandardError.write(text + "\n")
      return false
    }
  }

  // MARK: Outputs

  private func writeOutputs() throws {
    let document = end.comparison?.document
    let folder = end.folder?.path.string ?? ""
    let values = [
      ("measured", end.isMeasured ? "true" : "false"),
      ("verdict", document?.verdict.rawValue ?? ""),
      ("gate", end.comparison.map { GateFormatter.word($0.gate, $0.document) } ?? ""),
      ("results", folder),
      ("comment-file", folder.isEmpty || end.comparison == nil ? "" : folder + "/comment.md"),
      ("cost", document?.cost?.usd.map { Numbers.fixed($0, 4) } ?? ""),
      ("vm-seconds", document?.cost.map { Numbers.fixed($0.seconds, 0) } ?? ""),
      ("reason", masked(end.reason ?? "")),
    ]
    try step.files.output(values)
  }

  // MARK: Words

  private func summary(limit: Int) -> String {
    var parts: [String] = []
    if let problem = end.problem { parts.append(problemWords(problem)) }
    if let comparison = end.comparison {
      parts.append(Comment.text(comparison, limit: max(10_000, limit - 10_000)))
    } else if end.problem == nil, let reason = end.reason {
      parts.append("Nothing was measured: \(Markdown.text(reason, limit: 1000)).\n")
    }
    if let footer = end.footer { parts.append(footer) }
    return masked(parts.joined(separator: "\n"))
  }

  /// Errors may quote anything.
  private func masked(_ text: String) -> String { Masking.redactor.redacted(text) }

  private func problemWords(_ problem: Problem) -> String {
    var text = "## Benchmark Results\n\n**Could not measure:** \(Markdown.text(problem.what))\n"
    if let why = problem.why { text += "\nWhy: \(Markdown.text(why, limit: 1000))\n" }
    return text + "\nFix: \(Markdown.text(problem.fix, limit: 1000))\n"
  }

  private func comment(_ pull: Int) async throws {
    guard let text = commentText else { return }
    let outcome = try await StickyComment(api: step.api, pull: pull).put(
      text, stamp: end.stamp ?? RunStamp(step.environment).value)
    StandardError.write(CommentFormatter.sentence(outcome, pull: pull) + "\n")
  }

  private var commentText: String? {
    var parts: [String] = []
    if let remark = end.remark { parts.append(Markdown.text(remark, limit: 1000) + "\n") }
    if let comparison = end.comparison {
      if let problem = end.problem { parts.append(problemWords(problem)) }
      parts.append(Comment.text(comparison))
    } else if let problem = end.problem {
      parts.append(problemWords(problem))
    } else {
      return nil
    }
    if let footer = end.footer { parts.append(footer) }
    return masked(parts.joined(separator: "\n"))
  }

  // MARK: Annotations

  private func annotations(_ troubles: [String]) -> [Annotation] {
    var all: [Annotation] = []
    if let problem = end.problem {
      all.append(
        Annotation(
          kind: .error, title: "cf-bench could not measure",
          message: [problem.what, problem.why, problem.fix].compactMap { $0 }.map { TerminalText.clean($0) }
            .joined(separator: "\n")))
    }
    all += troubles.map { Annotation(kind: .warning, title: "cf-bench", message: TerminalText.lines($0)) }
    if let comparison = end.comparison {
      all += ComparisonAnnotations.all(comparison, workspace: step.environment["GITHUB_WORKSPACE"])
    } else if end.problem == nil, let reason = end.reason, !isCancelled {
      all.append(Annotation(kind: .notice, title: "cf-bench measured nothing", message: TerminalText.clean(reason)))
    }
    return Annotation.bounded(all).map {
      Annotation(kind: $0.kind, title: masked($0.title), message: masked($0.message), place: $0.place)
    }
  }
}

/// A cancel that comes while GitHub is told how it went.
final class Hurry: Sendable {
  private struct State {
    var isRaised = false
    var work: Task<Void, any Error>?
  }
  private let state = Mutex(State())

  var isRaised: Bool { state.withLock { $0.isRaised } }

  func raise() {
    state.withLock {
      $0.isRaised = true
      $0.work?.cancel()
    }
  }

  /// Runs what is given up then.
  func cancelling(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let work = Task { try await body() }
    let isRaised = state.withLock {
      $0.work = work
      return $0.isRaised
    }
    if isRaised { work.cancel() }
    try await work.value
  }
}

/// What a check says: three words apart for slower, fine, and not measured.
enum CheckFormatter {
  static func conclusion(of end: CIEnd) -> (CheckRun.Conclusion, title: String) {
    if end.status == .cancelled { return (.cancelled, "Cancelled") }
    guard let report = end.comparison, end.problem == nil else {
      let what = end.problem?.what ?? end.reason ?? "no result"
      return (.actionRequired, title("Could not measure", what))
    }
    let headline = VerdictFormatter.headline(report.document)
    switch report.gate.judge(report.document) {
    case .failed(let names): return (.failure, title("Slower", GateFormatter.list(names)))
    case .unmeasured(let names): return (.actionRequired, title("Could not measure", GateFormatter.list(names)))
    case .open where report.gate.undecided == .fail: return (.failure, title("Not proven to be as fast", headline))
    case .open: return (.neutral, TerminalText.clean(headline, limit: 200))
    case .passed, .none:
      if end.status == .partial { return (.actionRequired, title("Could not measure a part", headline)) }
      if report.document.verdict == .void || report.document.verdict == .undecided {
        return (.neutral, TerminalText.clean(headline, limit: 200))
      }
      if report.document.verdict == .regressed {
        return (.neutral, title("Slower, and no gate stands against it", headline))
      }
      return (.success, title("Fine", headline))
    }
  }

  private static func title(_ word: String, _ rest: String) -> String {
    TerminalText.clean("\(word): \(rest)", limit: 200)
  }
}

extension GateFormatter {
  /// For a script: `none`, `passed`, `failed`, `open`, `unmeasured`.
  static func word(_ gate: Gate, _ document: ComparisonDocument) -> String {
    switch gate.judge(document) {
    case .none: "none"
    case .passed: "passed"
    case .failed: "failed"
    case .open: "open"
    case .unmeasured: "unmeasured"
    }
  }
}

/// What changed, the largest change first, at the function that changed most where that is known.
enum ComparisonAnnotations {
  static func all(_ report: ComparisonReport, workspace: String?) -> [Annotation] {
    let document = report.document
    guard document.verdict != .void else {
      return [Annotation(kind: .warning, title: "cf-bench: void", message: VerdictFormatter.headline(document))]
    }
    let failed = Set(
      document.metrics.filter { metric in
        report.gate.rules.contains { $0.names(metric.name) && $0.standing(of: metric) == .over }
      }.map { $0.label(in: document) })
    return document.metrics.filter(\.hasMoved).sorted { abs($0.ratio.logarithm) > abs($1.ratio.logarithm) }.map {
      metric in
      let name = metric.label(in: document)
      let kind: Annotation.Kind =
        metric.verdict == .improved ? .notice : failed.contains(name) ? .error : .warning
      return Annotation(
        kind: kind, title: TerminalText.clean("\(name): \(VerdictFormatter.delta(metric))", limit: 200),
        message: TerminalText.clean(
          "\(VerdictFormatter.plain(metric)): \(VerdictFormatter.value(metric.base, unit: metric.unit)) → "
            + VerdictFormatter.value(metric.head, unit: metric.unit), limit: 400),
        place: place(of: metric, report, workspace: workspace))
    }
  }

  /// Only a file of the checkout: a profile names files of every package.
  private static func place(
    of metric: ComparisonDocument.Metric, _ report: ComparisonReport, workspace: String?
  ) -> Annotation.Place? {
    guard let workspace, !workspace.isEmpty else { return nil }
    var places: [(file: String, line: Int)] = []
    if let profile = report.profiles.first(where: { $0.metric == metric.name && $0.python == metric.python }) {
      places += profile.changes.compactMap { change in
        guard let line = change.line, let file = file(of: change.name) else { return nil }
        return (file, line)
      }
    }
    if metric.layer == .memory || metric.unit == MetricUnit.bytes.rawValue {
      places += report.document.memoryLines.filter { $0.python == metric.python }.map { ($0.file, $0.line) }
    }
    for (file, line) in places {
      let parts = file.split(separator: "/")
      guard !parts.isEmpty, !file.hasPrefix("/"), !parts.contains("..") else { continue }
      for candidate in [file, "src/" + file] where FileManager.default.fileExists(atPath: "\(workspace)/\(candidate)") {
        return Annotation.Place(file: candidate, line: line)
      }
    }
    return nil
  }

  /// The file in `parse (codeflash/models/models.py)`.
  private static func file(of name: String) -> String? {
    guard name.hasSuffix(")"), let open = name.range(of: " (", options: .backwards) else { return nil }
    return String(name[open.upperBound...].dropLast())
  }
}

extension Double {
  /// How far a ratio is from 1, the same in both directions; of nonsense nothing.
  fileprivate var logarithm: Double { isFinite && self > 0 ? Foundation.log(self) : 0 }
}
