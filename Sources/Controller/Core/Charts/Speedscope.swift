import Foundation
import Shared

/// Profiles for https://www.speedscope.app, in its own format (https://www.speedscope.app/file-format-schema.json).
enum Speedscope {
  /// One file with all profiles, to be chosen from there. Here frames keep their lines.
  /// - Parameters:
  ///   - labels: The sides' names in every table.
  ///   - name: What the page is headed with.
  /// - Throws: What `JSONEncoder` throws, which it has no reason to: every number is finite.
  static func json(_ profiles: [StackProfile], labels: [Side: String], name: String) throws -> [UInt8] {
    return Array(try JSONEncoder.line.encode(file(profiles, labels: labels, name: name)))
  }

  struct File: Encodable {
    var schema = "https://www.speedscope.app/file-format-schema.json"
    var shared: SharedFrames
    var profiles: [Profile]
    var name: String
    var activeProfileIndex = 0
    var exporter = "cf-bench \(Version.current)"

    enum CodingKeys: String, CodingKey {
      case schema = "$schema"
      case shared, profiles, name, activeProfileIndex, exporter
    }
  }

  struct SharedFrames: Encodable { var frames: [Frame] }

  struct Frame: Encodable, Hashable {
    var name: String
    var file: String?
    var line: Int?
  }

  struct Profile: Encodable {
    var type = "sampled"
    var name: String
    /// `seconds` or `bytes`, of the format's units.
    var unit: String
    var startValue = 0.0
    /// What all weights add up to.
    var endValue: Double
    /// Places in the shared frames, the outermost call first.
    var samples: [[Int]]
    var weights: [Double]
  }

  private static func file(_ profiles: [StackProfile], labels: [Side: String], name: String) -> File {
    var pool = FramePool()
    let converted = profiles.map { profile in
      var samples = profile.drawable.map { stack in stack.frames.map { pool.place(of: profile.frame(at: $0)) } }
      var weights = profile.drawable.map(\.value)
      if profile.drawableLeftOut > 0 {
        samples.append([pool.place(of: .init(name: "(stacks left out for size)", file: "", line: 0))])
        weights.append(profile.drawableLeftOut)
      }
      return Profile(
        name: words(profile, labels), unit: profile.unit == .seconds ? "seconds" : "bytes",
        endValue: weights.reduce(0, +),
        samples: samples, weights: weights)
    }
    return File(
      shared: SharedFrames(frames: pool.frames), profiles: converted,
      name: TerminalText.clean(name, limit: SVG.nameLimit))
  }

  /// What the list of profiles shows: the side first, as the names may be cut there.
  private static func words(_ profile: StackProfile, _ labels: [Side: String]) -> String {
    let label = labels[profile.side].map { " (\($0))" } ?? ""
    return TerminalText.clean(
      "\(profile.side.rawValue)\(label): \(profile.metric), Python \(profile.python), \(profile.tool)")
  }

  /// Every frame once over all profiles.
  private struct FramePool {
    private(set) var frames: [Frame] = []
    private var places: [StackProfile.StackFrame: Int] = [:]

    mutating func place(of frame: StackProfile.StackFrame) -> Int {
      if let place = places[frame] { return place }
      let file = TerminalText.clean(frame.file)
      frames.append(
        Frame(
          name: TerminalText.clean(frame.name), file: file.isEmpty ? nil : file, line: frame.line > 0 ? frame.line : nil
        ))
      places[frame] = frames.count - 1
      return frames.count - 1
    }
  }
}
