import Foundation
import Shared

/// How far a job is, as its events tell. Pure: events in, one line out.
struct ProgressState: Equatable, Sendable {
  /// What is being done that has no count: `installing codeflash==0.20.5 for Python 3.12`.
  private(set) var phase = "connecting"
  /// The layers that were begun and are not done, in their order.
  private(set) var layers: [Layer] = []
  /// The one whose samples came last.
  private(set) var current: Int?
  /// The layers of the samples that count.
  private var counted = CountedEvents<LayerKey>()
  /// How far a comparison with a budget is.
  private(set) var budget: Budget?
  private var hasBudget = false
  private var isMeasuring = false
  private(set) var troubles = 0
  /// Kinds of events of which it was said that they can't be read.
  private var unknown: Set<String> = []

  private struct LayerKey: Equatable, Sendable {
    var name: LayerName
    var python: String
  }

  struct Layer: Equatable, Sendable {
    var name: LayerName
    var python: String
    var planned: Int
    var done = 0
  }

  struct Budget: Equatable, Sendable {
    var decided: Int
    var metrics: Int
    var spentSeconds: Double
    var leftSeconds: Double
  }

  /// Something that is worth a line of its own.
  enum Change: Equatable, Sendable {
    /// A new phase or layer, or the end.
    case step(String)
    /// One more sample.
    case sample
    case trouble(String)
    /// A remark that is neither.
    case note(String)
  }

  /// Takes an event in; `nil` when it changes nothing that a person would see.
  mutating func take(_ event: JobEvent, at now: Double) -> Change? {
    if case .sample(let body) = event {
      counted.take(event, as: LayerKey(name: body.layer, python: body.python))
    } else {
      counted.take(event, as: nil)
    }
    switch event {
    case .started(let body):
      hasBudget = body.budgetSeconds != nil
      return step("runner \(body.job) is up")
    case .resumed(let body):
      layers = []
      budget = nil
      let reason = body.reason == .rebooted ? "the machine was booted" : "its runner was killed"
      return step("\(reason); runner \(body.attempt) goes on")
    case .continued(let body):
      let what = body.keepsBlocks ? "finished blocks count on" : "measured anew: \(body.why ?? "the sides changed")"
      return step("Python \(body.python): \(what)")
    case .queued(let body): return step(QueueFormatter.line(body))
    case .phase(let body): return step(body.text)
    case .host(let body):
      // Told once more at the end.
      defer { isMeasuring = true }
      return isMeasuring ? nil : step("measuring on \(body.hostname)")
    case .tuned(let body): return step(TuningFormatter.line(body))
    case .sideReady(let body):
      let reused = body.reused ? "reused" : "made in \(Numbers.elapsed(body.seconds))"
      return step("\(body.label) is ready with Python \(body.interpreterVersion) (\(reused))")
    case .layerStarted(let body):
      // What was measured before a worker died counts.
      let key = LayerKey(name: body.layer, python: body.python)
      layers.append(
        Layer(
          name: body.layer, python: body.python, planned: body.plannedSamples, done: counted.items.count { $0 == key }))
      let name = "\(body.layer.rawValue), Python \(body.python)"
      return step(hasBudget ? "preparing \(name)" : "\(name): \(body.plannedSamples) samples")
    case .sample(let body):
      guard let index = layers.firstIndex(where: { $0.name == body.layer && $0.python == body.python }) else {
        return nil
      }
      current = index
      layers[index].done += 1
      return .sample
    case .blockFinished(let body):
      guard let open = body.open, let metrics = body.of, let spent = body.spentSeconds, let left = body.leftSeconds
      else { return body.disturbance == nil ? nil : .sample }
      current = layers.firstIndex { $0.name == body.layer && $0.python == body.python }
      budget = Budget(decided: metrics - open, metrics: metrics, spentSeconds: spent, leftSeconds: left)
      return .sample
    case .layerFinished(let body):
      layers.removeAll { $0.name == body.layer && $0.python == body.python }
      current = nil
      budget = nil
      return step("\(body.layer.rawValue), Python \(body.python): done in \(Numbers.elapsed(body.seconds))")
    case .trouble(let body):
      troubles += 1
      let name = body.metric ?? body.layer?.rawValue
      return .trouble(TerminalText.clean((name.map { "\($0): " } ?? "") + body.problem.what))
    case .finished(let body):
      layers = []
      current = nil
      budget = nil
      return step("\(words(body.outcome)) after \(Numbers.elapsed(body.seconds))")
    case .optimizeRun(let body):
      let purpose =
        switch body.purpose {
        case .rehearsal: "rehearsal"
        case .measured: "run"
        case .findings: "run over all functions"
        }
      let found = FindingCount(body.functions).words
      return .step("\(body.side.rawValue): a \(purpose) of \(Numbers.elapsed(body.seconds)), \(found)")
    case .recording(let body): return .step("recorded \(body.function)")
    case .importTree, .effectiveSettings, .skipped, .profile, .stacks, .profiledPhases, .memoryTimeline, .memoryProfile:
      return nil
    case .unknown(let type, _):
      guard unknown.insert(type).inserted else { return nil }
      return .note(TerminalText.clean("this release can't read the job's '\(type)' events; they are kept"))
    }
  }

