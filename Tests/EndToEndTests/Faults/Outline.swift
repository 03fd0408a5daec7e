import Foundation
import Shared

@testable import ControllerCore

/// What a run's results hold, without what chance and time make of it: which values there are, and how many of what.
struct Outline: Equatable {
  /// Layer, Python, metric, side, block and position of each value, sorted.
  var samples: [String]
  /// How many of each kind stand in the record and in the documents.
  var counts: [String: Int]
  var outcome: String
  var files: [String]

  init(folder: String) throws {
    let events = Events.read(folder + "/events.ndjson")
    let record = JobRecord(events: events)
    samples = (record.samples + record.copySamples).map(\.id).sorted()
    counts = [
      "sides": record.sides.count, "layers": record.layers.count, "layers finished": record.layersFinished.count,
      "blocks": record.blocks.count, "import trees": record.importTrees.count, "profiles": record.profiles.count,
      "stacks": record.stacks.count, "skipped": record.skipped.count, "troubles": record.troubles.count,
    ]
    outcome = record.finished?.outcome.rawValue ?? "no last word"
    files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    let startup = try JSONDecoder().decode(StartupDocument.self, from: Self.read(folder + "/startup.json"))
    for result in startup.results { counts["startup.json: \(result.command)"] = result.times.count }
    let micro = try JSONDecoder().decode(MicroDocument.self, from: Self.read(folder + "/micro.json"))
    for target in micro.targets { counts["micro.json: \(target.name)"] = target.seconds.count }
  }

  private static func read(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

  /// What is otherwise in another one, in words; empty when nothing is.
  func differences(to other: Outline) -> [String] {
    var words: [String] = []
    if outcome != other.outcome { words.append("the outcome is \(other.outcome), not \(outcome)") }
    if files != other.files { words.append("the files are \(other.files)") }
    for key in Set(counts.keys).union(other.counts.keys).sorted() where counts[key] != other.counts[key] {
      words.append("\(other.counts[key] ?? 0) of '\(key)', not \(counts[key] ?? 0)")
    }
    let missing = Set(samples).subtracting(other.samples)
    let further = Set(other.samples).subtracting(samples)
    if !missing.isEmpty { words.append("\(missing.count) values are missing, such as \(missing.min() ?? "")") }
    if !further.isEmpty { words.append("\(further.count) values too many, such as \(further.min() ?? "")") }
    if samples.count != other.samples.count { words.append("\(other.samples.count) values, not \(samples.count)") }
    return words
  }
}

extension Sample {
  /// What a value is the value of.
  var id: String {
    "\(layer.rawValue) \(python) '\(metric)' \(side.rawValue)\(isCopy == true ? " copy" : "") block \(block) place \(position)"
  }
}

/// Values in blocks that were finished: what no kill may lose.
struct SafeValues {
  private var values: [String: Double] = [:]

  init(_ events: [NumberedEvent]) {
    var finished: Set<String> = []
    for event in events {
      guard case .blockFinished(let block) = event.event else { continue }
      for metric in block.metrics { finished.insert("\(block.python) \(metric) \(block.block)") }
    }
    for event in events {
      guard case .sample(let sample) = event.event,
        finished.contains("\(sample.python) \(sample.metric) \(sample.block)")
      else { continue }
      values[sample.id] = sample.value
    }
  }

  var count: Int { values.count }

  /// Those that the results don't hold, or hold otherwise.
  func lost(in folder: String) -> [String] {
    let record = JobRecord(events: Events.read(folder + "/events.ndjson"))
    let held = Dictionary((record.samples + record.copySamples).map { ($0.id, $0.value) }) { first, _ in first }
    return values.filter { held[$0.key] != $0.value }.map(\.key).sorted()
  }
}
