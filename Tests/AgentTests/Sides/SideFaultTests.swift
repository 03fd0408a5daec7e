import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("A side that can't be had says why, and what to do", .programs)
struct SideFaultTests {
  private func problem(
    _ testbed: SideTestbed, _ source: SideSource, requirements: [String] = []
  ) throws -> SideProblem? {
    var builder = try testbed.builder(source, requirements: requirements)
    let python = try testbed.python()
    return #expect(throws: SideProblem.self) { try builder.prepare(python: python) }
  }

  @Test("a release that does not exist")
  func release() throws {
    let problem = try problem(try SideTestbed(), .release(requirement: "codeflash==99.0"))
    guard case .releaseNotFound("codeflash==99.0", let words)? = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
    #expect(words.contains("no version of codeflash==99.0") && problem?.exitStatus == .usage)
  }

  @Test(
    "what is no requirement never reaches uv", arguments: ["--index-url=http://x", "-e .", "", "a\n-r /etc/passwd"])
  func notARequirement(text: String) throws {
    #expect(try problem(try SideTestbed(), .release(requirement: text)) == .invalidRequirement(text))
  }

  @Test("a package whose build fails, with the build's own last words")
  func build() throws {
    let testbed = try SideTestbed()
    try SmallPackage(backendPrelude: "raise RuntimeError('the flux is missing')\n").write(to: "one", in: testbed)
    let problem = try problem(testbed, .tree(upload: try testbed.uploadTree("one")))
    guard case .notInstalled("the head", let words)? = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
    #expect(words.contains("the flux is missing") && problem?.exitStatus == .partial)
  }

  @Test("dependencies that contradict each other")
  func contradiction() throws {
    let testbed = try SideTestbed()
    try SmallPackage(dependencies: ["six<1.16"]).write(to: "one", in: testbed)
    let problem = try problem(testbed, .tree(upload: try testbed.uploadTree("one")), requirements: ["six>=1.16"])
    guard case .dependenciesNotResolved("the head", let words)? = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
    #expect(words.contains("six"))
  }

  @Test("no network, and nothing prepared before")
  func offline() throws {
    let testbed = try SideTestbed()
    testbed.environment["UV_OFFLINE"] = "1"
    testbed.environment["UV_CACHE_DIR"] = testbed.folder + "/empty-cache"
    let problem = try problem(testbed, .release(requirement: "codeflash==0.20.5"))
    guard case .noNetwork? = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
    #expect(problem?.exitStatus == .infrastructure)
  }

  @Test("a folder that is no package, an upload that is not there, an archive that reaches outside")
  func folders() throws {
    let testbed = try SideTestbed()
    try testbed.write("empty/readme", "nothing")
    #expect(try problem(testbed, .tree(upload: try testbed.uploadTree("empty"))) == .notAPackage(label: "the head"))

    let gone = try #require(UploadID(sha256: String(repeating: "0", count: 64)))
    #expect(try problem(testbed, .tree(upload: gone)) == .uploadMissing(gone))

    try testbed.run("tar", "-czPf", "bad.tar.gz", "--transform=s,^,../../,", "empty/readme")
    let bad = try testbed.upload(testbed.folder + "/bad.tar.gz")
    guard case .uploadDamaged(bad, _)? = try problem(testbed, .tree(upload: bad)) else {
      Issue.record("an archive that reaches outside was taken")
      return
    }
    #expect(!FileManager.default.fileExists(atPath: testbed.home.path + "/empty"))
  }

  @Test("uv missing: how to install it")
  func uvMissing() throws {
    let testbed = try SideTestbed()
    let python = try testbed.python()
    try SmallPackage().write(to: "one", in: testbed)
    let upload = try testbed.uploadTree("one")
    testbed.environment["PATH"] = try testbed.pathWithout("uv")
    var builder = try testbed.builder(.tree(upload: upload))
    let problem = #expect(throws: SideProblem.self) { try builder.prepare(python: python) }
    #expect(problem?.what == "uv is missing on the benchmark host" && problem?.fix.contains("install") == true)
  }

  @Test("an interpreter path where nothing runs")
  func interpreterPath() throws {
    let testbed = try SideTestbed()
    var builder = try testbed.builder(.release(requirement: "six==1.15.0"))
    let problem = #expect(throws: SideProblem.self) { try builder.prepare(python: "/nowhere/python") }
    #expect(problem?.what.contains("/nowhere/python") == true)
  }
}

extension SideTestbed {
  /// A `PATH` that holds everything of today's but one program.
  func pathWithout(_ name: String) throws -> String {
    let shadow = folder + "/bin-without-\(name)"
    try FileManager.default.createDirectory(atPath: shadow, withIntermediateDirectories: true)
    for entry in (environment["PATH"] ?? "").split(separator: ":").map(String.init) {
      // A folder of the PATH that is not there holds no program either.
      let programs = (try? FileManager.default.contentsOfDirectory(atPath: entry)) ?? []
      for program in programs where program != name {
        let link = "\(shadow)/\(program)"
        guard !FileManager.default.fileExists(atPath: link) else { continue }
        // Dangling links of the machine's own are met twice; the first stands.
        try? FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "\(entry)/\(program)")
      }
    }
    return shadow
  }
}
