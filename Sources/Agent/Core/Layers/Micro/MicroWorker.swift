import FoundationEssentials
import Shared

/// One order to a fresh worker process, and its answers as they come. The protocol is described in `micro_worker.py`.
struct MicroWorker {
  enum Mode: String, Encodable { case calibrate, measure, profile }

  /// A target as the worker gets it.
  struct Task: Encodable, Equatable {
    /// Its place in the plan: how answers name it.
    var index: Int
    var name: String
    var candidates: [String]
    var setup: String
    var loops: Int
  }

  struct Answer: Decodable, Equatable {
    var begin: Int?
    var index: Int?
    var missing: String?
    var failed: String?
    var seconds: Double?
    var loops: Int?
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
    var targets: [Task]
  }

  let script: String
  let plan: MicroPlan
  /// The worker's HOME, TMPDIR and folder of work: empty at its start.
  let folder: String

  /// Puts the worker's source where the interpreters read it, and says where that is.
  static func writeScript(into folder: String) throws -> String {
    try EmbeddedScript.sourceNames.write(into: folder)
    return try EmbeddedScript.microWorker.write(into: folder)
  }

  /// Runs `tasks` in their order and hands over each answer at once. A target that ends its worker is handed to `lost`, and the
  /// tasks behind it get a new worker.
  func run(
    _ mode: Mode, _ tasks: [Task], on side: SideEnvironment, surroundings: EnvironmentRandomization,
    answer: (Answer) throws -> Void, lost: (Casualty) throws -> Void
  ) throws {
    var rest = tasks
    while !rest.isEmpty {
      var current: Int?
      let outcome = try start(mode, rest, on: side, surroundings: surroundings) { line in
        if let begun = line.begin {
          current = begun
        } else if let index = line.index {
          current = nil
          rest.removeAll { $0.index == index }
          try answer(line)
        }
      }
      guard !rest.isEmpty else { return }
      guard let current else { return try lost(Casualty(index: nil, outcome: outcome)) }
      rest.removeAll { $0.index == current }
      try lost(Casualty(index: current, outcome: outcome))
    }
  }

  private func start(
    _ mode: Mode, _ tasks: [Task], on side: SideEnvironment, surroundings: EnvironmentRandomization,
    each: (Answer) throws -> Void
  ) throws -> ChildProcess.Outcome {
    try FileManager.default.makeFresh(folder)
    let order = Order(
      mode: mode, repeats: plan.repeats, repeat_seconds: plan.repeatSeconds, top: plan.profileTop, targets: tasks)
    var failure: (any Error)?
    let outcome = try withoutActuallyEscaping(each) { each in
      try ChildProcess(
        program: side.interpreter, arguments: [script],
        environment: surroundings.applied(to: side.measuredEnvironment(home: folder)), directory: folder,
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
