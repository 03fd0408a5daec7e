import Foundation
import Shared

/// Profiles in the file format of speedscope, version 0.0.1 (speedscope.app/file-format-schema.json): frames once for all,
/// each profile a list of stacks with weights.
struct Speedscope: Encodable {
  private struct Frame: Encodable, Hashable {
    var name: String
    var file: String
    var line: Int?
  }
  private struct SharedFrames: Encodable { var frames: [Frame] }
  private struct Profile: Encodable {
    var type = "sampled"
    var name: String
    var unit: String
    var startValue = 0.0
    var endValue: Double
    var samples: [[Int]]
    var weights: [Double]
  }
  private enum CodingKeys: String, CodingKey {
    case schema = "$schema"
    case name, exporter, activeProfileIndex, shared, profiles
  }

  private var schema = "https://www.speedscope.app/file-format-schema.json"
  private var name: String
  private var exporter: String
  private var activeProfileIndex = 0
  private var shared: SharedFrames
  private var profiles: [Profile]

  /// - Parameter name: what the viewer shows as the file's title.
  init(_ stacks: [StackProfile], name: String, version: String) {
    var frames: [Frame] = []
    var numbers: [Frame: Int] = [:]
    profiles = stacks.map { profile in
      let places = profile.frames.map { frame in
        let frame = Frame(name: frame.name, file: frame.file, line: frame.line > 0 ? frame.line : nil)
        if let number = numbers[frame] { return number }
        numbers[frame] = frames.count
        frames.append(frame)
        return frames.count - 1
      }
      return Profile(
        name: "\(profile.metric), Python \(profile.python)", unit: profile.unit == .seconds ? "seconds" : "bytes",
        endValue: profile.stacks.reduce(0) { $0 + $1.value },
        samples: profile.stacks.map { stack in
          stack.frames.filter { places.indices.contains($0) }.map { places[$0] }
        },
        weights: profile.stacks.map(\.value))
    }
    self.name = name
    exporter = "cf-bench \(version)"
    shared = SharedFrames(frames: frames)
  }

  /// The file's content. A weight that is no number, which JSON can't hold, counts as nothing.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "0", negativeInfinity: "0", nan: "0")
    guard let data = try? encoder.encode(self) else { preconditionFailure("texts and numbers can be encoded") }
    return String(decoding: data, as: UTF8.self)
  }
}
