import FoundationEssentials
import Shared

/// One order to a fresh worker process, and its answers as they come. The protocol is described in `micro_worker.py`.
struct MicroWorker {
  enum Mode: String, Encodable { case discover, calibrate, measure, profile }

  /// A target as the worker gets it.
  struct Task: Encodable, Equatable {
    /// Its place in the plan: how answers name it.
    var index: Int
    var name: String
    var candidates: [String]
    var setup: String
    /// The test of the suite that it is, as pytest names it.
    var test: String?
    var loops: Int
    var repeats: Int
  }

  struct Answer: Decodable, Equatable {
    var begin: Int?
    var index: Int?
    var missing: String?
    var failed: String?
    /// Its first call takes too long.
    var slow: Bool?
    /// A test that was found, as pytest names it.
    var test: String?
    var name: String?
    /// A file of the suite that can't be collected, and why.
    var unread: String?
    var reason: String?
    var seconds: Double?
    var loops: Int?
    var repeats: Int?
    var calls: Int?
    var functions: [Function]?
    /// Seconds of one call.
    var stacks: [WeighedStack]?

    struct Function: Decodable, Equatable {
      var name: String
      var line: Int
      var calls: Int
      var selfSeconds: Double
      var cumulativeSeconds: Double
      enum CodingKeys: String, CodingKey {
        case name, line, calls
        case selfSeconds = "self"
        case cumulativeSeconds = "cumulative"
      }
    }
  }

  /// How a target ended a worker: it hung, crashed the interpreter, or left the process.
  struct Casualty {
    /// `nil` when the worker ended before it began any target.
    var index: Int?
    var outcome: ChildProcess.Outcome
  }

  private struct Order: Encodable {
    var mode: Mode
    var repeats: Int
    var repeat_seconds: Double
    var top: Int
    var longest_call: Double?
    var targets: [Task]
    var suite: Suite?
  }

  /// The project's own benchmarks as the worker gets them.
  struct Suite: Encodable {
    var root: String
    var paths: [String]
    /// What the tests import: it must come from the side's environment.
    var package: String
  }

  let script: String
  let plan: MicroPlan
  /// The layer's own folder.
  let scratch: String
  /// What the folder of work is called.
  let name: String
  /// The worker's HOME, TMPDIR and folder of work: empty at its start.
  private var folder: String { "\(scratch)/micro/\(name)" }
  /// What libraries keep on disk for their next process, by arm. Calibrating fills it (of the control arm its first worker), so that jedi's
  /// stubs are not parsed anew.
  private var caches: String { "\(scratch)/micro-caches" }

  /// Puts the worker's source where the interpreters read it, and says where that is.
  static func writeScript(into folder: String) throws -> String {
    try EmbeddedScript.sourceNames.write(into: folder)
    try EmbeddedScript.benchmarkSuite.write(into: folder)
    return try EmbeddedScript.microWorker.write(into: folder)
  }

  /// Runs `tasks` in their order and hands over each answer at once. A target that ends its worker is handed to `lost`, and the
  /// tasks behind it get a new worker.
  func run(
    _ mode: Mode, _ tasks: [Task], of suite: MicroSuite? = nil, on side: SideEnvironment,
    surroundings: EnvironmentRandomization, answer: (Answer) throws -> Void, lost: (Casualty) throws -> Void
  ) throws {
    var rest = tasks
    while !rest.isEmpty {
      var current: Int?
      var endsItself = false
      let outcome = try start(mode, rest, of: suite, on: side, surroundings: surroundings) { line in
        if let begun = line.begin {
          current = begun
        } else if let index = line.index {
          current = nil
          endsItself = line.slow != nil
          rest.removeAll { $0.index == index }
          try answer(line)
        }
      }
      guard !rest.isEmpty else { return }
      if endsItself { continue }
      guard let current else { return try lost(Casualty(index: nil, outcome: outcome)) }
      rest.removeAll { $0.index == current }
      try lost(Casualty(index: current, outcome: outcome))
    }
  }

  /// The tests of a suite that the side can collect, and the files that it can't.
  func discover(
    _ suite: MicroSuite, on side: SideEnvironment, surroundings: EnvironmentRandomization
  ) throws -> (answers: [Answer], outcome: ChildProcess.Outcome) {
    var answers: [Answer] = []
    let outcome = try start(.discover, [], of: suite, on: side, surroundings: surroundings) { answers.append($0) }
    return (answers, outcome)
  }

  private func start(
    _ mode: Mode, _ tasks: [Task], of suite: MicroSuite?, on side: SideEnvironment,
    surroundings: EnvironmentRandomization, each: (Answer) throws -> Void
  ) throws -> ChildProcess.Outcome {
    try FileManager.default.makeFresh(folder)
    let cache = "\(caches)/\(side.arm.rawValue)"
    try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
    let order = Order(
      mode: mode, repeats: plan.repeats, repeat_seconds: plan.repeatSeconds, top: plan.profileTop,
      longest_call: plan.longestCallSeconds, targets: tasks, suite: suite.map { $0.order(for: tasks) })
    var failure: (any Error)?
    let outcome = try withoutActuallyEscaping(each) { each in
      try ChildProcess(
        program: side.interpreter, arguments: [script],
        environment: surroundings.applied(to: side.measuredEnvironment(home: folder)).merging(
          ["XDG_CACHE_HOME": cache]) { $1 }, directory: folder,
        input: Array(try JSONEncoder().encode(order)), limitSeconds: plan.timeoutSeconds,
        onOutputLine: { line in
          // A line that is not the worker's can only come from a target that wrote to a descriptor it does not own.
          guard failure == nil, let answer = try? JSONDecoder().decode(Answer.self, from: Data(line)) else { return }
          do { try each(answer) } catch { failure = error }
        }
      ).run()
    }
    if let failure { throw failure }
    return outcome
  }
}
