import FoundationEssentials
import Shared

/// Runs codeflash under memray or tracemalloc, and reads what they kept.
struct MemoryTools {
  let folder: String
  let top: Int

  private var worker: String { folder + "/memory_worker.py" }
  private var reporter: String { folder + "/memory_report.py" }
  private var output: String { folder + "/memory.bin" }

  private struct Report: Decodable {
    var version: String
    var peak: Int
    var total: Int
    var lines: [MemoryProfile.Line]
    var modules: [MemoryProfile.Module]
    var stacks: [WeighedStack]?
    var leftOut: Double?
  }

  func writeScripts() throws {
    try Data(PackageResources.memory_worker_py).write(to: URL(filePath: worker))
    try Data(PackageResources.memory_report_py).write(to: URL(filePath: reporter))
  }

  /// The words of a run under `tool`, from those that start a script: interpreter, script, arguments.
  func wrap(_ program: [String], tool: MemoryProfile.Tool, tools: ProfilerTools?) -> [String] {
    [program[0], worker, tool.rawValue, output, tools?.packages ?? ""] + program.dropFirst()
  }

  func report(
    _ tool: MemoryProfile.Tool, of record: CodeflashRunner.Record, on side: SideEnvironment, tools: ProfilerTools?,
    plainSeconds: Double?, in context: LayerContext
  ) throws -> (lines: MemoryProfile, stacks: StackProfile?) {
    let interpreter = tool == .memray ? tools?.interpreter ?? side.interpreter : side.interpreter
    let outcome = try ChildProcess(
      program: interpreter, arguments: ["-I", reporter, tool.rawValue, output, "\(top)"],
      environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"], directory: folder, limitSeconds: 120,
      outputLimit: 64 << 20
    ).run()
    guard outcome.succeeded, let report = try? JSONDecoder().decode(Report.self, from: Data(outcome.output)) else {
      throw Problem(
        what: "what \(tool.rawValue) kept of \(side.label) can't be read",
        why: "the report \(outcome.endWords): \(outcome.lastWords())",
        fix: "see whether the far end has room on its disk; leave the layer out with --layers otherwise",
        exitStatus: .partial)
    }
    let profile = MemoryProfile(
      tool: tool, version: report.version, python: context.python, side: side.side,
      function: record.opportunity.function, peakBytes: report.peak, totalBytes: report.total, lines: report.lines,
      modules: report.modules, seconds: record.outcome.seconds, plainSeconds: plainSeconds,
      peakRSSBytes: record.outcome.peakRSSBytes)
    guard let weighed = report.stacks else { return (profile, nil) }
    var gatherer = StackGatherer()
    for stack in weighed { gatherer.add(stack.frames, stack.value) }
    var stacks = gatherer.profile(
      MemoryLayer.name, metric: OptimizeLayer.memoryMetric, unit: .bytes, tool: "\(tool.rawValue) \(report.version)",
      python: context.python, side: side.side)
    stacks.leftOut += report.leftOut ?? 0
    return (profile, stacks)
  }
}
