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

  let testbed: SideTestbed

  static var hostHome: String { SideTestbed.packageRoot + "/.build/tests-far" }

  init() throws { testbed = try SideTestbed(hostHome: Self.hostHome) }

  var events: CollectedEvents { testbed.events }

  func side(
    _ source: SideSource = .release(requirement: CodeflashTestbed.release), requirements: [String] = ["pytest<9.2"]
  ) throws -> SideEnvironment {
    var builder = try testbed.builder(source, requirements: requirements)
    return try #require(try builder.prepare(python: InstalledPython.path).sides.first)
  }

  /// The built-in project or one module of it, changed before it is sent.
  func project(whole: Bool = false, _ change: (URL) throws -> Void = { _ in }) throws -> UploadID {
    let folder = URL(filePath: testbed.folder).appending(path: "project")
    try DepotProject.write(to: folder, whole: whole)
    try change(folder)
    return try testbed.uploadTree("project")
  }

  func optimize(
    _ project: UploadID, on side: SideEnvironment, form: OptimizeForm = .quick,
    answers: CodeflashRunPlan.Answers = .replay,
    address: String = "http://127.0.0.1:1", keepsRecordings: Bool = false, lookFor rule: FindingsRule = .never
  ) throws {
    let run = CodeflashRunPlan(project: project, answers: answers, liveAddress: address, loopingSeconds: 0.3)
    let plan = OptimizePlan(
      run: run, form: form, budgetSeconds: 0, blocks: 1, keepsRecordings: keepsRecordings, findings: rule)
    try testbed.run(OptimizeLayer(plan: plan), in: try testbed.context([side], of: "codeflash"))
  }

  var findings: [String: FunctionRun.Finding] {
    let runs = events.runs.filter { $0.purpose == .measured }
    return Dictionary(
      (runs.isEmpty ? events.runs : runs).flatMap(\.functions).map { ($0.function, $0.finding) }
    ) { first, _ in first }
  }
}
