import Foundation
import Shared
import Testing

@testable import ControllerCore

@Suite("Head against base")
struct ComparisonTests {
  private func compare(_ story: EventFixture) -> ComparisonDocument {
    Comparison.make(from: story.record, alpha: 0.01, delta: 0.02)
  }
  private func metric(_ name: String, _ document: ComparisonDocument) throws -> ComparisonDocument.Metric {
    try #require((document.metrics + document.controls).first { $0.name == name })
  }

  @Test("each metric has its ratio within its interval, and the verdict that the two allow")
  func releases() throws {
    let document = compare(EventFixture())
    let version = try metric("codeflash --version", document)
    #expect(version.verdict == .improved && abs(1 / version.ratio - 62.1) < 0.5 && version.blocks == 14)
    #expect(abs(version.base - 1.2312) < 0.005 && abs(version.head - 0.0198) < 0.0002)
    #expect(try metric("micro: discover functions", document).verdict == .regressed)
    #expect(try metric("import codeflash", document).verdict == .equivalent)
    for metric in document.metrics + document.controls {
      let (low, high) = (try #require(metric.low), try #require(metric.high))
      #expect(low <= metric.ratio && metric.ratio <= high && metric.unit == "s")
    }
    #expect(document.controls.map(\.name) == ["python -c pass"])
    #expect(document.metrics.allSatisfy { $0.name != "python -c pass" })
    #expect(document.verdict == .regressed && document.complete && !document.identical)
    #expect(document.base.label == "codeflash==0.20.5" && document.host == EventFixture.host)
  }

  @Test("the same code on both sides is said to be the same, and nothing is called faster or slower")
  func identical() {
    var story = EventFixture()
    story.identities = [.base: "git:1", .head: "git:1"]
    story.metrics = story.metrics.map { ($0.0, $0.1, $0.2, 1) }
    let document = compare(story)
    #expect(document.identical && document.verdict == .equivalent)
    story.pythons = ["3.12", "3.14"]
    #expect(compare(story).identical && compare(story).metrics.count == 12)
  }

  @Test("a control that moved makes the run void, whatever the metrics say", arguments: [0.9, 1.1])
  func void(ratio: Double) {
    var story = EventFixture()
    story.control = ratio
    #expect(compare(story).verdict == .void)
  }

  @Test("a run whose control moved says so at the top, and every verdict is withheld")
  func withheld() throws {
    var story = EventFixture()
    story.control = 1.1
    let report = ComparisonReport(record: story.record, alpha: 0.01, delta: 0.02)
    #expect(report.document.metrics.allSatisfy { $0.verdict == .undecided })
    #expect(try metric("python -c pass", report.document).verdict == .regressed)
    let text = TerminalTable.text(report, style: TerminalStyle(isTerminal: false, environment: [:]))
    #expect(
      text.hasPrefix("Void: a control that can't differ has moved (python -c pass is 10.0% slower (+9.8…+10.2%))"))
    #expect(text.ranges(of: "withheld").count == report.document.metrics.count)
    #expect(!text.contains("faster"))
  }

  @Test("blocks that were set aside count nowhere, and are counted")
  func setAside() throws {
    var story = EventFixture()
    let clean = compare(story)
    story.disturbed = [2, 5]
    let document = compare(story)
    for (one, other) in zip(document.metrics, clean.metrics) {
      #expect(one.blocks == 12 && one.setAside == 2 && other.setAside == 0)
      #expect(abs(one.ratio / other.ratio - 1) < 0.01)
    }
    #expect(document.spending.layers.map(\.setAside) == [2, 2])
    #expect(SpendingFormatter.sentences(document).contains { $0.hasPrefix("4 of 28 blocks were discarded") })
    let startup = try #require(StartupDocument.make(.head, from: story.record))
    #expect(startup.results.allSatisfy { $0.times.count == 24 && $0.max < 2 * $0.min })
  }

