import Azure
import Shared
import Testing

@testable import ControllerCore

@Suite("What doctor says")
struct DoctorReportTests {
  private let checks = [
    DoctorCheck(id: "here.git", status: .ok, detail: "git 2"),
    DoctorCheck(id: "far.clock", status: .warning, detail: "one\ntwo", fix: "do this\nthen that"),
    DoctorCheck(id: "far.x", status: .skipped, detail: "not checked: needs y"),
  ]

  @Test("a line a check, the fix below it, and a verdict that counts")
  func words() {
    let report = DoctorReport(machine: "local", checks: checks)
    #expect(
      report.words(colour: false) == """
        ok      here.git   git 2
        warn    far.clock  one
                           two
                           fix: do this
                                then that
        skip    far.x      not checked: needs y

        ready to measure on local, with 1 warning; 1 could not be checked
        """)
    #expect(report.status == .done && report.words(colour: true).contains("\u{1b}[33mwarn"))
  }

  @Test("one failed check is a failure, and for Azure the way without it is named")
  func failed() {
    let failed = DoctorCheck(
      id: "here.az", failure: Problem(what: "no az", why: "not found", fix: "install", exitStatus: .usage))
    let report = DoctorReport(machine: "azure", checks: checks + [failed])
    #expect(report.status == .infrastructure)
    #expect(
      report.words(colour: false).hasSuffix(
        "1 of 4 checks failed; 1 could not be checked: fix them before measuring on azure (without Azure: --machine local)"
      ))
  }
}
