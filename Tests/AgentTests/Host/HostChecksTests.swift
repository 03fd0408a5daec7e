import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("The doctor says what of the network a job will need and whether it is there", .programs)
struct HostChecksTests {
  private func checks(_ testbed: SideTestbed, repository: String) -> [String: DoctorCheck] {
    let request = DoctorRequest(
      python: PythonPlan(versions: [], fallbackToSystem: true), package: "Tidbit_x", repository: repository)
    let found = HostChecks(home: testbed.home, environment: testbed.environment).examine(request)
    return Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
  }

  @Test("an index and a repository that answer, and ones that do not")
  func reached() throws {
    let testbed = try SideTestbed()
    try testbed.run("git", "init", "--quiet", "there")
    try testbed.run("git", "commit", "--quiet", "--allow-empty", "--message", "one", in: testbed.folder + "/there")
    testbed.environment["UV_OFFLINE"] = "1"
    let there = checks(testbed, repository: "file://\(testbed.folder)/there")
    #expect(there["far.repository"]?.status == .ok)
    let index = try #require(there["far.index"])
    #expect(index.status == .warning && index.detail.contains("can't be reached") && index.fix?.isEmpty == false)
    #expect(index.detail.contains("still works"))

    let gone = try #require(checks(testbed, repository: "file://\(testbed.folder)/gone")["far.repository"])
    #expect(gone.status == .warning && gone.detail.contains("does not appear to be a git repository"))
  }
}
