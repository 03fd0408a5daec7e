import Foundation
import Shared
import SystemPackage
import TestSupport
import Testing

@testable import ControllerCore

/// `fixtures/results-0.1` is what the program of version 0.1 wrote; its events are read for as long as there are such folders.
@Suite("Results of an earlier release are reported and analysed as they were")
struct EarlierReleaseTests {
  private let folder: TemporaryFolder
  private let comparison, run: FilePath

  init() throws {
    folder = try TemporaryFolder()
    let results = folder.path.appending("results")
    try FileManager.default.copyItem(
      atPath: SchemaValidator.packageRoot.path + "/fixtures/results-0.1", toPath: results.string)
    comparison = results.appending("path-fast-vs-path-slow-20261130T183602Z")
    run = results.appending("path-fast-20261130T183614Z")
  }

  /// What was measured, a line a metric.
  private func figures(_ document: ComparisonDocument) -> [String] {
    (document.metrics + document.controls).map {
      "\($0.layer) \($0.name): \($0.base) \($0.head) \($0.ratio), \($0.blocks) blocks"
    }
  }

  @Test(
    "report and analyze have the stored figures, to the last digit; what was decided is, what was open may be by now")
  func comparisons() throws {
    let path = comparison.appending("comparison.json")
    let before = try StoredFile.decode(ComparisonDocument.self, at: path)
    try #require(before.metrics.count + before.controls.count == 6)
    try StoredReport.rewrite(try RunFolder.open(comparison))
    let rewritten = try StoredFile.decode(ComparisonDocument.self, at: path)
    for document in [rewritten, try Analysis.report(of: [comparison.string], .init()).document] {
      #expect(figures(document) == figures(before))
      #expect(document.method.design == .mirrored)
      for (now, then) in zip(document.metrics + document.controls, before.metrics + before.controls) {
        #expect(now.verdict == then.verdict || then.verdict == .undecided, "\(now.name): \(now.verdict)")
      }
    }
    let moved = rewritten.metrics.filter { $0.hasMoved }
    let change = try #require(moved.first)
    #expect(before.metrics.contains { $0.name == change.name && $0.verdict == change.verdict })
  }

  @Test("a run's document comes out to the byte, and its words have the same figures")
  func runs() throws {
    func rows() throws -> [Substring] {
      try TemporaryFolder.text(run.appending("summary.md")).split(separator: "\n").filter {
        $0.hasPrefix("|") && $0.contains(" ms")
      }
    }
    let (document, before) = (try TemporaryFolder.text(run.appending("startup.json")), try rows())
    try #require(before.count > 5, "\(before)")
    try StoredReport.rewrite(try RunFolder.open(run))
    #expect(try TemporaryFolder.text(run.appending("startup.json")) == document)
    #expect(try rows() == before)
  }
}
