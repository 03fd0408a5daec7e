import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

extension OptimizeLayerTests {
  @Suite("With answers of a live service", .enabled(if: CodeflashPorts.areFree))
  struct Live {
    private static let recording =
      SideTestbed.packageRoot + "/fixtures/depot/recordings/depot.pricing.total_with_tax.json"

    @Test("what the service says is recorded, can be replayed, and holds no key", .thorough)
    func record() async throws {
      let ports = try await CodeflashPorts.hold()
      defer { extendLifetime(ports) }
      let testbed = try CodeflashTestbed()
      let key = "cf-secret-\(UUID().uuidString)"
      let service = try SecondStandIn(in: testbed.testbed.folder, recording: Self.recording, key: key)
      testbed.testbed.secrets = ["CODEFLASH_API_KEY": key]
      let side = try testbed.side()
      try testbed.optimize(
        try testbed.project(), on: side, answers: .live, address: "http://127.0.0.1:\(service.port)",
        keepsRecordings: true)
      #expect(testbed.findings == [DepotProject.quick: .found], "\(testbed.events.troubles)")
      #expect(testbed.events.runs.first?.network == "open")
      let made = try #require(testbed.events.recordings.first)
      #expect(made.function == DepotProject.quick && !made.content.contains(key))
      try expectNoKey(key, below: testbed.testbed.scratch)

      let second = try CodeflashTestbed()
      let project = try second.project { folder in
        try Data(made.content.utf8).write(to: folder.appending(path: "recordings/depot.pricing.total_with_tax.json"))
      }
      let context = try second.testbed.context([side], of: "codeflash")
      let runner = try CodeflashRunner.prepare(
        CodeflashRunPlan(project: project, loopingSeconds: 0.3), in: context)
      let judge = FindingJudge(runner: runner, remeasurement: try Remeasurement(runner))
      let opportunity = try #require(runner.project.list.functions.first { $0.function == DepotProject.quick })
      let replayed = try judge.judge(try runner.run(opportunity, on: side, block: 0), on: side).run
      #expect(replayed.finding == .found, "\(replayed)")
    }

    /// The scratch still has HOME and TMPDIR of the last run: codeflash writes the key that it has into `.bashrc`.
    private func expectNoKey(_ key: String, below folder: String) throws {
      for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
        guard let content = FileManager.default.contents(atPath: "\(folder)/\(path)") else { continue }
        #expect(content.range(of: Data(key.utf8)) == nil, "\(path)")
      }
    }

    @Test("a wrong key is said so", .thorough)
    func wrongKey() async throws {
      let ports = try await CodeflashPorts.hold()
      defer { extendLifetime(ports) }
      let testbed = try CodeflashTestbed()
      let service = try SecondStandIn(in: testbed.testbed.folder, recording: Self.recording, key: "cf-right")
      testbed.testbed.secrets = ["CODEFLASH_API_KEY": "cf-wrong"]
      try testbed.optimize(
        try testbed.project(), on: try testbed.side(), answers: .live, address: "http://127.0.0.1:\(service.port)")
      let problem = try #require(testbed.events.troubles.first?.problem)
      #expect(problem.why == "the service refused the key" && problem.fix.contains("CODEFLASH_API_KEY"), "\(problem)")
    }

    @Test("no key, and a service that is not there", .thorough)
    func noService() async throws {
      let ports = try await CodeflashPorts.hold()
      defer { extendLifetime(ports) }
      let testbed = try CodeflashTestbed()
      let (side, project) = (try testbed.side(), try testbed.project())
      let missing = try #require(throws: Problem.self) { try testbed.optimize(project, on: side, answers: .live) }
      #expect(missing.what.contains("no key") && missing.exitStatus == .usage)
      testbed.testbed.secrets = ["CODEFLASH_API_KEY": "cf-x"]
      try testbed.optimize(project, on: side, answers: .live, address: "http://127.0.0.1:1")
      let problem = try #require(testbed.events.troubles.first?.problem)
      #expect(problem.why?.contains("can't be reached") == true, "\(problem)")
    }
  }
}
