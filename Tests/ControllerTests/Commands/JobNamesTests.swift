import Foundation
import Shared
import Testing

@testable import ControllerCore

@Suite("Jobs on the command line")
struct JobNamesTests {
  private func id(_ text: String) throws -> JobID { try #require(JobID(text)) }

  @Test(
    "what can't be a job's name is refused before anybody is asked", arguments: ["", "-x", ".x", "a b", "a/b", "ä"])
  func names(text: String) throws {
    #expect(try JobArgument.job("20260131T123456Z-1x2y3z").text == "20260131T123456Z-1x2y3z")
    let error = #expect(throws: Problem.self) { try JobArgument.job(text) }
    #expect(error?.exitStatus == .usage)
  }

  @Test("an unknown job is told with the three nearest names, parts of one first")
  func unknown() throws {
    let known = try ["20260131T123456Z-abc", "20260131T123456Z-abd", "20260201T000000Z-xyz", "other"].map(id)
    let error = UnknownJob(job: try id("20260131T123456Z"), machine: "m", known: known, flags: "--machine local")
    #expect(error.nearest == known.dropLast())
    #expect(error.why?.hasPrefix("the nearest names are 20260131T123456Z-abc, ") == true)
    #expect(UnknownJob(job: known[0], machine: "m", known: [], flags: "").why == "it keeps none")
  }

  @Test("the table's state says where a waiting job stands and how one ended")
  func table() throws {
    func summary(_ state: JobSummary.State, ahead: Int? = nil, outcome: Finished.Outcome? = nil) throws -> JobSummary {
      JobSummary(
        job: try id("j"), owner: "ada\u{1b}[31m", createdAt: "2026-01-31T12:00:00Z", state: state, outcome: outcome,
        labels: ["main", "perf"], ahead: ahead, expectedStart: ahead.map { _ in "2026-01-31T14:05:00Z" }, events: 7,
        bytes: 1)
    }
    #expect(JobTable.state(try summary(.waiting, ahead: 2)) == "waiting behind 2, starts about 14:05 UTC")
    #expect(JobTable.state(try summary(.finished, outcome: .partial)) == "partial")
    #expect(JobTable.state(try summary(.lost)) == "lost its runner; attach to go on")
    let text = JobTable.text([try summary(.measuring)], at: try Date("2026-01-31T12:02:00Z", strategy: .iso8601))
    #expect(text.contains("perf vs main  2 min") && !text.contains("\u{1b}"))
    #expect(JobTable.text([], at: .now) == "no jobs")
  }
}

@Suite("What init writes")
struct InitialiseTests {
  @Test("an action is named by a commit, and by nothing that can be moved")
  func pin() throws {
    let commit = String(repeating: "0123456789", count: 4)
    #expect(try ActionPin("octo/bench@\(commit)", version: nil).version == "012345678901")
    for text in [
      "octo/bench@main", "octo/bench@v1", "octo/bench", "@\(commit)", "octo/bench/x@\(commit)", "-/x@\(commit)",
    ] {
      #expect(throws: Problem.self, "\(text)") { try ActionPin(text, version: nil) }
    }
    let files = RepositoryFiles(
      pin: try ActionPin("octo/bench@\(commit)", version: "v9"),
      project: TargetProject(package: "p", module: "p", isKnown: true)
    ).all
    #expect(
      files.count == 4
        && files.dropFirst().allSatisfy {
          $0.text.contains("octo/bench@\(commit) # v9") || $0.text.contains("octo/bench/reap@\(commit) # v9")
        })
  }
}
