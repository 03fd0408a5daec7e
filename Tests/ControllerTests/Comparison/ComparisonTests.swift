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

  @Test("a control that moves by 5 % in the ten blocks that it has in any run is told: the run is void")
  func movedControl() {
    var story = EventFixture()
    story.blocks = 10
    story.noise = 0.07
    #expect(compare(story).verdict != .void)
    story.control = 1.05
    #expect(compare(story).verdict == .void)
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
    // One forecast, the same in the document and wherever it is told, with what would give a run so much time.
    let forecast = try #require(compare(story).forecast)
    #expect(forecast.option == "--budget 11" && !forecast.metrics.isEmpty && forecast.seconds > 1)
    #expect(sentences.last?.hasSuffix(": --budget 11.") == true, "\(sentences)")
    #expect(sentences.last?.hasPrefix("About \(Duration.seconds(forecast.seconds).words) more may decide") == true)
    story.budgetSeconds = nil
    #expect(SpendingFormatter.sentences(compare(story)).isEmpty && compare(story).forecast == nil)
  }

  @Test("a layer that ended since somebody said how many blocks it has wants more of them, not more minutes")
  func cappedForecast() throws {
    var story = EventFixture()
    story.budgetSeconds = 600
    story.blocks = 10
    story.noise = 0.05
    var record = story.record
    for index in record.layersFinished.indices { record.layersFinished[index].reachedMostBlocks = true }
    let forecast = try #require(Comparison.make(from: record, alpha: 0.01, delta: 0.02).forecast)
    #expect(forecast.option.hasPrefix("--set ") && forecast.option.contains(".blocks="), "\(forecast)")
  }

  @Test("what the budget had no time for is a row with what it takes, and no reason to call the run incomplete")
  func notMeasured() throws {
    var story = EventFixture()
    story.budgetSeconds = 120
    var record = story.record
    record.skipped.append(
      Skipped(
        layer: .optimize, metric: "Full optimize run", python: "3.12", side: nil,
        reason: "not measured: needs about 4 min, 2 min were left", secondsNeeded: 240))
    let report = ComparisonReport(record: record, alpha: 0.01, delta: 0.02)
    let row = "Full optimize run | – | – | not measured: needs about 4 min, 2 min were left"
    #expect(Comment.text(report).contains(row))
    #expect(TerminalTable.text(report, style: .plain).contains("not measured: needs about 4 min"))
    #expect(!TerminalTable.text(report, style: .plain).contains("  Full optimize run (Python"))
    let forecast = try #require(report.document.forecast)
    #expect(forecast.metrics.first == "Full optimize run" && forecast.seconds >= 240)
    #expect(report.document.complete)
    // It is open, in the verdict and for a gate of everything.
    record.samples.removeAll { $0.layer != .startup || $0.metric != "import codeflash" }
    let rest = Comparison.make(from: record, alpha: 0.01, delta: 0.02)
    #expect(rest.metrics.map(\.verdict) == [.equivalent] && rest.verdict == .undecided)
    #expect(VerdictFormatter.headline(rest).contains("1 the same, 1 open"))
    let gate = Gate(rules: [GateRule("regression")].compactMap(\.self))
    #expect(gate.judge(rest) == .open(["Full optimize run"]))
  }

  @Test("on a terminal rows without a difference, or open without a sign of one, are named below what matters")
  func belowTheTable() {
    var report = ComparisonReport(record: EventFixture().record, alpha: 0.01, delta: 0.02)
    for index in report.document.metrics.indices {
      report.document.metrics[index].headline = index == 0 ? true : nil
      report.document.metrics[index].verdict = index == 0 ? .undecided : .equivalent
    }
    let table = TerminalTable.text(report, style: .plain)
    let count = report.document.metrics.count - 1
    #expect(table.contains("\n\(count) without a difference: "), "\(table)")
    #expect(table.contains("\n\(report.document.metrics[0].name)") && !table.contains("\nmicro: "))
  }

  @Test("with a control arm nothing below 5 % is called until it was measured in two blocks, also before the first")
  func unknownFloor() throws {
    var story = EventFixture()
    story.blocks = 20
    story.metrics = [("codeflash --version", .startup, 1, 1.035)]
    var record = story.record
    func verdict() throws -> ComparisonDocument.RunVerdict {
      try metric("codeflash --version", Comparison.make(from: record, alpha: 0.01, delta: 0.02)).verdict
    }
    #expect(try verdict() == .regressed)
    record.started?.hasCopyArm = true
    #expect(try verdict() == .undecided)
  }

  @Test("another difference counts where a name, a beginning of names or a layer says so")
  func deltas() throws {
    let deltas = [
      MetricDelta(of: "micro", delta: 0.04), MetricDelta(of: "micro: parse*", delta: 0.5),
      MetricDelta(of: "micro: parse rows", delta: 0.03),
    ]
    #expect(deltas.delta(of: "micro: parse rows", in: .micro) == 0.03)
    #expect(deltas.delta(of: "micro: parse lines", in: .micro) == 0.5)
    #expect(deltas.delta(of: "micro: find", in: .micro) == 0.04 && deltas.delta(of: "x --version", in: .startup) == nil)
    var story = EventFixture()
    story.blocks = 40
    var record = story.record
    #expect(try metric("micro: discover functions", compare(story)).verdict == .regressed)
    record.started?.deltas = [MetricDelta(of: "micro", delta: 0.5)]
    let document = Comparison.make(from: record, alpha: 0.01, delta: 0.02)
    #expect(try metric("micro: discover functions", document).verdict == .equivalent)
    #expect(try metric("micro: discover functions", document).delta == 0.5)
    let report = ComparisonReport(record: record, alpha: 0.01, delta: 0.02)
    #expect(Comment.text(report).contains("A change counts from 2% (layer micro: 50%)"))
  }

  @Test(
    "CPU seconds stand beside the wall clock with an interval of their own, and say what it means that only one moved")
  func processorTime() throws {
    var record = EventFixture().record
    for index in record.samples.indices where record.samples[index].layer == .startup {
      let value = record.samples[index].value
      // The same work on both sides, whatever the clock on the wall says.
      let isFaster = record.samples[index].metric == "codeflash --version" && record.samples[index].side == .head
      record.samples[index].userSeconds = isFaster ? value * 2 : value / 2
      record.samples[index].systemSeconds = isFaster ? 0.0001 : 0.0001
    }
    let report = ComparisonReport(record: record, alpha: 0.01, delta: 0.02)
    let row = try #require(report.document.metrics.first { $0.name == "codeflash --version" })
    let cpu = try #require(row.cpu)
    #expect((cpu.low ?? 2) <= cpu.ratio && cpu.ratio <= (cpu.high ?? 0))
    #expect(Comment.text(report).contains("<summary>Processor time</summary>"))
    #expect(report.document.metrics.allSatisfy { $0.layer != .micro || $0.cpu == nil })
    var told = row
    func meaning(wall: (Double, Double), cpu: (Double, Double)) -> String? {
      (told.low, told.high) = wall
      told.cpu = .init(base: 1, head: 1, ratio: 1, low: cpu.0, high: cpu.1)
      return ProcessorTime.meaning(told)
    }
    #expect(meaning(wall: (0.7, 0.8), cpu: (0.99, 1.01))?.contains("waiting") == true)
    #expect(meaning(wall: (0.97, 1.01), cpu: (1.02, 1.04))?.hasPrefix("more work") == true)
    // The wall clock may have moved as much: it is only less sure.
    #expect(meaning(wall: (0.9, 1.1), cpu: (1.02, 1.04)) == nil)
    #expect(meaning(wall: (0.7, 0.8), cpu: (1.02, 1.04))?.contains("more cores") == true)
    #expect(meaning(wall: (0.7, 0.8), cpu: (0.6, 0.9)) == nil && meaning(wall: (0.9, 1.1), cpu: (0.9, 1.1)) == nil)
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
