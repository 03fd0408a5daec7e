import Shared
import Testing

@testable import ControllerCore

@Suite("A comparison is of equal work, and nothing that was planned vanishes")
struct EqualWorkTests {
  private let withRuns: EventFixture = {
    var story = EventFixture()
    story.runsCodeflash = true
    return story
  }()

  private func compare(_ events: [NumberedEvent]) -> (document: ComparisonDocument, status: Shared.ExitStatus) {
    let record = JobRecord(events: events, labels: EventFixture().labels)
    let document = Comparison.make(from: record, alpha: 0.01, delta: 0.02)
    return (document, Gate().exitStatus(record, document))
  }

  /// The fixture's events, each changed or left out, and numbered anew.
  private func events(_ change: (JobEvent) -> [JobEvent]) -> [NumberedEvent] {
    withRuns.events.flatMap { change($0.event) }.enumerated().map {
      NumberedEvent(number: $0 + 1, time: "2026-01-31T12:34:56.789Z", event: $1)
    }
  }

  @Test("known to be unequal, what it touches has no row but a reason, and the findings are left out")
  func unequal() throws {
    let (document, status) = compare(
      events { event in
        guard case .effectiveSettings(var body) = event, body.side == .base else { return [event] }
        body.settings[0].value = "10.0 s"
        return [.effectiveSettings(body)]
      })
    #expect(!document.metrics.contains { ["Full optimize run", "Peak memory"].contains($0.name) })
    #expect(document.metrics.contains { $0.name == "codeflash --version" } && document.findings.isEmpty)
    #expect(!document.complete && status == .partial)
    let reasons = document.troubles.map(\.problem)
    #expect(reasons.map(\.what).allSatisfy { $0.hasSuffix("has no result: the sides did unequal work") })
    #expect(reasons.first?.why == "looping time: 10.0 s on the base, 0.5 s on the head" && reasons.count == 2)
  }

  @Test("of results that do not record it the values stand without a verdict, and the status is as before")
  func unrecorded() throws {
    let (document, status) = compare(events { if case .effectiveSettings = $0 { [] } else { [$0] } })
    let rows = document.metrics.filter { ["Full optimize run", "Peak memory"].contains($0.name) }
    #expect(rows.count == 2 && rows.allSatisfy { $0.verdict == .undecided && $0.withheld != nil })
    #expect(document.method.caveats.first?.hasPrefix("It is not recorded whether both sides did equal work") == true)
    #expect(document.complete && status == .done && document.troubles.isEmpty)
    #expect(document.metrics.first { $0.name == "codeflash --version" }?.verdict == .improved)
  }