  @Test("the base's second installation is a control: it sets the floor, and makes the run void when it moves for sure")
  func copies() throws {
    var story = EventFixture()
    story.copy = 1.0
    story.blocks = 20
    let document = compare(story)
    #expect(
      document.controls.count { $0.control == .copy } == 7 && document.controls.count { $0.control == .command } == 1)
    #expect(
      document.controls.allSatisfy { $0.control == .command || ($0.blocks == 4 && $0.name.hasSuffix(" (base again)")) })
    #expect(document.metrics.allSatisfy { ($0.floor ?? 1) < 0.005 && $0.control == nil })
    #expect(document.verdict == .regressed && document.shownControls.count == 1)
    // 18 % more is beyond a floor of 5 %, and not beyond one of 25 %.
    story.copy = 1.05
    #expect(try metric("micro: discover functions", compare(story)).verdict == .regressed)
    story.copy = 1.25
    #expect(try metric("micro: discover functions", compare(story)).verdict == .undecided)
    story.blocks = 100
    let void = compare(story)
    #expect(void.verdict == .void && void.shownControls.count > 1)
  }

  @Test("what the time went into, and what more of it would buy, is said")
  func spending() throws {
    var story = EventFixture()
    story.budgetSeconds = 600
    story.blocks = 10
    story.noise = 0.05
    let sentences = SpendingFormatter.sentences(compare(story))
    #expect(
      sentences.first?.hasPrefix("Measured for 2 min 41 s of at most 10 min: startup 40 s (10 blocks)") == true)
    #expect(sentences.last?.hasPrefix("A further minute might decide") == true, "\(sentences)")
    story.budgetSeconds = nil
    #expect(SpendingFormatter.sentences(compare(story)).isEmpty)
  }

  @Test(
    "what matters most stands first and in the open; other rows that are open without a sign of a change are folded")
  func folded() throws {
    var report = ComparisonReport(record: EventFixture().record, alpha: 0.01, delta: 0.02)
    let last = try #require(report.document.metrics.indices.last)
    for index in report.document.metrics.indices {
      report.document.metrics[index].verdict = .undecided
      report.document.metrics[index].proven = nil
      (report.document.metrics[index].low, report.document.metrics[index].high) = (0.9, 1.1)
    }
    report.document.metrics[last].headline = true
    (report.document.metrics[0].low, report.document.metrics[0].high) = (1.05, 1.1)
    report.document.verdict = .undecided
    let parts = Comment.text(report).components(separatedBy: "still open, with no sign of a change")
    try #require(parts.count == 2)
    let names = report.document.metrics.map(\.name)
    let (before, inside) = (parts[0], parts[1])
    let places = [names[last], names[0]].map { before.range(of: $0)?.lowerBound }
    #expect(try #require(places[0]) < #require(places[1]))
    #expect(names[1..<last].allSatisfy { !before.contains("`\($0)` |") && inside.contains($0) })
    #expect(before.contains("not proven yet"))
  }

  @Test("the run's verdict: what is worse first, then what is better, whatever is open")
  func worst() throws {
    let one = try metric("codeflash --version", compare(EventFixture()))
    func verdict(_ verdicts: [ComparisonDocument.RunVerdict]) -> ComparisonDocument.RunVerdict {
      Comparison.verdict(
        metrics: verdicts.map { verdict in
          var metric = one
          metric.verdict = verdict
          return metric
        })
    }
    #expect(verdict([.improved, .equivalent, .undecided, .regressed]) == .regressed)
    #expect(verdict([.improved, .equivalent, .undecided]) == .improved)
    #expect(verdict([.equivalent, .undecided]) == .undecided)
    #expect(verdict([.improved, .equivalent]) == .improved)
    #expect(verdict([.equivalent, .equivalent]) == .equivalent)
    #expect(verdict([]) == .undecided)
  }

  @Test("too few blocks: no interval, undecided, and never a change")
  func fewBlocks() throws {
    var story = EventFixture()
    story.blocks = 4
    let document = compare(story)
    #expect(document.verdict == .undecided)
    for metric in document.metrics { #expect(metric.low == nil && metric.high == nil && metric.verdict == .undecided) }
    #expect(try VerdictFormatter.plain(metric("codeflash --version", document)) == "open (too few blocks)")
  }

  @Test("more metrics in a run widen each interval, and the Pythons count")
  func family() throws {
    var alone = EventFixture()
    alone.noise = 0.1
    alone.metrics = Array(alone.metrics.prefix(1))
    var many = alone
    many.pythons = ["3.11", "3.12", "3.13", "3.14"]
    let (one, four) = (
      try metric("codeflash --version", compare(alone)), try metric("codeflash --version", compare(many))
    )
    #expect(one.ratio == four.ratio)
    #expect(try #require(one.high) - #require(one.low) < #require(four.high) - #require(four.low))
  }

  @Test("a metric without a whole block, or with a value that is no time, is a trouble and makes the run incomplete")
  func troubles() {
    var record = EventFixture().record
    record.samples.removeAll { $0.metric == "codeflash --help" && $0.side == .base && $0.block > 0 }
    record.samples.removeAll { $0.metric == "codeflash --help" && $0.side == .head && $0.block == 0 }
    for index in record.samples.indices where record.samples[index].metric == "import codeflash" {
      record.samples[index].value = 0
    }
    let document = Comparison.make(from: record, alpha: 0.01, delta: 0.02)
    #expect(document.troubles.map(\.metric) == ["codeflash --help", "import codeflash"])
    #expect(!document.complete && document.metrics.count == 4)
    #expect(Gate().exitStatus(record, document) == .partial)
  }

  @Test("a metric of one side only is no metric of the comparison")
  func oneSided() {
    var record = EventFixture().record
    record.samples.removeAll { $0.metric == "codeflash --help" && $0.side == .base }
    let document = Comparison.make(from: record, alpha: 0.01, delta: 0.02)
    #expect(!document.metrics.contains { $0.name == "codeflash --help" } && document.complete)
  }

  @Test("how a job ended is how the command ends")
  func gate() {
    func status(_ outcome: Finished.Outcome?, _ problem: Problem? = nil) -> Shared.ExitStatus {
      var record = JobRecord(events: [])
      record.finished = outcome.map { Finished(outcome: $0, problem: problem, seconds: 1) }
      return Gate().exitStatus(record, nil)
    }
    #expect(status(.done) == .done && status(.partial) == .partial && status(.cancelled) == .cancelled)
    #expect(status(.failed) == .infrastructure && status(nil) == .infrastructure)
    #expect(status(.failed, Problem(what: "no such revision", fix: "x", exitStatus: .usage)) == .usage)
    #expect(status(.failed, Problem(what: "x", fix: "x", exitStatus: .done)) == .infrastructure)
  }
}
