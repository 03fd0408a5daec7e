import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("The profilers are the benchmark host's own where it has the right ones", .programs)
struct ProfilerToolsTests {
  /// What the host's programs say of themselves.
  private func prepare(pySpy: String = "py-spy 0.4.3", memray: String = "1.20.0", python: String? = nil) throws
    -> ProfilerTools
  {
    let testbed = try SideTestbed()
    let bin = testbed.folder + "/host"
    try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
    let own = try testbed.run("python3", "-c", "import sys; print(*sys.version_info[:2], sys.implementation.cache_tag)")
    try placeProgram("#!/bin/sh\necho '\(pySpy)'\n", at: bin + "/py-spy")
    try placeProgram("#!/bin/sh\n", at: bin + "/memray")
    try placeProgram("#!/bin/sh\nprintf '%s\\n' '\(python ?? own)' '\(memray) /host packages'\n", at: bin + "/python")
    testbed.environment["PATH"] = "\(bin):\(testbed.environment["PATH"] ?? "")"
    // Where the host's are not taken, PyPI is asked, and this is none.
    testbed.environment["UV_OFFLINE"] = "1"
    testbed.environment["UV_CACHE_DIR"] = testbed.folder + "/empty"
    let side = SideEnvironment(arm: .head, label: "the head", path: testbed.folder + "/side")
    try FileManager.default.createDirectory(atPath: side.bin, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: side.interpreter, withDestinationPath: try testbed.python())
    try FileManager.default.createDirectory(atPath: testbed.home.environments, withIntermediateDirectories: true)
    return try ProfilerTools.prepare(for: side, in: try testbed.context([side]))
  }

  @Test("of the same versions and for the same Python they are taken as they are")
  func taken() throws {
    let tools = try prepare()
    #expect(tools.pySpy.hasSuffix("/host/py-spy") && tools.interpreter.hasSuffix("/host/python"))
    #expect(tools.packages == "/host packages")
  }

  @Test("others are left alone, and PyPI is asked", arguments: ["pySpy", "memray", "python"])
  func left(_ what: String) throws {
    let problem = #expect(throws: SideProblem.self) {
      switch what {
      case "pySpy": _ = try prepare(pySpy: "py-spy 0.4.2")
      case "memray": _ = try prepare(memray: "1.19.0")
      default: _ = try prepare(python: "3 2 cpython-32")
      }
    }
    guard case .noNetwork? = problem else {
      guard case .stepFailed(doing: "installing the profilers", _)? = problem else {
        Issue.record("\(String(describing: problem))")
        return
      }
      return
    }
  }
}
