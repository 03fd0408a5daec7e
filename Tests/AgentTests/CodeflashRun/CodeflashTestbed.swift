import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

/// A benchmark host with real codeflash, and projects for it made from the one in `fixtures`.
///
/// Its environments are kept in the build folder: making one takes longer than a test may.
final class CodeflashTestbed {
  static let release = "codeflash==0.20.6"
  static let quick = "depot.pricing:total_with_tax"

  let testbed: SideTestbed
  private static var fixture: URL { URL(filePath: SideTestbed.packageRoot).appending(path: "fixtures/depot") }

  static var hostHome: String { SideTestbed.packageRoot + "/.build/tests-far" }

  init() throws { testbed = try SideTestbed(hostHome: Self.hostHome) }

  var events: CollectedEvents { testbed.events }

  func side(
    _ source: SideSource = .release(requirement: CodeflashTestbed.release), requirements: [String] = ["pytest<9.2"]
  ) throws -> SideEnvironment {
    var builder = try testbed.builder(source, requirements: requirements)
    return try #require(try builder.prepare(python: InstalledPython.path).sides.first)
  }

  /// The built-in project or the small part of it, changed before it is sent.
  func project(whole: Bool = false, _ change: (URL) throws -> Void = { _ in }) throws -> UploadID {
    let folder = URL(filePath: testbed.folder).appending(path: "project")
    if whole {
      try FileManager.default.copyItem(at: Self.fixture, to: folder)
      for name in ["__pycache__", ".pytest_cache"] {
        let path = folder.appending(path: name)
        if FileManager.default.fileExists(atPath: path.path) { try FileManager.default.removeItem(at: path) }
      }
    } else {
      try SmallDepot.write(to: folder)
    }
    try change(folder)
    return try testbed.uploadTree("project")
  }

  /// Leaves only these functions in a project's list.
  static func keep(_ functions: [String], in project: URL) throws {
    try edit(project.appending(path: "opportunities.json")) { list in
      let all = list["functions"] as? [[String: Any]] ?? []
      list["functions"] = functions.compactMap { name in all.first { $0["function"] as? String == name } }
      list["quick"] = functions.first
    }
  }

  static func edit(_ file: URL, _ change: (inout [String: Any]) -> Void) throws {
    let content = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
    var object = try #require(content as? [String: Any])
    change(&object)
    try JSONSerialization.data(withJSONObject: object).write(to: file)
  }

  func optimize(
    _ project: UploadID, on side: SideEnvironment, form: OptimizeForm = .quick,
    answers: CodeflashRunPlan.Answers = .replay,
    address: String = "http://127.0.0.1:1", keepsRecordings: Bool = false
  ) throws {
    let run = CodeflashRunPlan(project: project, answers: answers, liveAddress: address, loopingSeconds: 0.3)
    let plan = OptimizePlan(
      run: run, form: form, budgetSeconds: 0, blocks: 1, keepsRecordings: keepsRecordings)
    try testbed.run(OptimizeLayer(plan: plan), in: try testbed.context([side], of: "codeflash"))
  }

  var findings: [String: FunctionRun.Finding] {
    let runs = events.runs.filter { $0.purpose == .measured }
    return Dictionary(
      (runs.isEmpty ? events.runs : runs).flatMap(\.functions).map { ($0.function, $0.finding) }
    ) { first, _ in first }
  }
}
