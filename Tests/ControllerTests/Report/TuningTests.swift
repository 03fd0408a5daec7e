import ArgumentParser
import Foundation
import Shared
import Testing

@testable import ControllerCore

@Suite("Tuning at this end: the flag, the record, the words")
struct TuningTests {
  private static func report(_ outcome: TuningReport.Outcome, before: String? = "on", after: String? = "off")
    -> TuningReport
  {
    TuningReport(knob: .turbo, before: before, wanted: "off", after: after, outcome: outcome)
  }

  @Test(
    "each outcome in words",
    arguments: [
      (report(.changed), "turbo: off for this job (was on)"), (report(.alreadySo, before: "off"), "turbo: off already"),
      (report(.notPermitted, after: "on"), "turbo: stays on, the benchmark host's login may not change it"),
      (report(.notVisible, before: nil, after: nil), "turbo: not visible on the benchmark host"),
      (report(.didNotTake, after: "on"), "turbo: stays on, the change did not take"),
    ])
  func words(report: TuningReport, words: String) {
    #expect(TuningFormatter.line(report) == words)
    #expect(Set(TuningReport.Knob.allCases.map(TuningFormatter.name)).count == TuningReport.Knob.allCases.count)
  }

  @Test("the record of a job keeps every knob, in their order")
  func record() {
    let reports = [Self.report(.changed), Self.report(.notVisible)]
    let events = reports.enumerated().map { NumberedEvent(number: $0 + 1, time: "", event: .tuned($1)) }
    #expect(JobRecord(events: events).tuning == reports)
    #expect(JobRecord(events: []).tuning == [])
  }

  @Test("--tune asks for it in the manifest, and nothing does otherwise", arguments: [["--tune"], []])
  func flag(arguments: [String]) throws {
    let context = try CommandContext(try MeasureOptions.parse(arguments), output: Output())
    let manifest = ManifestBuilder.build(
      settings: context.settings, layers: LayerPlans(), sides: [], python: context.python, seed: 1)
    #expect(manifest.tune == (arguments.isEmpty ? nil : true))
  }
}
