import FoundationEssentials
import Shared

/// Runs codeflash under memray or tracemalloc, and reads what they kept.
struct MemoryTools {
  let folder: String
  let top: Int

  private let worker: String
  private let reporter: String
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

  /// Writes the scripts into `folder`.
  init(folder: String, top: Int) throws {
    self.folder = folder
    self.top = top
    try EmbeddedScript.sourceNames.write(into: folder)
    worker = try EmbeddedScript.memoryWorker.write(into: folder)
    reporter = try EmbeddedScript.memoryReport.write(into: folder)
  }

  /// The words of a run under `tool`, from those that start a script: interpreter, script, arguments.
  func wrap(_ program: [String], tool: MemoryProfile.Tool, tools: ProfilerTools?) -> [String] {
    [program[0], worker, tool.rawValue, output, tools?.packages ?? ""] + program.dropFirst()
  }

  /// What the last run under `tool` kept.
  /// - Parameter plainSeconds: what a run without any tool took, where there was one.
  func report(
    _ tool: MemoryProfile.Tool, of function: String, after run: ChildProcess.Outcome, on side: SideEnvironment,
    tools: ProfilerTools?, plainSeconds: Double? = nil, in context: LayerContext
  ) throws -> (lines: MemoryProfile, stacks: StackProfile?) {
    let interpreter = tool == .memray ? tools?.interpreter ?? side.interpreter : side.interpreter
    let outcome = try ChildProcess(
      words: [interpreter, "-I", reporter, tool.rawValue, output, "\(top)"],
      environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"], directory: folder, limitSeconds: 120,
      outputLimit: 64 << 20
    ).run()
    func unreadable(_ why: String) -> Problem {
      Problem(
        what: "what \(tool.rawValue) kept of \(side.label) can't be read", why: "the report \(why)",
        fix: "see whether the benchmark host has room on its disk; leave the layer out with --layers otherwise",
        exitStatus: .partial)
    }
    guard outcome.succeeded else { throw unreadable("\(outcome.end.words): \(outcome.outputTail())") }
    let report: Report
    do { report = try JSONDecoder().decode(Report.self, from: Data(outcome.output)) } catch let error as DecodingError {
      throw unreadable("is not what it should be: \(DecodingErrorText.describe(error))")
    }
    let profile = MemoryProfile(
      tool: tool, version: report.version, python: context.python, side: side.side,
      function: function, peakBytes: report.peak, totalBytes: report.total, lines: report.lines,
      modules: report.modules, seconds: run.seconds, plainSeconds: plainSeconds,
      peakRSSBytes: run.peakRSSBytes)
    guard let weighed = report.stacks else { return (profile, nil) }
    var gatherer = StackGatherer()
    for stack in weighed { gatherer.add(stack.frames, stack.value) }
    var stacks = gatherer.profile(
      MemoryLayer.name, metric: CodeflashRunPlan.memoryMetric, unit: .bytes, tool: "\(tool.rawValue) \(report.version)",
      python: context.python, side: side.side)
    stacks.leftOut += report.leftOut ?? 0
    return (profile, stacks)
  }
}
