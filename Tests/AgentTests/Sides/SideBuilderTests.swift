import Foundation
import Shared
import Testing

@testable import Agent

@Suite("Sides are prepared once, alike, and kept")
struct SideBuilderTests {
  @Test("two folders get environments of equal path length; the second time they are there")
  func folders() throws {
    let rig = try SideRig()
    try SmallPackage(version: "1.0").write(to: "one", in: rig)
    try SmallPackage(version: "2.0").write(to: "two", in: rig)
    let (one, two) = (try rig.uploadTree("one"), try rig.uploadTree("two"))
    var builder = try rig.builder(.tree(upload: one), .tree(upload: two))
    let sides = try builder.prepare(python: try rig.python()).sides
    #expect(sides.map(\.side) == [.base, .head])
    #expect(sides[0].path.utf8.count == sides[1].path.utf8.count && sides[0].path != sides[1].path)
    #expect(rig.events.ready.map(\.distributions) == [["tidbit==1.0"], ["tidbit==2.0"]])
    #expect(rig.events.ready.map(\.identity) == ["tree:\(one)", "tree:\(two)"])
    #expect(try rig.run(sides[1].bin + "/tidbit") == "tidbit")

    var again = try rig.builder(.tree(upload: one), .tree(upload: two))
    #expect(try again.prepare(python: try rig.python()).sides == sides)
    #expect(rig.events.ready.map(\.reused) == [false, false, true, true])
  }

  @Test("the same folder on both sides is one environment and one identity")
  func identical() throws {
    let rig = try SideRig()
    let sides = try rig.sides(SmallPackage(), SmallPackage())
    try SmallPackage().write(to: "one", in: rig)
    let upload = try rig.uploadTree("one")
    var builder = try rig.builder(.tree(upload: upload), .tree(upload: upload))
    let same = try builder.prepare(python: try rig.python()).sides
    #expect(same[0].path == same[1].path)
    #expect(Set(rig.events.ready.suffix(2).map(\.identity)) == ["tree:\(upload)"])
    #expect(sides.count == 2)
  }

  @Test("an environment whose building was killed is built again")
  func killedBuild() throws {
    let rig = try SideRig()
    let path = try rig.sides(SmallPackage())[0].path
    try FileManager.default.removeItem(atPath: path + "/cf-bench-complete.json")
    try FileManager.default.removeItem(atPath: path + "/bin/tidbit")
    var again = try rig.builder(.tree(upload: try rig.uploadTree("package0")))
    #expect(try again.prepare(python: try rig.python()).sides[0].path == path)
    #expect(try rig.run(path + "/bin/tidbit") == "tidbit")
  }

  @Test("the head keeps the base's dependency versions where it may")
  func sameDependencies() throws {
    let rig = try SideRig()
    _ = try rig.sides(SmallPackage(dependencies: ["six<1.16"]), SmallPackage(version: "2.0", dependencies: ["six"]))
    let ready = rig.events.ready
    #expect(ready[0].distributions == ["six==1.15.0", "tidbit==1.0"])
    #expect(ready[1].distributions == ["six==1.15.0", "tidbit==2.0"])
  }

  @Test("further requirements are installed on both sides")
  func requirements() throws {
    let rig = try SideRig()
    try SmallPackage().write(to: "one", in: rig)
    var builder = try rig.builder(.tree(upload: try rig.uploadTree("one")), requirements: ["six < 1.16"])
    _ = try builder.prepare(python: try rig.python())
    #expect(rig.events.ready[0].distributions == ["six==1.15.0", "tidbit==1.0"])
  }

  @Test("a folder without git history builds though its version comes from git")
  func versionFromGit() throws {
    let rig = try SideRig()
    try rig.write(
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
    try rig.write("one/tidbit.py", "")
    var builder = try rig.builder(.tree(upload: try rig.uploadTree("one")))
    _ = try builder.prepare(python: try rig.python())
    #expect(rig.events.ready[0].distributions == ["tidbit==0.0.0"])
  }

  @Test("real releases: both are there, each with its own version, on the same dependencies")
  func releases() throws {
    // Kept in the build folder, where the tests of codeflash find the same ones.
    let rig = try SideRig(farHome: CodeflashRig.farHome)
    var builder = try rig.builder(
      .release(requirement: "CodeFlash == 0.20.5"), .release(requirement: "codeflash==0.20.6"),
      requirements: ["pytest<9.2"])
    let sides = try builder.prepare(python: try rig.python()).sides
    let ready = rig.events.ready
    #expect(ready.map(\.identity) == ["codeflash==0.20.5", "codeflash==0.20.6"])
    let others = ready.map { $0.distributions.filter { !$0.hasPrefix("codeflash==") } }
    // The head asks for more, and for nothing newer than what the base has.
    #expect(Set(others[0]).isSubset(of: others[1]) && others[0].count > 30)
    #expect(try rig.run(sides[0].bin + "/codeflash", "--version").contains("0.20.5"))
    // The whole network gone, the second time needs none.
    rig.environment["UV_OFFLINE"] = "1"
    var offline = try rig.builder(
      .release(requirement: "codeflash==0.20.5"), .release(requirement: "codeflash==0.20.6"),
      requirements: ["pytest<9.2"])
    #expect(try offline.prepare(python: try rig.python()).sides == sides)
    #expect(rig.events.ready.suffix(2).map(\.reused) == [true, true])
  }

  @Test("a version that is installed is found by its number, and nothing stands in for it")
  func installedVersion() throws {
    let rig = try SideRig()
    let version = try rig.run("/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    try SmallPackage().write(to: "one", in: rig)
    var builder = try rig.builder(.tree(upload: try rig.uploadTree("one")), fallbackToSystem: true)
    _ = try builder.prepare(python: version)
    let ready = try #require(rig.events.ready.first)
    #expect(ready.python == version && ready.interpreterVersion.hasPrefix(version + "."))
    #expect(ready.interpreterNote == nil)
  }

  @Test("a Python that can't be had is stood in for, and that is said; without leave to do so it is an error")
  func standIn() throws {
    let rig = try SideRig()
    try SmallPackage().write(to: "one", in: rig)
    let upload = try rig.uploadTree("one")
    var lenient = try rig.builder(.tree(upload: upload), fallbackToSystem: true)
    _ = try lenient.prepare(python: "3.99")
    let ready = try #require(rig.events.ready.first)
    #expect(ready.python == "3.99" && ready.interpreterVersion.hasPrefix("3."))
    let note = try #require(ready.interpreterNote)
    #expect(note.contains("Python 3.99 can't be had") && note.contains("stands in"))
    var strict = try rig.builder(.tree(upload: upload))
    let problem = #expect(throws: SideProblem.self) { try strict.prepare(python: "3.99") }
    #expect(problem?.fix.contains("uv python install 3.99") == true && problem?.exitStatus == .infrastructure)
  }
}
