import Shared
import Testing

@testable import ControllerCore

@Suite("Words that people read (Golden)")
struct TextGoldenTests {
  private func report(_ story: EventFixture) -> ComparisonReport {
    ComparisonReport(record: story.record, alpha: 0.01, delta: 0.02)
  }

  /// A branch against main, two Pythons, with things that went wrong.
  private var branch: EventFixture {
    var story = EventFixture()
    story.pythons = ["3.12", "3.14"]
    story.labels = [.base: "main", .head: "perf/optimize-startup"]
    story.identities = [.base: "git:11aa", .head: "git:22bb"]
    story.commits = [
      .base: "11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa", .head: "22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb",
    ]
    story.metrics = [
      ("codeflash --version", .startup, 0.450, 0.2667), ("import codeflash", .startup, 0.380, 0.816),
      ("micro: parse markdown code", .micro, 0.0002853, 1.012),
    ]
    story.troubles = [
      Trouble(
        layer: .startup, metric: "codeflash --help", python: "3.14", side: .base,
        problem: Problem(
          what: "`codeflash --help` ended with 1", why: "ModuleNotFoundError: No module named 'tomlkit'",
          fix: "run it by hand in the environment of that side", exitStatus: .partial))
    ]
    story.outcome = .partial
    return story
  }

  private var unchanged: EventFixture {
    var story = EventFixture()
    story.labels = [.base: "codeflash==0.20.6", .head: "codeflash==0.20.6"]
    story.identities = [.base: "codeflash==0.20.6", .head: "codeflash==0.20.6"]
    story.metrics = story.metrics.map { ($0.0, $0.1, $0.2, 1) }
    story.importNames[.base] = story.importNames[.head]
    return story
  }

  @Test("the comment of two releases")
  func releases() throws { try Golden.check(Comment.text(report(EventFixture())), is: "comment-releases.md") }

  @Test("the comment of a branch with two Pythons and a part that failed")
  func branchComment() throws { try Golden.check(Comment.text(report(branch)), is: "comment-branch.md") }

  /// Layers 3 and 4 beside the first two; the head misses what the base found, and holds 30 MiB more.
  private var optimized: EventFixture {
    var story = EventFixture()
    story.runsCodeflash = true
    story.lost = "depot.stock:pack"
    return story
  }

  @Test("the comment, table and summary of a run with all four layers")
  func allLayers() throws {
    try Golden.check(Comment.text(report(optimized)), is: "comment-optimize.md")
    try Golden.check(TerminalTable.text(report(optimized), style: .plain), is: "table-optimize.txt")
    try Golden.check(
      Summary.text(SideReport(.head, record: optimized.record, comparison: nil)), is: "summary-optimize.md")
  }

  @Test("a lost finding is a regression; runs that disagree decide nothing; a broken side is never 'nothing found'")
  func findings() throws {
    #expect(report(optimized).document.verdict == .regressed)
    #expect(report(optimized).document.findings.first?.verdict == .regressed)
    var record = optimized.record
    let last = try #require(record.optimizeRuns.lastIndex { $0.side == .head && $0.purpose == .measured })
    record.optimizeRuns[last].functions[1].finding = .found
    #expect(FindingComparison.all(from: record).first?.verdict == .undecided)
    record = optimized.record
    for index in record.optimizeRuns.indices where record.optimizeRuns[index].side == .head {
      record.optimizeRuns[index].functions[1].finding = .broken
    }
    let broken = try #require(FindingComparison.all(from: record).first)
    #expect(broken.verdict == .undecided && broken.head.recall == nil && broken.head.words.contains("broken"))
    #expect(FindingFormatter.count(broken.head) == "1 of 2, 1 broken")
  }

  /// One of each kind, with a gate: what `docs/pictures/comment.png` shows.
  @Test("the comment of a branch with a regression, an improvement and an open metric, under a gate")
  func mixed() throws {
    var story = branch
    story.pythons = ["3.12"]
    story.troubles = []
    story.outcome = .done
    story.noise = 0.06
    story.metrics = [
      ("codeflash --version", .startup, 0.45, 0.27), ("import codeflash", .startup, 0.38, 1.003),
      ("micro: discover functions", .micro, 0.0041, 1.183),
    ]
    var mixed = report(story)
    mixed.gate = Gate(rules: [GateRule("regression>5%")].compactMap { $0 })
    try Golden.check(Comment.text(mixed), is: "comment-mixed.md")
  }

  @Test("the comment of identical sides")
  func identical() throws { try Golden.check(Comment.text(report(unchanged)), is: "comment-identical.md") }

  @Test("the comment of a run whose control moved, on a machine too restless for its blocks")
  func void() throws {
    var story = EventFixture()
    story.control = 1.09
    story.noise = 0.12
    try Golden.check(Comment.text(report(story)), is: "comment-void.md")
  }

  @Test("the summary of a side of a comparison, and of a run alone")
  func summaries() throws {
    let comparison = SideReport.Comparison(
      other: "codeflash==0.20.5", folder: "codeflash==0.20.6-vs-codeflash==0.20.5-20260131T123456Z")
    try Golden.check(
      Summary.text(SideReport(.head, record: EventFixture().record, comparison: comparison)), is: "summary-side.md")
    var alone = branch
    alone.sides = [.head]
    try Golden.check(
      Summary.text(SideReport(.head, record: alone.record, comparison: nil)), is: "summary-run.md")
  }

  @Test("the table on a terminal: without colour, with colour, with troubles, for one side")
  func tables() throws {
    try Golden.check(TerminalTable.text(report(EventFixture()), style: .plain), is: "table-releases.txt")
    try Golden.check(
      TerminalTable.text(report(EventFixture()), style: TerminalStyle(hasColour: true)), is: "table-releases-colour.txt"
    )
    try Golden.check(TerminalTable.text(report(branch), style: .plain), is: "table-branch.txt")
    try Golden.check(
      TerminalTable.text(SideReport(.head, record: EventFixture().record, comparison: nil), style: .plain),
      is: "table-run.txt")
  }
}
