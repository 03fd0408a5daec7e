import FoundationEssentials
import Shared

/// One order to fresh worker processes, and their answers as they come. The protocols are described in `micro_worker.py` and, of the
/// turns that workers of one block take, in `micro_turns.py`.
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
    /// It pauses.
    var turn: Bool?
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
    var end: End
  }

  /// How a worker ended, and what it said last.
  struct End {
    var status: ProcessEnd
    var words: String
    /// Whether it came by itself, or with the end of all.
    var isOwn = true
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
  /// The worker's HOME, TMPDIR and folder of work: empty at its start. As long for each place.
  private func folder(_ place: Int) -> String { "\(scratch)/micro/\(place)/\(name)" }
  /// What libraries keep on disk for their next process, as calibrating a side filled it: jedi's stubs are not parsed anew.
  private func calibratedCache(_ side: SideEnvironment) -> String { "\(scratch)/micro-caches/\(side.arm.rawValue)" }

  /// Puts the worker's source where the interpreters read it, and says where that is.
  static func writeScript(into folder: String) throws -> String {
    try EmbeddedScript.sourceNames.write(into: folder)
    try EmbeddedScript.benchmarkSuite.write(into: folder)
    try EmbeddedScript.microTurns.write(into: folder)
    return try EmbeddedScript.microWorker.write(into: folder)
  }

  /// Runs workers, each on its side with its tasks in their order, and hands over each answer at once, with the worker's place. A
  /// target that ends its worker is handed to `lost`; those behind it, and what the others had still to do, get new workers without it.
  func run(
    _ mode: Mode, _ workers: [(side: SideEnvironment, tasks: [Task])], of suite: MicroSuite? = nil,
    surroundings: EnvironmentRandomization, answer: (Int, Answer) throws -> Void, lost: (Int, Casualty) throws -> Void
  ) throws {
    var rest = workers.map(\.tasks)
    while true {
      let places = rest.indices.filter { !rest[$0].isEmpty }
      guard !places.isEmpty else { return }
      var current: [Int: Int] = [:]
      var isEnded = false
      let ends = try start(mode, places.map { (workers[$0].side, rest[$0]) }, of: suite, surroundings: surroundings) {
        order, line in
        let place = places[order]
        if line.begin != nil || line.turn != nil {
          current[place] = line.begin
        } else if let index = line.index {
          current[place] = nil
          isEnded = isEnded || line.slow != nil
          rest[place].removeAll { $0.index == index }
          try answer(place, line)
        }
      }
      let unfinished = zip(places, ends).filter { !rest[$0.0].isEmpty }
      // Where one is late all are killed: the others were at work on something else.
      let fallen = unfinished.contains { $0.1.isOwn } ? unfinished.filter { $0.1.isOwn } : unfinished
      let culprits = fallen.compactMap { place, end in current[place].map { (place, Casualty(index: $0, end: end)) } }
      for (place, casualty) in culprits {
        for place in rest.indices { rest[place].removeAll { $0.index == casualty.index } }
        try lost(place, casualty)
      }
      guard culprits.isEmpty, !isEnded else { continue }
      for (place, end) in fallen { try lost(place, Casualty(index: nil, end: end)) }
      return
    }
  }

  /// The tests of a suite that the side can collect, and the files that it can't.
  func discover(
    _ suite: MicroSuite, on side: SideEnvironment, surroundings: EnvironmentRandomization
  ) throws -> (answers: [Answer], end: End) {
    var answers: [Answer] = []
    let ends = try start(.discover, [(side, [])], of: suite, surroundings: surroundings) { answers.append($1) }
    return (answers, ends[0])
  }

  private struct TurnOrder: Encodable {
    struct Worker: Encodable {
      var words: [String]
      var environment: [String: String]
      var folder: String
      var order: Order
    }
    var limit: Double
    var workers: [Worker]
  }

  private struct TurnLine: Decodable {
    var place: Int
    var answer: Answer?
    var status: Int32?
    var words: String?
    var late: Bool?
  }

  /// The worker's `XDG_CACHE_HOME`. One that measures has a copy of its own: workers that set up at the same time do not read what another has
  /// half written, and none leaves anything to the next. The control arm was not calibrated, and begins with an empty one.
  private func makeCache(_ mode: Mode, _ side: SideEnvironment, _ place: Int) throws -> String {
    let calibrated = calibratedCache(side)
    guard mode == .measure else {
      try FileManager.default.createDirectory(atPath: calibrated, withIntermediateDirectories: true)
      return calibrated
    }
    let own = "\(scratch)/micro/\(place)/cache"
    try FileManager.default.removeIfThere(own)
    if FileManager.default.fileExists(atPath: calibrated) {
      try FileManager.default.copyItem(atPath: calibrated, toPath: own)
    } else {
      try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
    }
    return own
  }

  /// Starts a worker for each side and its tasks, lets them take turns, and says how each ended.
  private func start(
    _ mode: Mode, _ workers: [(side: SideEnvironment, tasks: [Task])], of suite: MicroSuite?,
    surroundings: EnvironmentRandomization, each: (Int, Answer) throws -> Void
  ) throws -> [End] {
    var order = TurnOrder(limit: plan.timeoutSeconds, workers: [])
    for (place, worker) in workers.enumerated() {
      let folder = folder(place)
      try FileManager.default.makeFresh(folder)
      let cache = try makeCache(mode, worker.side, place)
      order.workers.append(
        .init(
          words: [worker.side.interpreter, script],
          environment: surroundings.applied(to: worker.side.measuredEnvironment(home: folder)).merging(
            ["XDG_CACHE_HOME": cache]) { $1 },
          folder: folder,
          order: Order(
            mode: mode, repeats: plan.repeats, repeat_seconds: plan.repeatSeconds, top: plan.profileTop,
            longest_call: plan.longestCallSeconds, targets: worker.tasks,
            suite: suite.map { $0.order(for: worker.tasks) })))
    }
    var ends = [End?](repeating: nil, count: workers.count)
    var failure: (any Error)?
    let outcome = try withoutActuallyEscaping(each) { each in
      try ChildProcess(
        // Isolated and without site: nothing of the side is imported before its workers are there.
        program: workers[0].side.interpreter,
        arguments: ["-I", "-S", "\(scratch)/\(EmbeddedScript.microTurns.rawValue)"],
        environment: ["LANG": "C.UTF-8"], directory: scratch, input: Array(try JSONEncoder().encode(order)),
        limitSeconds: plan.timeoutSeconds * Double(workers.count) + 10,
        onOutputLine: { line in
          // What is no such line can only come from a target that wrote to a descriptor it does not own.
          guard failure == nil, let told = try? JSONDecoder().decode(TurnLine.self, from: Data(line)),
            ends.indices.contains(told.place)
          else { return }
          if let answer = told.answer {
            do { try each(told.place, answer) } catch { failure = error }
          } else {
            let status = told.status.map { $0 < 0 ? ProcessEnd.signalled(-$0) : .exited($0) } ?? .timedOut
            ends[told.place] = End(status: status, words: ChildProcess.tail(told.words ?? ""))
          }
        }
      ).run()
    }
    if let failure { throw failure }
    // Of those without a word of their end the whole's is the only one that is known.
    return ends.map { $0 ?? End(status: outcome.end, words: outcome.outputTail(), isOwn: false) }
  }
}
