import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Layer 3: real codeflash on the project, with recorded answers", .atMost(2, "codeflash"))
struct OptimizeLayerTests {
  @Test("finds what there is, is measured, profiled and looked at, and writes nothing outside of its folder", .thorough)
  func quick() throws {
    let testbed = try CodeflashTestbed()
    let side = try testbed.side()
    let before = try Self.files(in: testbed.testbed.folder)
    try testbed.optimize(try testbed.project(whole: true), on: side)
    #expect(testbed.findings == [DepotProject.quick: .found])
    #expect(testbed.events.runs.map(\.purpose) == [.rehearsal, .measured, .measured])
    for run in testbed.events.runs {
      let function = try #require(run.functions.first)
      #expect(function.measuredSpeedup ?? 0 > 1.5 && function.claimedSpeedup ?? 0 > 1.5, "\(function)")
      #expect(function.candidate != nil && function.phases.count == 5)
      let parts = function.phases.reduce(0) { $0 + $1.seconds }
      #expect(abs(parts - function.seconds) < 0.05 * function.seconds, "\(function.phases)")
      #expect(run.memory.processes > 3 && run.memory.peakPSSBytes > run.memory.largestProcessBytes / 2)
      #expect(run.memory.peakPSSBytes <= run.memory.peakRSSBytes && run.cpuSeconds > 1)
    }
    #expect(
      testbed.events.samples.map(\.metric) == ["Full optimize run", "Peak memory", "Full optimize run", "Peak memory"])
    #expect(testbed.events.samples.map(\.unit) == [.seconds, .bytes, .seconds, .bytes])
    #expect(testbed.events.timelines.count == 1 && testbed.events.timelines[0].points.count > 15)
    let stacks = try #require(testbed.events.stacks.first)
    #expect(stacks.frames.contains { $0.file.hasPrefix("codeflash/") && $0.line > 0 })
    #expect(testbed.events.troubles.isEmpty)
    // The login's HOME is the testbed's folder: nothing of codeflash's own files may be there.
    let added = try Self.files(in: testbed.testbed.folder).subtracting(before)
      .filter { !$0.hasPrefix("scratch") && !$0.hasPrefix("project") }
    #expect(added.isEmpty, "\(added)")
  }

  private static func files(in folder: String) throws -> Set<String> {
    Set(try FileManager.default.subpathsOfDirectory(atPath: folder))
  }

  @Test("one function fixed beforehand is one found less; a trap is turned down", .thorough)
  func fixedBeforehand() throws {
    let testbed = try CodeflashTestbed()
    let fixed = "depot.stock:pack"
    let others: [String: FunctionRun.Finding] = [
      DepotProject.quick: .found, "depot.pricing:discount_steps": .rejectedRightly,
    ]
    let project = try testbed.project(whole: true) { folder in
      try DepotProject.keep(
        [DepotProject.quick, fixed] + others.keys.filter { $0 != DepotProject.quick }, in: folder)
      let file = folder.appending(path: "depot/stock.py")
      let text = try String(contentsOf: file, encoding: .utf8)
      let start = try #require(text.range(of: "    rest = list(items)"))
      let end = try #require(text.range(of: "    return boxes\n"))
      let better = """
            boxes = []
            used = capacity
            for item in items:
                if item > capacity:
                    raise ValueError("an item is larger than a box")
                if used + item > capacity:
                    boxes.append([])
                    used = 0
                boxes[-1].append(item)
                used += item

        """
      try text.replacingCharacters(in: start.lowerBound..<end.lowerBound, with: better)
        .write(to: file, atomically: true, encoding: .utf8)
    }
    try testbed.optimize(project, on: try testbed.side(), form: .full)
    #expect(testbed.findings == others.merging([fixed: .missed]) { $1 })
    let runs = testbed.events.runs.filter { $0.purpose == .measured }
    #expect(runs.map { FindingCount($0.functions).found } == [1, 1])
    #expect(runs.allSatisfy { $0.form == .full && FindingCount($0.functions).opportunities == 2 })
  }

  @Test("one function is timed, and all of them are looked at once for what is found", .thorough)
  func allFunctions() throws {
    let testbed = try CodeflashTestbed()
    let trap = "depot.pricing:discount_steps"
    let project = try testbed.project(whole: true) { try DepotProject.keep([DepotProject.quick, trap], in: $0) }
    try testbed.optimize(project, on: try testbed.side(), lookFor: .always)
    let runs = testbed.events.runs
    #expect(runs.map(\.purpose) == [.rehearsal, .measured, .measured, .findings])
    #expect(runs.map { $0.functions.count } == [1, 1, 1, 2] && runs.allSatisfy { $0.listed == 2 })
    let found = Dictionary(uniqueKeysWithValues: (runs.last?.functions ?? []).map { ($0.function, $0.finding) })
    #expect(found == [DepotProject.quick: .found, trap: .rejectedRightly])
    #expect(testbed.events.samples.count { $0.metric == OptimizeLayer.metric } == 2, "it is no sample")
    let settings = testbed.events.all.compactMap {
      if case .effectiveSettings(let body) = $0.event { body } else { nil }
    }
    let looping = settings.flatMap(\.settings).filter { $0.name == .loopingTime }
    #expect(looping.map(\.value) == ["0.3 s"] && looping.first?.remark == nil)
    #expect(looping.first?.evidence == "codeflash ran pytest with --codeflash_seconds=0.3")
  }

  @Test("pytest 9.2 is said to be broken, never 'nothing found'", .thorough)
  func newPytest() throws {
    let testbed = try CodeflashTestbed()
    try testbed.optimize(try testbed.project(), on: try testbed.side(requirements: ["pytest==9.2.0"]))
    #expect(testbed.findings == [DepotProject.quick: .broken])
    #expect(testbed.events.samples.isEmpty)
    let problem = try #require(testbed.events.troubles.first?.problem)
    #expect(problem.why?.contains("_nodeid") == true && problem.fix.contains("pytest<9.2"), "\(problem)")
    #expect(problem.exitStatus == .partial)
  }

  @Test("a request that no recording answers fails the run and is shown")
  func unknownRequest() throws {
    let testbed = try CodeflashTestbed()
    let project = try testbed.project { folder in
      try DepotProject.edit(folder.appending(path: "recordings/depot.pricing.total_with_tax.json")) { content in
        content["answers"] = (content["answers"] as? [[String: Any]])?.filter {
          $0["endpoint"] as? String != "/ai/testgen"
        }
      }
    }
    try testbed.optimize(project, on: try testbed.side())
    let problem = try #require(testbed.events.troubles.first?.problem)
    #expect(problem.why?.contains("POST /ai/testgen about \(DepotProject.quick)") == true, "\(problem)")
    #expect(problem.fix.contains("cf-bench record") && testbed.events.samples.isEmpty)
  }

  @Test("a stand-in that is killed half-way is said so", .thorough)
  func killedService() throws {
    let testbed = try CodeflashTestbed()
    let side = try testbed.side()
    let project = try testbed.project()
    // A watcher kills the stand-in as soon as the first request stands in its log.
    let log = testbed.testbed.scratch + "/codeflash/requests.ndjson"
    try testbed.testbed.write(
      "watch.sh",
      """
      until [ -s "\(log)" ]; do sleep 0.02; done
      pkill -KILL -f "^[^ ]*python[^ ]* -I -S \(testbed.testbed.scratch)"
      """)
    let watcher = Process()
    watcher.executableURL = URL(filePath: "/bin/sh")
    watcher.arguments = [testbed.testbed.folder + "/watch.sh"]
    try watcher.run()
    defer { kill(watcher.processIdentifier, SIGKILL) }
    try testbed.optimize(project, on: side)
    let problem = try #require(testbed.events.troubles.first?.problem)
    #expect(problem.why == "the stand-in of its service ended in the middle of the run", "\(problem)")
    #expect(testbed.events.samples.isEmpty)
  }

  @Test("a full disk is said so", .enabled(if: geteuid() == 0, "mounting a small file system needs root"))
  func fullDisk() async throws {
    let testbed = try CodeflashTestbed()
    let (side, project) = (try testbed.side(), try testbed.project())
    try await withSmallDisk(at: testbed.testbed.scratch, options: "size=2m") { try testbed.optimize(project, on: side) }
    let problem = try #require(testbed.events.troubles.first?.problem)
    #expect(problem.why == "the disk is full where it ran" && problem.fix.contains("df -h"), "\(problem)")
    #expect(testbed.events.samples.isEmpty)
  }

  @Test(
    "where no private network is permitted the outside is refused by proxy settings",
    .enabled(if: CodeflashPorts.areFree))
  func proxies() async throws {
    let ports = try await CodeflashPorts.hold()
    defer { extendLifetime(ports) }
    let testbed = try CodeflashTestbed()
    testbed.testbed.agent = "/nonexistent"
    let side = try testbed.side()
    let context = try testbed.testbed.context([side], of: "codeflash")
    let runner = try CodeflashRunner.prepare(CodeflashRunPlan(project: try testbed.project()), in: context)
    #expect(runner.service.network == .proxies)
    let environment = runner.service.environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }
    let outcome = try ChildProcess(
      program: side.interpreter,
      arguments: ["-c", "import urllib.request as r; r.urlopen('https://example.org', timeout=5)"],
      environment: environment, directory: "/", limitSeconds: 300
    ).run()
    #expect(outcome.end == .exited(1) && outcome.errorText.contains("refused"), "\(outcome.errorText)")
  }

  @Test("bad lists of opportunities are refused with what is wrong in them")
  func badLists() throws {
    let good = #"{"schema":1,"name":"n","quick":"a:b","functions":[FUNCTION]}"#
    let function =
      #"{"function":"a:b","kind":"opportunity","slow":"","fix":"","leastSpeedup":2,"setup":"","call":"b()"}"#
    let cases: [(String, String)] = [
      ("{", "not valid JSON"), (good.replacing("FUNCTION", with: ""), "none of its functions"),
      (good.replacing("FUNCTION", with: "\(function),\(function)"), "twice"),
      (good.replacing("FUNCTION", with: function.replacing("\"leastSpeedup\":2,", with: "")), "leastSpeedup"),
      (
        good.replacing("FUNCTION", with: function.replacing("a:b", with: "../a:b")).replacing(
          "\"quick\":\"a:b\"", with: "\"quick\":\"../a:b\""), "does not read like"
      ),
      (good.replacing("FUNCTION", with: function).replacing("\"schema\":1", with: "\"schema\":9"), "version 9"),
    ]
    let testbed = try SideTestbed()
    let path = testbed.folder + "/opportunities.json"
    let missing = try #require(throws: Problem.self) { try OpportunityList.read(path) }
    #expect(missing.why?.contains("missing or can't be read") == true && missing.exitStatus == .usage, "\(missing)")
    for (text, words) in cases {
      try testbed.write("opportunities.json", text)
      let error = try #require(throws: Problem.self) { try OpportunityList.read(path) }
      #expect(error.why?.contains(words) == true && error.exitStatus == .usage, "\(error)")
    }
  }
}
