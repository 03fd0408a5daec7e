import Foundation
import Shared
import Testing

@testable import Agent

@Suite("The Python that is asked for is found where people have it")
struct InterpreterTests {
  @Test("pyenv's newest fitting version is taken; one that is not there is not replaced silently")
  func pyenv() throws {
    let rig = try SideRig()
    for version in ["3.98.2", "3.98.10", "3.980.1"] {
      let path = "pyenv/versions/\(version)/bin/python3"
      try rig.write(path, "#!/bin/sh\necho \"$0 \(version)\"\n")
      try rig.run("chmod", "+x", path)
    }
    rig.environment["PYENV_ROOT"] = rig.folder + "/pyenv"
    let tools = SetupTools(environment: rig.environment, home: rig.home, limitSeconds: 60, directory: rig.folder)
    #expect(try Interpreter.find("3.98", fallbackToSystem: false, tools: tools).version == "3.98.10")
    #expect(try Interpreter.find("3.98.2", fallbackToSystem: false, tools: tools).version == "3.98.2")
    let missing = #expect(throws: SideProblem.self) {
      try Interpreter.find("3.97", fallbackToSystem: false, tools: tools)
    }
    #expect(missing?.what == "Python 3.97 can't be had at the far end" && missing?.fix.contains("--python") == true)
  }
}
