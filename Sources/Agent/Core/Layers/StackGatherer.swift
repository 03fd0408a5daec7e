import Shared

/// Gathers stacks into a profile of bounded size.
struct StackGatherer {
  /// Stacks that are kept: enough for a picture, little enough for one event.
  private static let limit = 4000

  private var numbers: [StackProfile.StackFrame: Int] = [:]
  private var frames: [StackProfile.StackFrame] = []
  private var weights: [[Int]: Double] = [:]

  mutating func add(_ stack: [StackProfile.StackFrame], _ value: Double) {
    let key = stack.map { frame in
      if let number = numbers[frame] { return number }
      numbers[frame] = frames.count
      frames.append(frame)
      return frames.count - 1
    }
    weights[key, default: 0] += value
  }

  func profile(
    _ layer: LayerName, metric: String, unit: StackProfile.Unit, tool: String, python: String, side: Side
  ) -> StackProfile {
    let sorted = weights.map { StackProfile.Stack(frames: $0.key, value: $0.value) }.sorted {
      $0.value != $1.value ? $0.value > $1.value : $0.frames.lexicographicallyPrecedes($1.frames)
    }
    let kept = Array(sorted.prefix(Self.limit))
    // Only frames that a kept stack names, in the order in which they are named.
    var places: [Int: Int] = [:]
    var named: [StackProfile.StackFrame] = []
    let stacks = kept.map { stack in
      StackProfile.Stack(
        frames: stack.frames.map { number in
          if let place = places[number] { return place }
          places[number] = named.count
          named.append(frames[number])
          return named.count - 1
        }, value: stack.value)
    }
    return StackProfile(
      layer: layer, metric: metric, python: python, side: side, unit: unit, tool: tool, frames: named, stacks: stacks,
      leftOut: sorted.dropFirst(Self.limit).reduce(0) { $0 + $1.value })
  }
}

/// A stack as the Python workers tell it: `[[[function, file, line], …], value]`.
struct WeighedStack: Decodable, Equatable {
  var frames: [StackProfile.StackFrame]
  var value: Double

  init(from decoder: any Decoder) throws {
    var pair = try decoder.unkeyedContainer()
    var stack = try pair.nestedUnkeyedContainer()
    var frames: [StackProfile.StackFrame] = []
    while !stack.isAtEnd {
      var frame = try stack.nestedUnkeyedContainer()
      frames.append(
        .init(
          name: try frame.decode(String.self), file: try frame.decode(String.self), line: try frame.decode(Int.self)))
    }
    self.frames = frames
    value = try pair.decode(Double.self)
  }
}
