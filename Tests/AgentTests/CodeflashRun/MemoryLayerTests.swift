import Foundation
import Shared
import TestSupport
import Testing

@testable import AgentCore

@Suite("Layer 4: peaks, and the lines that hold memory", .atMost(2, "codeflash"))
struct MemoryLayerTests {
  private static let line = "_KEPT.append([str(index) * 3 for index in range(70000)])"

  private func expectLine(_ profile: MemoryProfile) throws {
    let found = try #require(profile.lines.first { $0.text == Self.line }, "\(profile.tool)")
    #expect(found.file == "codeflash/main.py" && (4_500_000...6_500_000).contains(found.bytes), "\(found)")
    #expect(profile.totalBytes <= profile.peakBytes + 1 << 20 && profile.seconds > 0)
    #expect(profile.modules.contains { $0.name == "codeflash" })
  }

  @Test("5 MB that a copy of codeflash keeps from its start on are named at their file and line by both tools")
  func start() throws {
    let testbed = try CodeflashTestbed()
    let side = try copy(of: try testbed.side(), in: testbed.testbed)
    let context = try testbed.testbed.context([side], of: "codeflash")
    let worker = try MemoryTools(folder: context.scratch, top: 50)
    let tools = try ProfilerTools.prepare(for: side, in: context)
    for tool in MemoryProfile.Tool.allCases {
      let words = worker.wrap([side.interpreter, side.bin + "/codeflash", "--version"], tool: tool, tools: tools)
      let run = try ChildProcess(
        words: words, environment: testbed.testbed.environment, directory: context.scratch, limitSeconds: 300
      ).run()
      try #require(run.succeeded, "\(run.outputTail())")
      let profile = try worker.report(tool, of: "codeflash --version", after: run, on: side, tools: tools, in: context)
      try expectLine(profile.lines)
      #expect((profile.stacks?.unit == .bytes) == (tool == .memray))
    }
  }

  @Test("so they are when it is at work, and what its commands take at most is measured without a tool", .thorough)
  func leak() throws {
    let testbed = try CodeflashTestbed()
    let side = try copy(of: try testbed.side(), in: testbed.testbed)
    let plan = MemoryPlan(
      run: CodeflashRunPlan(project: try testbed.project(), loopingSeconds: 0.5, timeoutSeconds: 600),
      commands: [StartupCommand(name: "codeflash --version", arguments: ["codeflash", "--version"], isControl: false)],
      blocks: 1, measuresRun: false, top: 50)
    try testbed.testbed.run(MemoryLayer(plan: plan), in: try testbed.testbed.context([side], of: "codeflash"))
    #expect(
      testbed.events.troubles.isEmpty && testbed.events.skipped.isEmpty,
      "\(testbed.events.troubles) \(testbed.events.skipped)")
    #expect(testbed.events.memoryProfiles.map(\.tool) == [.memray, .tracemalloc])
    for profile in testbed.events.memoryProfiles { try expectLine(profile) }
    #expect(testbed.events.stacks.first?.unit == .bytes)
    #expect(testbed.events.samples.map(\.metric) == Array(repeating: "Peak memory: codeflash --version", count: 2))
    #expect(testbed.events.samples.allSatisfy { $0.unit == .bytes && (5e6...3e7).contains($0.value) })
  }

  /// The environment once more, as links, with a line in codeflash that keeps memory for good.
  private func copy(of side: SideEnvironment, in testbed: SideTestbed) throws -> SideEnvironment {
    var copy = side
    copy.path = testbed.folder + "/environment"
    try testbed.run("cp", "-as", side.path, copy.path)
    // A program names its interpreter.
    let program = try String(contentsOfFile: copy.bin + "/codeflash", encoding: .utf8)
    try FileManager.default.removeItem(atPath: copy.bin + "/codeflash")
    try testbed.write("program", program.replacing(side.path, with: copy.path))
    try testbed.run("install", "-m", "755", "program", copy.bin + "/codeflash")
    let library = try #require(try FileManager.default.contentsOfDirectory(atPath: copy.path + "/lib").first)
    let file = "\(copy.path)/lib/\(library)/site-packages/codeflash/main.py"
    let text = try String(contentsOfFile: file, encoding: .utf8)
    let main = try #require(text.range(of: "def main("))
    try FileManager.default.removeItem(atPath: file)
    let planted = "_KEPT = []\n\n\ndef _keep():\n    \(Self.line)\n\n\n_keep()\n\n\n"
    try text.replacingCharacters(in: main.lowerBound..<main.lowerBound, with: planted)
      .write(toFile: file, atomically: true, encoding: .utf8)
    return copy
  }
}
