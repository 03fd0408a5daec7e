import Shared

/// How far a job is, as its events tell. Pure: events in, one line out.
struct ProgressState: Equatable, Sendable {
  /// What is being done that has no count: `installing codeflash==0.20.5 for Python 3.12`.
  private(set) var phase = "connecting"
  /// The layer that is being measured.
  private(set) var layer: Layer?
  private(set) var troubles = 0

  struct Layer: Equatable, Sendable {
    var name: LayerName
    var python: String
    var planned: Int
    var done = 0
    /// Seconds on the progress clock when it began.
    var since: Double
  }

  /// Something that is worth a line of its own.
  enum Change: Equatable, Sendable {
    /// A new phase or layer, or the end.
    case step(String)
    /// One more sample.
    case sample
    case trouble(String)
  }

  /// Takes an event in; `nil` when it changes nothing that a person would see.
  mutating func take(_ event: JobEvent, at now: Double) -> Change? {
    switch event {
    case .started(let body): return step("runner \(body.job) is up")
    case .queued(let body): return step("waiting for the machine, which \(body.holder) holds")
    case .phase(let body): return step(body.text)
    case .host(let body): return step("measuring on \(body.hostname)")
    case .tuned(let body): return step(TuningWords.line(body))
    case .sideReady(let body):
      let reused = body.reused ? "reused" : "made in \(Numbers.elapsed(body.seconds))"
      return step("\(body.label) is ready with Python \(body.interpreterVersion) (\(reused))")
    case .layerStarted(let body):
      layer = Layer(name: body.layer, python: body.python, planned: body.plannedSamples, since: now)
      phase = "measuring"
      return .step("\(body.layer.rawValue), Python \(body.python): \(body.plannedSamples) samples")
    case .sample(let body):
      guard layer?.name == body.layer, layer?.python == body.python else { return nil }
      layer?.done += 1
      return .sample
    case .layerFinished(let body):
      layer = nil
      return step("\(body.layer.rawValue), Python \(body.python): done in \(Numbers.elapsed(body.seconds))")
    case .trouble(let body):
      troubles += 1
      let name = body.metric ?? body.layer?.rawValue
      return .trouble(TerminalText.clean((name.map { "\($0): " } ?? "") + body.problem.what))
    case .finished(let body):
      layer = nil
      return step("\(words(body.outcome)) after \(Numbers.elapsed(body.seconds))")
    case .optimizeRun(let body):
      let purpose = body.purpose == .rehearsal ? "rehearsal" : "run"
      let found = FindingCount(body.functions).words
      return .step("\(body.side.rawValue): a \(purpose) of \(Numbers.elapsed(body.seconds)), \(found)")
    case .recording(let body): return .step("recorded \(body.function)")
    case .importTree, .skipped, .profile, .stacks, .profiledPhases, .memoryTimeline, .memoryProfile, .unknown:
      return nil
    }
  }

  private mutating func step(_ text: String) -> Change {
    phase = TerminalText.clean(text)
    return .step(phase)
  }

  private func words(_ outcome: Finished.Outcome) -> String {
    switch outcome {
    case .done: "done"
    case .partial: "done, but part of it has no result,"
    case .failed: "failed"
    case .cancelled: "cancelled"
    }
  }

  /// `startup, Python 3.12: 34 of 120`, or the phase when nothing is being counted.
  var text: String {
    guard let layer else { return phase }
    return "\(layer.name.rawValue), Python \(TerminalText.clean(layer.python)): \(layer.done) of \(layer.planned)"
  }

  /// The line that a terminal shows, at most `width` characters: text, a bar while samples are counted, the time passed.
  func line(elapsed: Double, width: Int) -> String {
    let time = Numbers.elapsed(elapsed)
    guard let layer, layer.planned > 0 else { return fit("\(text)  \(time)", width) }
    let share = min(1, Double(layer.done) / Double(layer.planned))
    let room = width - text.count - time.count - 6
    guard room >= 8 else { return fit("\(text)  \(time)", width) }
    let length = min(room, 30)
    let full = Int((share * Double(length)).rounded(.down))
    let bar = String(repeating: "█", count: full) + String(repeating: "░", count: length - full)
    return "\(text)  \(bar)  \(time)"
  }

  private func fit(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
  }
}
