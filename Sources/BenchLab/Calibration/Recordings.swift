import ArgumentParser
import Foundation
import Shared

/// Times of real runs of one revision, in the order in which they were made: identical code, so any order of two sides can be imposed on
/// them and any difference multiplied in. `docs/calibration/recordings.json`.
struct Recordings: Codable, Sendable {
  struct Series: Codable, Sendable {
    var layer: LayerName
    var metric: String
    /// Logarithms of the values, less their median.
    var logs: [Double]
  }
  var schema = 1
  /// The machine that measured.
  var machine: String
  var series: [Series]

  /// Every metric of the runs whose events these are, with at least so many values.
  static func read(_ files: [String], least: Int) throws -> Recordings {
    var machine = ""
    var series: [Series] = []
    for file in files {
      var values: [MetricName: [Double]] = [:]
      for line in try Data(contentsOf: URL(filePath: file)).split(separator: UInt8(ascii: "\n")) {
        let kind = try JSONDecoder().decode(Kind.self, from: line)
        if kind.type == "sample" {
          let sample = try JSONDecoder().decode(Event<Sample>.self, from: line).body
          values[MetricName(layer: sample.layer, metric: sample.metric), default: []].append(log(sample.value))
        } else if kind.type == "host" {
          let host = try JSONDecoder().decode(Event<HostInfo>.self, from: line).body
          machine = "\(host.cpuModel), \(host.cpuCount) CPUs, \(host.kernel)"
        }
      }
      for (name, logs) in values.sorted(by: { $0.key.metric < $1.key.metric }) where logs.count >= least {
        let median = logs.sorted()[logs.count / 2]
        series.append(
          Series(
            layer: name.layer, metric: name.metric, logs: logs.map { (($0 - median) * 1e5).rounded() / 1e5 }))
      }
    }
    guard !series.isEmpty else {
      throw Problem(
        what: "no metric there has \(least) values", why: "of \(files.joined(separator: ", "))",
        fix: "record more: cf-bench run REVISION --set micro.blocks=60 --set startup.blocks=60", exitStatus: .usage)
    }
    return Recordings(machine: machine, series: series)
  }

  private struct MetricName: Hashable {
    var layer: LayerName
    var metric: String
  }
  private struct Kind: Decodable { var type: String }
  private struct Event<Body: Decodable>: Decodable { var body: Body }
}

/// `bench-lab recordings`: takes the times out of results folders.
struct RecordingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recordings",
    abstract: "Takes the times of real runs of one revision out of results, for 'calibrate' to impose orders on.",
    discussion: """
      EXAMPLE
        cf-bench run codeflash==0.20.6 --machine local --layers startup,micro --set micro.blocks=60 --set startup.blocks=60
        bench-lab recordings results/codeflash*/events.ndjson --into docs/calibration/recordings.json
      """)

  @Argument(help: "Files of events.") var files: [String]
  @Option(help: ArgumentHelp("Values that a metric has at least.", valueName: "count")) var least = 96
  @Option(help: ArgumentHelp("Where they are written.", valueName: "file")) var into: String

  func run() throws {
    let recordings = try Recordings.read(files, least: least)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try (try encoder.encode(recordings) + Data("\n".utf8)).write(to: URL(filePath: into), options: .atomic)
    print("\(recordings.series.count) series of \(recordings.machine)")
  }
}
