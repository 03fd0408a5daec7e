import FoundationEssentials
import Glibc
import Shared

/// Runs codeflash on one function of the project: on a fresh clone, with a fresh HOME and TMPDIR, against the stand-in of
/// its service.
struct CodeflashRunner {
  let plan: CodeflashRunPlan
  let project: Project
  let service: ReplayService
  let context: LayerContext
  /// Holds the template and each run in turn, at the same path for both sides.
  let folder: String
  let looping: LoopingTime

  /// How often the process tree is looked at, in seconds.
  private static let lookEvery = 0.1

  var clone: String { folder + "/run/clone" }
  private var template: String { folder + "/template" }
  private var home: String { folder + "/run/home" }
  private var temporary: String { folder + "/run/tmp" }

  struct Record {
    var opportunity: OpportunityList.Opportunity
    var outcome: ChildProcess.Outcome
    var log: RequestLog
    var sampler: TreeSampler
    /// Monotonic seconds.
    var started: Double
    var serviceEnded: Bool
    /// Free room where it ran, in bytes, right afterwards.
    var freeBytes: Int
    /// What pytest says of the project's tests under codeflash's own plugin, where codeflash could not run them.
    var testComplaint: String?
  }

  /// Starts the service and makes what runs are cloned from.
  static func prepare(
    _ plan: CodeflashRunPlan, keepsRecordings: Bool = false, in context: LayerContext
  ) throws -> CodeflashRunner {
    let folder = context.scratch + "/codeflash"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let project = try Project.open(plan.project, home: context.home, tools: context.tools)
    try project.makeTemplate(at: folder + "/template", tools: context.tools)
    let service = try ReplayService(
      plan, project: project, keepsRecordings: keepsRecordings, folder: folder, in: context)
    let home = folder + "/settings-home"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    let looping = try LoopingTime(
      wanted: plan.loopingSeconds, environment: { $0.measuredEnvironment(home: home) }, in: context)
    return CodeflashRunner(
      plan: plan, project: project, service: service, context: context, folder: folder, looping: looping)
  }

  /// - Parameter wrap: puts an instrument around the words that start codeflash's script.
  func run(
    _ opportunity: OpportunityList.Opportunity, on side: SideEnvironment, block: Int,
    wrap: ([String]) -> [String] = { $0 }
  ) throws -> Record {
    try makeFresh()
    let script = side.bin + "/" + context.target.package
    guard access(script, F_OK) == 0 else {
      throw Problem(
        what: "\(side.label) has no command '\(context.target.package)'",
        why: "its environment holds no script of that name",
        fix: "layers 3 and 4 run codeflash itself; leave them out for another package: --layers startup,micro",
        exitStatus: .partial)
    }
    let program =
      [side.interpreter]
      + looping.words([script, "--file", opportunity.file, "--function", opportunity.name, "--no-pr"])
    _ = service.takeLog()
    var sampler = TreeSampler()
    let started = MonotonicClock.seconds
    let outcome = try ChildProcess(
      words: service.words(wrap(program)), environment: environment(of: side, block: block), directory: clone,
      limitSeconds: plan.timeoutSeconds, errorLimit: 256 << 10,
      look: (Self.lookEvery, { sampler.look(at: $0) })
    ).run()
    var record = Record(
      opportunity: opportunity, outcome: outcome, log: service.takeLog().since(started), sampler: sampler,
      started: started, serviceEnded: !service.isRunning, freeBytes: StorageFailure.freeBytes(folder))
    try looping.saw(
      sampler.optionValues, record.log, on: side, isLive: plan.answers == .live, in: context)
    if outcome.succeeded, !record.log.requests.isEmpty, !record.log.accepted, !record.log.hasBaseline {
      record.testComplaint = try testComplaint(on: side)
    }
    return record
  }

  /// Codeflash keeps what its tests say to itself: they are run once more, as it runs them, for their last output.
  private func testComplaint(on side: SideEnvironment) throws -> String? {
    let program = [
      side.interpreter, "-m", "pytest", "-q", "-p", "codeflash.verification.pytest_plugin",
      "--codeflash_loops_scope=session", "--codeflash_min_loops=1", "--codeflash_max_loops=1", "--codeflash_seconds=1",
    ]
    let outcome = try ChildProcess(
      words: service.words(program), environment: environment(of: side, block: 0), directory: clone,
      limitSeconds: plan.timeoutSeconds
    ).run()
    guard !outcome.succeeded else { return nil }
    let version = try ChildProcess(
      program: side.interpreter, arguments: ["-c", "import pytest; print('pytest', pytest.__version__)"],
      environment: environment(of: side, block: 0), directory: clone, limitSeconds: 60
    ).run()
    let lines = (outcome.outputText + "\n" + outcome.errorText).split(whereSeparator: \.isNewline).map(String.init)
    let error = lines.last { $0.contains("Error: ") } ?? lines.last ?? "it \(outcome.end.words)"
    let name = version.succeeded ? String(version.outputText.prefix { !$0.isNewline }) : "pytest"
    return "\(name) says: \(String(error.trimmingPrefix("INTERNALERROR> ").prefix(300)))"
  }

  private func makeFresh() throws {
    try FileManager.default.removeIfThere(folder + "/run")
    for path in [home, temporary] { try FileManager.default.makeFresh(path) }
    _ = try context.tools.mustRun(
      "git", ["clone", "--quiet", "--local", template, clone], doing: "copying the project", in: folder)
  }

  private func environment(of side: SideEnvironment, block: Int) -> [String: String] {
    context.surroundings(of: block).applied(
      to: side.measuredEnvironment(home: home).merging(service.environment) { $1 }
        .merging(looping.environment) { $1 }
        .merging(["TMPDIR": temporary, "PYTHONIOENCODING": "utf-8"]) { $1 })
  }

  /// Whether codeflash left the function's file otherwise than it was.
  func hasChanged(_ opportunity: OpportunityList.Opportunity) -> Bool {
    let (old, new) = (template + "/" + opportunity.file, clone + "/" + opportunity.file)
    // A file that is gone reads as none, and that is a change too.
    return (try? Data(contentsOf: URL(filePath: old))) != (try? Data(contentsOf: URL(filePath: new)))
  }

  /// The project's folder as it was before a run.
  var original: String { template }
}

extension CodeflashRunner.Record {
  /// What codeflash itself said, without colours; what it logs and what its children say are in it too.
  var words: [String] {
    (outcome.outputText + "\n" + outcome.errorText).split(whereSeparator: \.isNewline).map { line in
      var text = ""
      var inEscape = false
      for scalar in line.unicodeScalars {
        if scalar.value == 0x1b {
          inEscape = true
        } else if inEscape {
          inEscape = !(scalar.properties.isAlphabetic)
        } else if scalar.value >= 0x20 {
          text.unicodeScalars.append(scalar)
        }
      }
      return text.split(separator: " ").joined(separator: " ")
    }.filter { !$0.isEmpty }
  }
}
