import Foundation
import Shared
import Statistics
import SystemPackage
import Testing
import TestSupport

@testable import ControllerCore

@Suite("Folders of results are analysed again, and pooled")
struct FolderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A job's folder; `number` tells jobs apart, `host` changes the machine.
  private func stored(
    _ story: EventFixture, number: Int = 0, alpha: Double = 0.01, governor: String? = nil,
    host: (inout HostInfo) -> Void = { _ in }
  ) throws -> String {
    let base = story.sides.contains(.base) ? story.labels[.base] : nil
    let run = try RunFolder.create(
      in: folder.path.appending("results"), base: base, head: story.labels[.head] ?? "", alpha: alpha, delta: 0.02)
    let store = try EventStore(path: run.events)
    for event in story.events {
      var event = event
      if case .started(var started) = event.event, let job = JobID("20260131T12345\(number)Z-0f3a") {
        started.job = job
        event.event = .started(started)
        event.time = "2026-01-31T12:34:5\(number).000Z"
      }
      if case .host(var witness) = event.event {
        host(&witness)
        event.event = .host(witness)
      }
      if case .phase = event.event, let governor {
        event.event = .tuned(
          TuningReport(knob: .governor, before: "\(number)", wanted: governor, after: governor, outcome: .changed))
      }
      try store.append(line: Array(try event.line().dropLast()))
    }
    try store.close()
    return run.path.string
  }

  private func analysis(_ paths: [String], _ choices: Analysis.Choices = .init()) throws -> ComparisonDocument {
    try Analysis.report(of: paths, choices).document
  }

  private func difference(_ paths: [String]) throws -> String? {
    let error = try #require(throws: AnalysisError.self) { try analysis(paths) }
    #expect(error.exitStatus == .usage)
    guard case .apart(_, _, let difference) = error else { return nil }
    return difference
  }

  @Test("one comparison gives what its own document holds, to the last digit")
  func same() throws {
    for alpha in [0.01, 0.05] {
      let path = try stored(EventFixture(), alpha: alpha)
      try StoredReport.rewrite(try RunFolder.open(FilePath(path)))
      let stored = try StoredFile.decode(
        ComparisonDocument.self, at: FilePath(path).appending("comparison.json"))
      #expect(try analysis([path]) == stored)
    }
  }

  @Test("flags come before the folder's settings, and a correction that is none is said")
  func flags() throws {
    let path = try stored(EventFixture())
    let document = try analysis([path], .init(alpha: 0.05, delta: 0.3, correction: .none, replays: true))
    #expect(document.method.alpha == 0.05 && document.method.delta == 0.3 && document.method.correction == "none")
    #expect(document.method.caveats.count == 1 && document.method.name.hasSuffix("each metric on its own"))
    #expect(document.replay?.count == 6)
  }

  @Test("two comparisons of one code, machine and boot are pooled: all blocks count")
  func pooled() throws {
    let paths = [try stored(EventFixture(), number: 1), try stored(EventFixture(), number: 2)]
    let document = try analysis(paths)
    #expect(document.metrics.allSatisfy { $0.blocks == 28 } && document.metrics.count == 6 && document.complete)
    #expect(document.controls.map(\.blocks) == [28] && document.seconds == 2 * 187.4)
    #expect(document.method.caveats.count == 1)
    // The order in which they are named says nothing.
    #expect(try analysis(paths.reversed()) == document)
  }

  @Test("comparisons that left the machine's knobs in different places are pooled with a word on it")
  func tuned() throws {
    func caveats(_ governor: String?) throws -> [String] {
      let first = try stored(EventFixture(), number: 1, governor: "performance")
      return try analysis([first, try stored(EventFixture(), number: 2, governor: governor)]).method.caveats
    }
    #expect(try caveats("performance").count == 1)
    #expect(try caveats("powersave").contains(Caveat.tunedOtherwise))
    #expect(try caveats(nil).contains(Caveat.tunedOtherwise))
  }

  @Test("another machine, boot or code is refused, and so are the same samples twice")
  func refused() throws {
    let first = try stored(EventFixture(), number: 1)
    #expect(
      try difference([first, try stored(EventFixture(), number: 2) { $0.hostname = "other" }])
        == "they were measured on two machines, 'cf-bench' and 'other'")
    #expect(
      try difference([first, try stored(EventFixture(), number: 3) { $0.bootID = "other" }])
        == "the machine 'cf-bench' was started anew between them, which can change its speed")
    var other = EventFixture()
    other.identities[.head] = "codeflash==0.20.7"
    #expect(
      try difference([first, try stored(other, number: 4)])
        == "the head is codeflash==0.20.6 in the one, and codeflash==0.20.7 in the other")
    #expect(try difference([first, try stored(EventFixture(), number: 1)]) == nil)
    #expect(throws: AnalysisError.twice(path: first, other: first + "/")) { try analysis([first, first + "/"]) }
  }

  @Test("comparisons with different settings need a word on which one decides")
  func settings() throws {
    let paths = [try stored(EventFixture(), number: 1), try stored(EventFixture(), number: 2, alpha: 0.05)]
    #expect(throws: AnalysisError.differentSettings(path: paths[0], other: paths[1], flag: "alpha")) {
      try analysis(paths)
    }
    #expect(try analysis(paths, .init(alpha: 0.02)).method.alpha == 0.02)
  }

  @Test("runs are held against the first of them, without blocks, a caveat with it")
  func runs() throws {
    func run(_ label: String, _ ratio: Double, number: Int) throws -> String {
      var story = EventFixture()
      story.sides = [.head]
      story.labels = [.head: label]
      story.identities = [.head: label]
      story.metrics = story.metrics.map { ($0.0, $0.1, $0.2, ratio) }
      return try stored(story, number: number)
    }
    let base = try run("a", 1, number: 1)
    let document = try analysis([base, try run("b", 1.2, number: 2)])
    #expect(document.metrics.count == 6 && document.metrics.allSatisfy { $0.verdict == .regressed && $0.blocks == 14 })
    #expect(document.controls.map(\.name) == ["python -c pass"] && document.host == EventFixture.host)
    #expect(document.base.label == "a" && document.head.label == "b" && document.verdict == .regressed)
    #expect(document.method.caveats.first?.hasPrefix("No block pairs the samples") == true)
    let three = try analysis([base, try run("b", 1.2, number: 3), try run("c", 1, number: 4)])
    #expect(three.metrics.count == 12 && three.metrics.contains { $0.name == "import codeflash [c]" })
    #expect(throws: AnalysisError.alone(path: base, kind: .run)) { try analysis([base]) }
    var elsewhere = EventFixture()
    elsewhere.sides = [.head]
    let other = try stored(elsewhere, number: 5) { $0.bootID = "x" }
    #expect(try difference([base, other])?.contains("started anew") == true)
  }

  @Test("a job without a last word is analysed as far as it came, and said to be incomplete")
  func unfinished() throws {
    var story = EventFixture()
    story.outcome = nil
    let document = try analysis([try stored(story)])
    #expect(!document.complete && document.metrics.count == 6)
  }

  @Test("documents fit their schema, and their words carry the caveats")
  func schema() async throws {
    let path = try stored(EventFixture(), number: 1)
    let report = try Analysis.report(of: [path, try stored(EventFixture(), number: 2)], .init(replays: true))
    let csv = folder.path.appending("s.csv")
    try TemporaryFolder.write((TableTests.header + TableTests.rows(20, ratio: 1, orders: ["bh"])).utf8, csv)
    let table = try Analysis.report(of: [csv.string], .init(correction: .none, replays: true))
    let documents = try [report, table].map { try JSONEncoder().encode($0.document) }
    #expect(try await SchemaValidator.errors(of: documents, schema: "comparison") == nil)
    #expect(TerminalTable.text(report, style: .plain).contains("2 comparisons are pooled"))
    #expect(TerminalTable.text(report, style: .plain).contains("Stops after"))
    #expect(Comment.text(table).contains("One side always stood first"))
    #expect(Comment.text(table).contains("From 20 blocks that were there already."))
  }
}
