import Shared
import Statistics

/// The measuring time of a job, shared evenly among the interpreters that are still to come.
struct Budget {
  private(set) var rule: StoppingRule?
  private var secondsLeft: Double
  private var interpreters: Int

  init(_ manifest: JobManifest) {
    interpreters = manifest.python.versions.count
    let stopping = manifest.sides.count == 2 ? manifest.stopping : nil
    rule = stopping.map { StoppingRule($0, interpreters: manifest.python.versions.count) }
    secondsLeft = stopping?.budgetSeconds ?? .infinity
  }

  /// What the interpreter at hand may spend, in seconds.
  var share: Double { secondsLeft / Double(interpreters + 1) }

  mutating func beginInterpreter() {
    interpreters -= 1
    rule?.beginInterpreter()
  }

  mutating func endInterpreter(_ questions: [Question], seconds: Double) {
    rule?.endInterpreter(questions)
    secondsLeft -= seconds
  }
}