  @Test("where a layer's only block was discarded its metrics say so, and its runs count nowhere")
  func discarded() throws {
    let (document, status) = compare(
      events { event in
        guard case .memoryTimeline(let first) = event, first.side == .base else {
          guard case .memoryTimeline(var body) = event else { return [event] }
          body.block = 0
          return [.memoryTimeline(body)]
        }
        let block = BlockFinished(
          layer: .optimize, python: "3.12", block: 0, order: [.head, .base, .base, .head],
          metrics: ["Full optimize run", "Peak memory"], seconds: 40, disturbance: "3 % of the time was stolen")
        let end = LayerFinished(
          layer: .optimize, python: "3.12", seconds: 60, metrics: ["Full optimize run", "Peak memory"])
        return [.blockFinished(block), .layerFinished(end)]
      })
    #expect(!document.metrics.contains { $0.layer == .optimize } && !document.complete && status == .partial)
    #expect(
      document.troubles.map { [$0.metric, $0.problem.why] } == [
        ["Full optimize run", "its only block was discarded: 3 % of the time was stolen"],
        ["Peak memory", "its only block was discarded: 3 % of the time was stolen"],
      ])
    let record = JobRecord(
      events: events { event in
        guard case .finished = event else { return [event] }
        return [
          .blockFinished(
            BlockFinished(
              layer: .optimize, python: "3.12", block: 0, order: [], metrics: ["Full optimize run"], seconds: 40,
              disturbance: "stolen")), event,
        ]
      })
    #expect(record.optimizeRuns.allSatisfy { $0.purpose == .rehearsal } && record.optimizeRuns.count == 2)
    #expect(OptimizeDocument.make(.base, from: record)?.results.first?.seconds == [])
  }

  @Test("a metric of which no block was measured is told, with the budget as the reason")
  func unmeasured() {
    var story = withRuns
    story.budgetSeconds = 60
    let end = LayerFinished(
      layer: .micro, python: "3.12", seconds: 1, metrics: ["micro: parse", "micro: compare results"])
    let events = story.events.map(\.event) + [.layerFinished(end)]
    let (document, status) = compare(
      events.enumerated().map { NumberedEvent(number: $0 + 1, time: "2026-01-31T12:34:56.789Z", event: $1) })
    #expect(document.troubles.map(\.metric) == ["micro: parse"] && status == .partial)
    #expect(document.troubles.first?.problem.why == "the budget was spent before a block of it was measured")
  }

  @Test("what is found is told of all functions, what is timed of those that were timed")
  func findings() throws {
    let story = events { event in
      guard case .optimizeRun(var run) = event else { return [event] }
      var all = run
      (all.purpose, all.listed) = (.findings, 3)
      (run.functions, run.listed) = ([run.functions[0]], 3)
      return run.purpose == .rehearsal ? [.optimizeRun(run), .optimizeRun(all)] : [.optimizeRun(run)]
    }
    let record = JobRecord(events: story, labels: EventFixture().labels)
    let result = try #require(OptimizeDocument.make(.head, from: record)?.results.first)
    #expect(result.functions.count == 3 && result.seconds.count == 2)
    let document = compare(story).document
    #expect(document.findings.map(\.base.opportunities) == [2] && document.findings.map(\.verdict) == [.equivalent])
    let row = try #require(document.metrics.first { $0.name == "Full optimize run" })
    #expect(row.note == "1 of 3 functions")
    let text = TerminalTable.text(
      ComparisonReport(record: record, alpha: 0.01, delta: 0.02),
      style: TerminalStyle(isTerminal: false, environment: [:]))
    #expect(text.contains("Full optimize run (1 of 3 functions)"))
  }

  @Test("packages and interpreters that differ between the sides are told, the target's own version is not")
  func packages() throws {
    let record = JobRecord(
      events: events { event in
        switch event {
        case .started(var body):
          body.package = "codeflash"
          return [.started(body)]
        case .sideReady(var body) where body.side == .head:
          body.distributions = ["codeflash==0.20.7", "libcst==1.9.0", "rich==14.0"]
          body.interpreterVersion = "3.12.10"
          return [.sideReady(body)]
        default: return [event]
        }
      })
    let told = ComparisonReport(record: record, alpha: 0.01, delta: 0.02).notes
    #expect(
      told.prefix(2) == [
        "Python differs: 3.12.9 → 3.12.10.", "Other packages differ: libcst 1.8.2 → 1.9.0, rich 14.0 only on the head.",
      ])
  }

  @Test("an import by which nothing of the target comes in is a row, and no part of any verdict")
  func trivialImport() throws {
    let (document, status) = importing(9)
    let row = try #require(document.metrics.first { $0.name == "import codeflash" })
    #expect(row.informative == true && row.withheld == "imports nothing of codeflash" && row.verdict == .undecided)
    #expect(VerdictFormatter.delta(row, in: document) == "imports nothing of codeflash")
    #expect(document.metrics.judged.count == document.metrics.count - 1 && status == .done)
    let gate = Gate(rules: [GateRule("regression:import codeflash")].compactMap { $0 })
    #expect(gate.judge(document) == .passed, "it was measured, and can't regress")
  }

  @Test("a package that does something when it is imported is judged, though it imports nothing else of itself")
  func busyImport() throws {
    let document = importing(50_000).document
    let row = try #require(document.metrics.first { $0.name == "import codeflash" })
    #expect(row.informative == nil && row.verdict == .regressed)
  }

  /// The fixture with an import of the package alone, which takes so many microseconds on the head, and twice the time there.
  private func importing(_ microseconds: Int) -> (document: ComparisonDocument, status: Shared.ExitStatus) {
    compare(
      events { event in
        switch event {
        case .started(var body):
          body.importName = "codeflash"
          return [.started(body)]
        case .importTree(var body):
          body.metric = "import codeflash"
          body.modules = [
            ImportedModule(name: "site", depth: 0, selfMicroseconds: 9, cumulativeMicroseconds: 9),
            ImportedModule(
              name: "codeflash", depth: 0, selfMicroseconds: 9,
              cumulativeMicroseconds: body.side == .head ? microseconds : 9),
          ]
          return [.importTree(body)]
        // Slower on the head, so that it would have a verdict of its own.
        case .sample(var body) where body.metric == "import codeflash" && body.side == .head:
          body.value *= 2
          return [.sample(body)]
        default: return [event]
        }
      })
  }
}
