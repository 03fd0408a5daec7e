import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Sides are prepared once, alike, and kept", .programs)
struct SideBuilderTests {
  @Test("two folders get environments of equal path length; the second time they are there")
  func folders() throws {
    let testbed = try SideTestbed()
    try SmallPackage(version: "1.0").write(to: "one", in: testbed)
    try SmallPackage(version: "2.0").write(to: "two", in: testbed)
    let (one, two) = (try testbed.uploadTree("one"), try testbed.uploadTree("two"))
    var builder = try testbed.builder(.tree(upload: one), .tree(upload: two))
    let sides = try builder.prepare(python: try testbed.python()).sides
    #expect(sides.map(\.side) == [.base, .head])
    #expect(sides[0].path.utf8.count == sides[1].path.utf8.count && sides[0].path != sides[1].path)
    #expect(testbed.events.ready.map(\.distributions) == [["tidbit==1.0"], ["tidbit==2.0"]])
    #expect(testbed.events.ready.map(\.identity) == ["tree:\(one)", "tree:\(two)"])
    #expect(try testbed.run(sides[1].bin + "/tidbit") == "tidbit")

    var again = try testbed.builder(.tree(upload: one), .tree(upload: two))
    #expect(try again.prepare(python: try testbed.python()).sides == sides)
    #expect(testbed.events.ready.map(\.reused) == [false, false, true, true])
  }

  @Test("the same folder on both sides is one environment and one identity")
  func identical() throws {
    let testbed = try SideTestbed()
    let sides = try testbed.sides(SmallPackage(), SmallPackage())
    try SmallPackage().write(to: "one", in: testbed)
    let upload = try testbed.uploadTree("one")
    var builder = try testbed.builder(.tree(upload: upload), .tree(upload: upload))
    let same = try builder.prepare(python: try testbed.python()).sides
    #expect(same[0].path == same[1].path)
    #expect(Set(testbed.events.ready.suffix(2).map(\.identity)) == ["tree:\(upload)"])
    #expect(sides.count == 2)
  }

  @Test("an environment whose building was killed is built again")
  func killedBuild() throws {
    let testbed = try SideTestbed()
    let path = try testbed.sides(SmallPackage())[0].path
    try FileManager.default.removeItem(atPath: path + "/cf-bench-complete.json")
    try FileManager.default.removeItem(atPath: path + "/bin/tidbit")
    var again = try testbed.builder(.tree(upload: try testbed.uploadTree("package0")))
    #expect(try again.prepare(python: try testbed.python()).sides[0].path == path)
    #expect(try testbed.run(path + "/bin/tidbit") == "tidbit")
  }

  @Test("the head keeps the base's dependency versions where it may")
  func sameDependencies() throws {
    let testbed = try SideTestbed()
    _ = try testbed.sides(SmallPackage(dependencies: ["six<1.16"]), SmallPackage(version: "2.0", dependencies: ["six"]))
    let ready = testbed.events.ready
    #expect(ready[0].distributions == ["six==1.15.0", "tidbit==1.0"])
    #expect(ready[1].distributions == ["six==1.15.0", "tidbit==2.0"])
  }

  @Test("further requirements are installed on both sides")
  func requirements() throws {
    let testbed = try SideTestbed()
    try SmallPackage().write(to: "one", in: testbed)
    var builder = try testbed.builder(.tree(upload: try testbed.uploadTree("one")), requirements: ["six < 1.16"])
    _ = try builder.prepare(python: try testbed.python())
    #expect(testbed.events.ready[0].distributions == ["six==1.15.0", "tidbit==1.0"])
  }

  @Test("a folder without git history builds though its version comes from git")
  func versionFromGit() throws {
    let testbed = try SideTestbed()
    try testbed.write(
      "one/pyproject.toml",
      """
      [project]
      name = "tidbit"
      dynamic = ["version"]
      [build-system]
      requires = ["setuptools>=68", "setuptools-scm>=8"]
      build-backend = "setuptools.build_meta"
      [tool.setuptools_scm]
      [tool.setuptools]
      py-modules = ["tidbit"]
      """)
    try testbed.write("one/tidbit.py", "")
    var builder = try testbed.builder(.tree(upload: try testbed.uploadTree("one")))
    _ = try builder.prepare(python: try testbed.python())
    #expect(testbed.events.ready[0].distributions == ["tidbit==0.0.0"])
  }

  @Test("real releases: both are there, each with its own version, on the same dependencies")
  func releases() throws {
    // Kept in the build folder, where the tests of codeflash find the same ones.
    let testbed = try SideTestbed(hostHome: CodeflashTestbed.hostHome)
    var builder = try testbed.builder(
      .release(requirement: "CodeFlash == 0.20.5"), .release(requirement: "codeflash==0.20.6"),
      requirements: ["pytest<9.2"])
    let sides = try builder.prepare(python: try testbed.python()).sides
    let ready = testbed.events.ready
    #expect(ready.map(\.identity) == ["codeflash==0.20.5", "codeflash==0.20.6"])
    let others = ready.map { $0.distributions.filter { !$0.hasPrefix("codeflash==") } }
    // The head asks for more, and for nothing newer than what the base has.
    #expect(Set(others[0]).isSubset(of: others[1]) && others[0].count > 30)
    #expect(try testbed.run(sides[0].bin + "/codeflash", "--version").contains("0.20.5"))
    // The whole network gone, the second time needs none.
    testbed.environment["UV_OFFLINE"] = "1"
    var offline = try testbed.builder(
      .release(requirement: "codeflash==0.20.5"), .release(requirement: "codeflash==0.20.6"),
      requirements: ["pytest<9.2"])
    #expect(try offline.prepare(python: try testbed.python()).sides == sides)
    #expect(testbed.events.ready.suffix(2).map(\.reused) == [true, true])
  }

  @Test("a version that is installed is found by its number, and nothing stands in for it")
  func installedVersion() throws {
    let testbed = try SideTestbed()
    let version = try testbed.run("/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    try SmallPackage().write(to: "one", in: testbed)
    var builder = try testbed.builder(.tree(upload: try testbed.uploadTree("one")), fallbackToSystem: true)
    _ = try builder.prepare(python: version)
    let ready = try #require(testbed.events.ready.first)
    #expect(ready.python == version && ready.interpreterVersion.hasPrefix(version + "."))
    #expect(ready.interpreterNote == nil)
  }

  @Test("a Python that can't be had is stood in for, and that is said; without leave to do so it is an error")
  func standIn() throws {
    let testbed = try SideTestbed()
    try SmallPackage().write(to: "one", in: testbed)
    let upload = try testbed.uploadTree("one")
    var lenient = try testbed.builder(.tree(upload: upload), fallbackToSystem: true)
    _ = try lenient.prepare(python: "3.99")
    let ready = try #require(testbed.events.ready.first)
    #expect(ready.python == "3.99" && ready.interpreterVersion.hasPrefix("3."))
    let note = try #require(ready.interpreterNote)
    #expect(note.contains("Python 3.99 can't be had") && note.contains("stands in"))
    var strict = try testbed.builder(.tree(upload: upload))
    let problem = #expect(throws: SideProblem.self) { try strict.prepare(python: "3.99") }
    #expect(problem?.fix.contains("uv python install 3.99") == true && problem?.exitStatus == .infrastructure)
  }
}
