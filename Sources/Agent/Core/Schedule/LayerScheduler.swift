/// Which layer is measured next: where a block buys most.
enum LayerScheduler {
  /// What is known of a layer when the choice is made.
  struct Candidate: Equatable {
    /// Blocks measured that count.
    var blocks: Int
    /// What a block takes, in seconds; `nil` before the first one where nothing was learned from preparing.
    var blockSeconds: Double?
    /// How many blocks each open metric may still need; `nil` for one that is out of sight.
    var needed: [Int?]
    /// The same of the metrics that matter most, which are among ``needed``.
    var headline: [Int?] = []
  }

  /// Forecasts from a few blocks are rough: a layer is given up only when its first answer is this many times farther away
  /// than the time that is left.
  static let patience = 1.5

  /// With so many blocks a metric has an estimate and an interval that are worth telling.
  static let telling = 3

  /// The index of the next candidate; `nil` when no further block can be expected to decide anything in the time left. As long as a
  /// metric that matters most can be decided, only those are looked at; but one whose answer would take more than a third of the time left
  /// gets as many blocks as an estimate takes, and goes on when the others are through.
  /// - Parameters:
  ///   - least: After how many blocks a metric can be called different at all.
  ///   - leastHeadline: The same of those that matter most.
  static func next(_ candidates: [Candidate], least: Int, leastHeadline: Int, secondsLeft: Double) -> Int? {
    let first = candidates.map { candidate in
      var candidate = candidate
      let nearest = candidate.headline.compactMap(\.self).min() ?? 0
      let isDear = Double(nearest) * (candidate.blockSeconds ?? 0) > secondsLeft / 3
      candidate.needed = isDear && candidate.blocks >= telling ? [] : candidate.headline
      return candidate
    }
    return next(first, least: leastHeadline, secondsLeft: secondsLeft)
      ?? next(candidates, least: least, secondsLeft: secondsLeft)
  }

  /// Each layer gets one block, if that fits. Then each layer that can get so far is brought to its first answer, the nearest
  /// one first: a small budget answers something rather than nearly everything. From there on the layer goes first that
  /// decides most metrics a second, going by the forecasts of its open metrics; of equals the one with fewer blocks.
  /// - Parameter least: After how many blocks a metric can be decided at all.
  static func next(_ candidates: [Candidate], least: Int, secondsLeft: Double) -> Int? {
    guard secondsLeft > 0 else { return nil }
    let open = candidates.indices.filter { !candidates[$0].needed.isEmpty }
    if let first = open.first(where: { index in
      candidates[index].blocks == 0 && (candidates[index].blockSeconds ?? 0) <= secondsLeft
    }) {
      return first
    }
    let worthwhile = open.filter { candidates[$0].blocks > 0 }.compactMap { index in
      value(candidates[index], secondsLeft: secondsLeft).map { (index: index, value: $0) }
    }
    let early = worthwhile.filter { candidates[$0.index].blocks < least }
    let nearest = early.min { secondsToGo(candidates[$0.index], least) < secondsToGo(candidates[$1.index], least) }
    if let nearest { return nearest.index }
    return worthwhile.max { ($0.value, -candidates[$0.index].blocks) < ($1.value, -candidates[$1.index].blocks) }?.index
  }

  private static func secondsToGo(_ candidate: Candidate, _ least: Int) -> Double {
    Double(least - candidate.blocks) * (candidate.blockSeconds ?? 0)
  }

  /// Metrics decided a second; `nil` where none can be hoped for.
  private static func value(_ candidate: Candidate, secondsLeft: Double) -> Double? {
    let cost = max(candidate.blockSeconds ?? 0, 1e-6)
    guard cost <= secondsLeft else { return nil }
    let needed = candidate.needed.compactMap { $0 }.sorted().filter { Double($0) * cost <= secondsLeft * patience }
    return needed.enumerated().map { Double($0.offset + 1) / (Double($0.element) * cost) }.max()
  }
}
