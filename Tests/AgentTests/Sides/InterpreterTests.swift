import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("The Python that is asked for is found where people have it", .programs)
struct InterpreterTests {
  @Test("pyenv's newest fitting version is taken; one that is not there is not replaced silently")
  func pyenv() throws {
    let testbed = try SideTestbed()
    for version in ["3.98.2", "3.98.10", "3.980.1"] {
      let folder = "\(testbed.folder)/pyenv/versions/\(version)/bin"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try placeProgram("#!/bin/sh\necho \"$0 \(version)\"\n", at: folder + "/python3")
    }
    testbed.environment["PYENV_ROOT"] = testbed.folder + "/pyenv"
    let tools = SetupTools(
      environment: testbed.environment, home: testbed.home, limitSeconds: 300, directory: testbed.folder)
    #expect(try Interpreter.find("3.98", fallbackToSystem: false, tools: tools).version == "3.98.10")
    #expect(try Interpreter.find("3.98.2", fallbackToSystem: false, tools: tools).version == "3.98.2")
    let missing = #expect(throws: SideProblem.self) {
      try Interpreter.find("3.97", fallbackToSystem: false, tools: tools)
    }
    #expect(
      missing?.what == "Python 3.97 can't be had on the benchmark host" && missing?.fix.contains("--python") == true)
  }
}