  private mutating func step(_ text: String) -> Change {
    phase = TerminalText.clean(text)
    // A step is news; the count comes back with the next sample.
    current = nil
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

  /// `startup, Python 3.12: 34 of 120`, `micro: 12 of 18 metrics decided, at most 4 min 10 s left`, or the phase when nothing
  /// is being counted.
  var text: String {
    guard let current else { return phase }
    let layer = layers[current]
    if let budget {
      return "\(layer.name.rawValue): \(budget.decided) of \(VerdictFormatter.metrics(budget.metrics)) decided, "
        + "at most \(Numbers.elapsed(budget.leftSeconds)) left"
    }
    let name = "\(layer.name.rawValue), Python \(TerminalText.clean(layer.python))"
    return hasBudget ? "\(name): first block" : "\(name): \(layer.done) of \(layer.planned)"
  }

  /// How much of the way is done, from 0 to 1: of the metrics or of the time, whichever is farther.
  private var share: Double? {
    guard let current else { return nil }
    if let budget {
      let time = budget.spentSeconds / max(budget.spentSeconds + budget.leftSeconds, 1e-9)
      return min(1, max(time, Double(budget.decided) / Double(max(1, budget.metrics))))
    }
    let layer = layers[current]
    return hasBudget || layer.planned == 0 ? nil : min(1, Double(layer.done) / Double(layer.planned))
  }

  /// The line that a terminal shows, at most `width` characters: text, a bar while something is counted, the time passed.
  func line(elapsed: Double, width: Int) -> String {
    let time = Numbers.elapsed(elapsed)
    guard let share else { return fit("\(text)  \(time)", width) }
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

/// A job's place in the queue, for its owner.
enum QueueFormatter {
  /// `2 jobs ahead; ada@laptop measures (20260131T123456Z-k3); expected to start at 14:05`.
  static func line(_ queued: Queued, timeZone: TimeZone = .current) -> String {
    var parts: [String] = []
    if let ahead = queued.ahead { parts.append("\(ahead) job\(ahead == 1 ? "" : "s") ahead") }
    let words = queued.holder.split(separator: " ", maxSplits: 2).map(String.init)
    if words.count == 3, words[1] == "of" {
      parts.append("\(words[2]) measures (\(words[0]))")
    } else {
      parts.append(queued.holder.isEmpty ? "somebody measures" : "\(queued.holder) measures")
    }
    // A time that can't be read is left out: the place says the most.
    if let start = queued.expectedStart.flatMap({ try? Timestamp.date($0) }) {
      parts.append("expected to start at \(clock(start, timeZone))")
    }
    return "waiting for the machine: " + parts.joined(separator: "; ")
  }

  private static func clock(_ date: Date, _ timeZone: TimeZone) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = timeZone
    let parts = calendar.dateComponents([.hour, .minute], from: date)
    func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
    return "\(two(parts.hour)):\(two(parts.minute))"
  }
}

/// A knob of the benchmark host and what came of it, for the progress line.
enum TuningFormatter {
  static func line(_ report: TuningReport) -> String {
    let name = name(report.knob)
    let before = TerminalText.clean(report.before ?? "not visible")
    return switch report.outcome {
    case .changed: "\(name): \(report.wanted) for this job (was \(before))"
    case .alreadySo: "\(name): \(report.wanted) already"
    case .notPermitted: "\(name): stays \(before), the benchmark host's login may not change it"
    case .notVisible: "\(name): not visible on the benchmark host"
    case .didNotTake: "\(name): stays \(TerminalText.clean(report.after ?? before)), the change did not take"
    }
  }

  static func name(_ knob: TuningReport.Knob) -> String {
    switch knob {
    case .turbo: "turbo"
    case .governor: "frequency governor"
    case .addressRandomisation: "address space randomisation"
    case .affinity: "CPUs"
    case .priority: "priority"
    }
  }
}
