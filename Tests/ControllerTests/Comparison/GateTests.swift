import Shared
import Testing

@testable import ControllerCore

@Suite("The gate: what is proven fails it, what is open is said, what is missing is not passed over")
struct GateTests {
  private func metric(
    _ name: String, _ verdict: ComparisonDocument.RunVerdict, _ low: Double?, _ high: Double?, unit: String = "s"
  ) -> ComparisonDocument.Metric {
    let ratio = low.flatMap { low in high.map { (low + $0) / 2 } } ?? 1
    return ComparisonDocument.Metric(
      name: name, layer: .startup, python: "3.12", unit: unit, base: 1, head: ratio, ratio: ratio, low: low, high: high,
      verdict: verdict, blocks: 10)
  }

  private func document(
    _ metrics: [ComparisonDocument.Metric], verdict: ComparisonDocument.RunVerdict = .undecided, complete: Bool = true
  ) -> ComparisonDocument {
    ComparisonDocument(
      base: .init(label: "a", commit: nil, identity: nil), head: .init(label: "b", commit: nil, identity: nil),
      verdict: verdict, identical: false, complete: complete, metrics: metrics, controls: [], host: nil,
      spending: .init(), seconds: 1, method: .init(name: "x", alpha: 0.01, delta: 0.02), troubles: [], skipped: [])
  }

  private func gate(_ rules: String..., undecided: Gate.Undecided = .pass) -> Gate {
    Gate(rules: rules.compactMap(GateRule.init), undecided: undecided)
  }

  @Test(
    "rules as they are written",
    arguments: [
      ("regression", nil, 0.0), ("regression:import codeflash", "import codeflash", 0), ("regression>5%", nil, 5),
      ("regression:Peak memory>3%", "Peak memory", 3), ("regression: Peak memory > 2.5 %", "Peak memory", 2.5),
      ("regression:a>b", "a>b", 0), ("regression:a > b>1%", "a > b", 1), ("regression:x: y", "x: y", 0),
    ])
  func rules(text: String, metric: String?, percent: Double) throws {
    let rule = try #require(GateRule(text))
    #expect(rule.metric == metric && rule.thresholdPercent == percent)
    #expect(GateRule(rule.text) == rule)
  }

  @Test(
    "what is no rule",
    arguments: [
      "", "regress", "improvement", "regression>", "regression>x%", "regression:", "regression:>5%x", "regression>-1%",
      "regression>nan%", "regressionx", "none",
    ])
  func noRules(text: String) { #expect(GateRule(text) == nil || text == "regression:>5%x") }

  @Test("without a threshold the verdict decides")
  func verdicts() {
    let slower = metric("a", .regressed, 1.03, 1.05)
    #expect(gate("regression").judge(document([slower])) == .failed(["a"]))
    #expect(gate("regression").judge(document([metric("a", .improved, 0.8, 0.9)])) == .passed)
    #expect(gate("regression").judge(document([metric("a", .equivalent, 0.99, 1.01)])) == .passed)
    #expect(gate("regression").judge(document([metric("a", .undecided, 0.9, 1.1)])) == .open(["a"]))
    #expect(gate("regression:b").judge(document([slower, metric("b", .equivalent, 1, 1)])) == .passed)
    #expect(gate("regression:A").judge(document([slower])) == .failed(["a"]))
    #expect(gate().judge(document([slower])) == .none)
  }

  @Test("with one only what lies beyond it as a whole fails; what may lie on either side is open")
  func thresholds() {
    #expect(gate("regression>5%").judge(document([metric("a", .regressed, 1.06, 1.08)])) == .failed(["a"]))
    #expect(gate("regression>5%").judge(document([metric("a", .regressed, 1.04, 1.08)])) == .open(["a"]))
    #expect(gate("regression>5%").judge(document([metric("a", .regressed, 1.03, 1.05)])) == .passed)
    #expect(gate("regression>5%").judge(document([metric("a", .undecided, 0.98, 1.04)])) == .passed)
    #expect(gate("regression>5%").judge(document([metric("a", .undecided, 0.98, 1.07)])) == .open(["a"]))
    #expect(gate("regression>5%").judge(document([metric("a", .undecided, nil, nil)])) == .open(["a"]))
  }

  @Test("a run that is void decides no gate; a rule for what was not measured can't be held")
  func nothing() {
    let slower = metric("a", .regressed, 1.03, 1.05)
    guard case .open = gate("regression").judge(document([slower], verdict: .void)) else {
      Issue.record("a void run decides nothing")
      return
    }
    #expect(gate("regression:Peak memory").judge(document([slower])) == .unmeasured(["Peak memory"]))
    #expect(gate("regression").judge(document([])) == .unmeasured(["every metric"]))
    #expect(gate("regression", "regression:Peak memory").judge(document([slower])) == .failed(["a"]))
  }

  @Test("exit statuses: what went wrong comes before the gate, and the gate before what is missing")
  func statuses() {
    let slower = document([metric("a", .regressed, 1.03, 1.05)])
    let open = document([metric("a", .undecided, 0.9, 1.1)])
    let part = document([metric("a", .regressed, 1.03, 1.05)], complete: false)
    func status(_ gate: Gate, _ document: ComparisonDocument, _ outcome: Finished.Outcome? = .done) -> Shared.ExitStatus
    {
      var record = JobRecord(events: [])
      record.finished = outcome.map { Finished(outcome: $0, problem: nil, seconds: 1) }
      return gate.exitStatus(record, document)
    }
    #expect(status(gate("regression"), slower) == .gateFailed)
    #expect(status(gate(), slower) == .done)
    #expect(status(gate("regression"), part) == .gateFailed)
    #expect(status(gate("regression>50%"), part) == .partial)
    #expect(status(gate("regression"), open) == .done)
    #expect(status(gate("regression", undecided: .fail), open) == .gateFailed)
    #expect(status(gate("regression:Peak memory"), slower) == .partial)
    #expect(status(gate("regression"), slower, .cancelled) == .cancelled)
    #expect(status(gate("regression"), slower, .failed) == .infrastructure)
    #expect(status(gate("regression"), slower, nil) == .infrastructure)
  }

  @Test("advice on an undecided run takes nothing back that is proven")
  func advice() {
    let open = metric("a", .undecided, 0.9, 1.1)
    #expect(VerdictFormatter.advice(document([open])).hasPrefix("Nothing is proven"))
    #expect(
      VerdictFormatter.advice(document([open, metric("b", .improved, 0.4, 0.5)])).hasPrefix("What is bold is proven"))
  }

  @Test("the words say what the gate made of it, and by which setting")
  func words() {
    let open = document([metric("a", .undecided, 0.9, 1.1)])
    #expect(
      GateFormatter.sentence(gate("regression"), open)
        == "Gate (regression): undecided for a; it passes, as undecided does here (gate.undecided: pass).")
    #expect(
      GateFormatter.sentence(gate("regression>5%", undecided: .fail), open)
        == "Gate (regression>5%): undecided for a; it fails, as undecided does here (gate.undecided: fail).")
    #expect(GateFormatter.sentence(gate(), open) == nil)
  }
}
