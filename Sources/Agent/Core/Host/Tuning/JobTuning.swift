import Glibc
import Shared

/// Tunes the machine around a job that holds the machine's lock.
struct JobTuning {
  let machine: MachineTuning
  /// Gets a `tuned` event for each knob, and trouble about what could not be put back.
  let sink: any EventSink
  /// Turns what belongs to this process alone.
  var own: () -> [TuningReport] = OwnTuning.tune

  /// Puts back what a killed job left, tunes when asked, does `body`, and puts all back however that ends.
  func around<Result>(isAsked: Bool, _ body: () throws -> Result) throws -> Result {
    say(machine.restore())
    guard isAsked else { return try body() }
    defer { say(machine.restore()) }
    for report in machine.tune() + own() { try sink.emit(.tuned(report)) }
    return try body()
  }

  private func say(_ problems: [Problem]) {
    for problem in problems {
      LeftTuning.log(problem)
      // A full disk shows at the job's next event; the log has it in any case.
      _ = try? sink.emit(.trouble(Trouble(problem: problem)))
    }
  }
}

/// What a job that was killed left changed at the machine.
enum LeftTuning {
  /// Puts it back, unless a job is measuring: that one does it itself. Costs nothing where no record is.
  static func restore(home: AgentHome, environment: [String: String], files: MachineFiles = MachineFiles()) {
    guard access(home.tuningRecord, F_OK) == 0 else { return }
    guard let lock = FileLock(path: MachineLock.path(environment), create: true), lock.tryLock() else { return }
    withExtendedLifetime(lock) {
      lock.write("an agent that puts back what a killed job had tuned")
      for problem in MachineTuning(files: files, record: home.tuningRecord).restore() { log(problem) }
    }
  }

  /// Standard error: the runner's log, or what the connection shows.
  static func log(_ problem: Problem) {
    let bytes = Array((problem.rendered + "\n").utf8)
    _ = write(2, bytes, bytes.count)  // nobody left to tell when this fails
  }
}
