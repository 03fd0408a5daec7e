import Foundation
import Shared
import Testing

@testable import AgentCore

@Suite("Layer 4: peaks, and the lines that hold memory", .serialized)
struct MemoryLayerTests {
  @Test("5 MB that a copy of codeflash keeps are named at their file and line by both tools")
  func leak() throws {
    let testbed = try CodeflashTestbed()
    let line = "_KEPT.append([str(index) * 3 for index in range(70000)])"
    try writeCopy(of: try testbed.side(), to: "copy", keeping: line, in: testbed.testbed)
    let side = try testbed.side(.tree(upload: try testbed.testbed.uploadTree("copy")))
    let plan = MemoryPlan(
      run: CodeflashRunPlan(project: try testbed.project(), loopingSeconds: 0.5),
      commands: [StartupCommand(name: "codeflash --version", arguments: ["codeflash", "--version"], isControl: false)],
      blocks: 1, measuresRun: false, top: 50)
    try testbed.testbed.run(MemoryLayer(plan: plan), in: try testbed.testbed.context([side], of: "codeflash"))
    #expect(
      testbed.events.troubles.isEmpty && testbed.events.skipped.isEmpty,
      "\(testbed.events.troubles) \(testbed.events.skipped)")
    #expect(testbed.events.memoryProfiles.map(\.tool) == [.memray, .tracemalloc])
    for profile in testbed.events.memoryProfiles {
      let found = try #require(profile.lines.first { $0.text == line }, "\(profile.tool)")
      #expect(found.file == "codeflash/main.py" && (4_500_000...6_500_000).contains(found.bytes), "\(found)")
      #expect(profile.totalBytes <= profile.peakBytes + 1 << 20 && profile.seconds > 1)
      #expect(profile.modules.contains { $0.name == "codeflash" })
    }
    #expect(testbed.events.stacks.first?.unit == .bytes)
    #expect(testbed.events.samples.map(\.metric) == Array(repeating: "Peak memory: codeflash --version", count: 2))
    #expect(testbed.events.samples.allSatisfy { $0.unit == .bytes && (5e6...3e7).contains($0.value) })
  }

  /// The installed package as a source tree, with a line that keeps memory for good.
  private func writeCopy(
    of side: SideEnvironment, to name: String, keeping line: String, in testbed: SideTestbed
  ) throws {
    let libraries = try FileManager.default.contentsOfDirectory(atPath: side.path + "/lib")
    let packages = "\(side.path)/lib/\(try #require(libraries.first))/site-packages"
    try FileManager.default.createDirectory(atPath: "\(testbed.folder)/\(name)", withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: packages + "/codeflash", toPath: "\(testbed.folder)/\(name)/codeflash")
    let metadata = try String(contentsOfFile: packages + "/codeflash-0.20.6.dist-info/METADATA", encoding: .utf8)
    let needs = metadata.split(separator: "\n").filter { $0.hasPrefix("Requires-Dist: ") && !$0.contains("extra ==") }
      .map { "'\($0.dropFirst("Requires-Dist: ".count).replacing("'", with: "\""))'" }
    try testbed.write(
      "\(name)/pyproject.toml",
      """
      [build-system]
      requires = ["setuptools"]
      build-backend = "setuptools.build_meta"
      [project]
      name = "codeflash"
      version = "0.20.6"
      dependencies = [\(needs.joined(separator: ", "))]
      [project.scripts]
      codeflash = "codeflash.main:main"
      [tool.setuptools.packages.find]
      include = ["codeflash*"]
      """)
    let file = "\(testbed.folder)/\(name)/codeflash/main.py"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    let main = try #require(text.range(of: "def main("))
    let planted = "_KEPT = []\n\n\ndef _keep():\n    \(line)\n\n\n_keep()\n\n\n"
    try text.replacingCharacters(in: main.lowerBound..<main.lowerBound, with: planted)
      .write(toFile: file, atomically: true, encoding: .utf8)
  }
}
