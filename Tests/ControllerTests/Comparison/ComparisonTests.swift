import Shared
import Testing

@testable import Controller

@Suite("Head against base")
struct ComparisonTests {
  private func compare(_ story: JobStory) -> ComparisonDocument {
    Comparison.make(from: story.record, alpha: 0.01, delta: 0.02)
  }
  private func metric(_ name: String, _ document: ComparisonDocument) throws -> ComparisonDocument.Metric {
    try #require((document.metrics + document.controls).first { $0.name == name })
  }

  @Test("each metric has its ratio within its interval, and the verdict that the two allow")
  func releases() throws {
    let document = compare(JobStory())
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
    #expect(document.base.label == "codeflash==0.20.5" && document.host == JobStory.host)
  }

  @Test("the same code on both sides is said to be the same, and nothing is called faster or slower")
  func identical() {
    var story = JobStory()
    story.identities = [.base: "git:1", .head: "git:1"]
    story.metrics = story.metrics.map { ($0.0, $0.1, $0.2, 1) }
    let document = compare(story)
    #expect(document.identical && document.verdict == .equivalent)
    story.pythons = ["3.12", "3.14"]
    #expect(compare(story).identical && compare(story).metrics.count == 12)
  }

  @Test("a control that moved makes the run void, whatever the metrics say", arguments: [0.9, 1.1])
  func void(ratio: Double) {
    var story = JobStory()
    story.control = ratio
    #expect(compare(story).verdict == .void)
  }

  @Test("the run's verdict is the worst there is to say")
  func worst() throws {
    let one = try metric("codeflash --version", compare(JobStory()))
    func verdict(_ verdicts: [ComparisonDocument.RunVerdict]) -> ComparisonDocument.RunVerdict {
      Comparison.verdict(
        metrics: verdicts.map { verdict in
          var metric = one
          metric.verdict = verdict
          return metric
        })
    }
    #expect(verdict([.improved, .equivalent, .undecided, .regressed]) == .regressed)
    #expect(verdict([.improved, .equivalent, .undecided]) == .undecided)
    #expect(verdict([.improved, .equivalent]) == .improved)
    #expect(verdict([.equivalent, .equivalent]) == .equivalent)
    #expect(verdict([]) == .undecided)
  }

  @Test("too few blocks: no interval, undecided, and never a change")
  func fewBlocks() throws {
    var story = JobStory()
    story.blocks = 4
    let document = compare(story)
    #expect(document.verdict == .undecided)
    for metric in document.metrics { #expect(metric.low == nil && metric.high == nil && metric.verdict == .undecided) }
    #expect(try VerdictWords.plain(metric("codeflash --version", document)) == "undecided (too few blocks)")
  }

  @Test("more metrics in a run widen each interval, and the Pythons count")
  func family() throws {
    var alone = JobStory()
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
    var record = JobStory().record
    record.samples.removeAll { $0.metric == "codeflash --help" && $0.side == .base && $0.block > 0 }
    record.samples.removeAll { $0.metric == "codeflash --help" && $0.side == .head && $0.block == 0 }
    for index in record.samples.indices where record.samples[index].metric == "import codeflash" {
      record.samples[index].value = 0
    }
    let document = Comparison.make(from: record, alpha: 0.01, delta: 0.02)
    #expect(document.troubles.map(\.metric) == ["codeflash --help", "import codeflash"])
    #expect(!document.complete && document.metrics.count == 4)
    #expect(Gate.exitStatus(record, complete: document.complete) == .partial)
  }

  @Test("a metric of one side only is no metric of the comparison")
  func oneSided() {
    var record = JobStory().record
    record.samples.removeAll { $0.metric == "codeflash --help" && $0.side == .base }
    let document = Comparison.make(from: record, alpha: 0.01, delta: 0.02)
    #expect(!document.metrics.contains { $0.name == "codeflash --help" } && document.complete)
  }

  @Test("how a job ended is how the command ends")
  func gate() {
    func status(_ outcome: Finished.Outcome?, _ problem: Problem? = nil) -> Shared.ExitStatus {
      var record = JobRecord(events: [])
      record.finished = outcome.map { Finished(outcome: $0, problem: problem, seconds: 1) }
      return Gate.exitStatus(record)
    }
    #expect(status(.done) == .done && status(.partial) == .partial && status(.cancelled) == .cancelled)
    #expect(status(.failed) == .infrastructure && status(nil) == .infrastructure)
    #expect(status(.failed, Problem(what: "no such revision", fix: "x", exitStatus: .usage)) == .usage)
    #expect(status(.failed, Problem(what: "x", fix: "x", exitStatus: .done)) == .infrastructure)
  }
}
