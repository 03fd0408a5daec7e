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

  /// What stands in the table of verdicts, a line a metric.
  private func table(_ document: ComparisonDocument) -> [String] {
    ["\(document.verdict)"]
      + (document.metrics + document.controls).map {
        "\($0.layer) \($0.name): \($0.base) \($0.head) \($0.ratio) \($0.verdict), \($0.blocks) blocks"
      }
  }

  @Test("report and analyze come to the stored verdicts, to the last digit")
  func comparisons() throws {
    let path = comparison.appending("comparison.json")
    let before = try table(StoredFile.decode(ComparisonDocument.self, at: path))
    try #require(before.count == 7 && before.first == "undecided", "\(before)")
    try StoredReport.rewrite(try RunFolder.open(comparison))
    #expect(try table(StoredFile.decode(ComparisonDocument.self, at: path)) == before)
    #expect(try table(Analysis.report(of: [comparison.string], .init()).document) == before)
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
