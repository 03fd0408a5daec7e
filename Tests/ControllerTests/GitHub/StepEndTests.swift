import Foundation
import GitHub
import Shared
import TestSupport
import Testing

@testable import ControllerCore

@Suite("How a step of a workflow ends")
struct StepEndTests {
  private func end(_ fixture: EventFixture, rules: [String] = [], status: Shared.ExitStatus = .done) -> CIEnd {
    var end = CIEnd(status: status)
    let report = ComparisonReport(
      record: fixture.record, alpha: 0.01, delta: 0.02,
      gate: Gate(rules: rules.compactMap { GateRule($0) }, undecided: .pass))
    end.report = .comparison(report, fixture.record)
    return end
  }

  @Test("the check says slower, fine, or not measured")
  func checks() {
    var slower = EventFixture()
    slower.metrics = [("codeflash --version", .startup, 1, 1.3)]
    var same = EventFixture()
    same.metrics = [("codeflash --version", .startup, 1, 1)]
    #expect(CheckFormatter.conclusion(of: end(slower, rules: ["regression"])).0 == .failure)
    let ungated = CheckFormatter.conclusion(of: end(slower))
    #expect(ungated.0 == .neutral && ungated.title.hasPrefix("Slower, and no gate stands against it"))
    #expect(CheckFormatter.conclusion(of: end(same, rules: ["regression"])).0 == .success)
    #expect(CheckFormatter.conclusion(of: end(same, rules: ["regression:Nowhere"])).0 == .actionRequired)
    #expect(CheckFormatter.conclusion(of: end(same, status: .partial)).0 == .actionRequired)
    #expect(CheckFormatter.conclusion(of: CIEnd(status: .cancelled)).0 == .cancelled)
    var failed = CIEnd(status: .infrastructure)
    failed.fail(Problem(what: "no way in", fix: "try", exitStatus: .infrastructure))
    let conclusion = CheckFormatter.conclusion(of: failed)
    #expect(conclusion.0 == .actionRequired && conclusion.title == "Could not measure: no way in")
  }

  @Test("an error is the end's problem and status, and a cancel is none")
  func failures() {
    var end = CIEnd(status: .done)
    end.fail(CancellationError())
    #expect(end.status == .cancelled && end.problem == nil)
    end.fail(Problem(what: "x", why: "y", fix: "z", exitStatus: .usage))
    #expect(end.status == .usage && end.problem?.why == "y" && end.reason?.hasPrefix("error: x") == true)
  }

  @Test("an open check is found again by its run, and half a file is none")
  func openCheck() async throws {
    try await TestSupport.withTemporaryFolder { folder in
      let environment = ["RUNNER_TEMP": folder, "GITHUB_RUN_ID": "7", "GITHUB_JOB": "bench-1"]
      #expect(OpenCheck.read(environment) == nil)
      let check = OpenCheck(repository: "o/r", commit: "c")
      check.write(environment)
      #expect(OpenCheck.read(environment)?.key == check.key)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(files == ["cf-bench-check-7-bench.json"])
      try Data(#"{"repository":"#.utf8).write(to: URL(filePath: folder + "/" + files[0]))
      #expect(OpenCheck.read(environment) == nil)
      OpenCheck.remove(environment)
      OpenCheck.remove(environment)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
      check.write([:])
    }
  }

  @Test("a cancel gives up what is told to GitHub just then, and what is begun after it")
  func hurry() async {
    let hurry = Hurry()
    await #expect(throws: CancellationError.self) {
      try await hurry.cancelling {
        hurry.raise()
        try Task.checkCancellation()
      }
    }
    #expect(hurry.isRaised)
    await #expect(throws: CancellationError.self) { try await hurry.cancelling { try Task.checkCancellation() } }
  }

  @Test("annotations name what moved, worst first, at a file of the checkout and at none outside it")
  func annotations() async throws {
    var fixture = EventFixture()
    fixture.metrics = [("a", .startup, 1, 1.1), ("b", .startup, 1, 1.5), ("c", .startup, 1, 0.5)]
    let report = ComparisonReport(
      record: fixture.record, alpha: 0.01, delta: 0.02, gate: Gate(rules: [GateRule("regression:b")].compactMap { $0 }))
    let all = ComparisonAnnotations.all(report, workspace: nil)
    #expect(all.map { String($0.title.prefix(1)) } == ["c", "b", "a"])
    #expect(all.map(\.kind) == [.notice, .error, .warning] && all.allSatisfy { $0.place == nil })
  }
}
