/// Which layer is measured next: where a block buys most.
enum LayerScheduler {
  /// What is known of a layer when the choice is made.
  struct Candidate: Equatable {
    /// Blocks measured that count.
    var blocks: Int
    /// What its next block takes, in seconds; `nil` before the first one where nothing was learned from preparing.
    var blockSeconds: Double?
    /// How many blocks each open metric may still need; `nil` for one that is out of sight.
    var needed: [Int?]
    /// The same of the metrics that matter most, which are among ``needed``.
    var headline: [Int?] = []
    /// Blocks that it may have in all.
    var most = Int.max
    /// Whether the estimates of the open ones that matter most are narrow enough to be worth telling.
    var isTold = false
    /// Whether it had its estimate and made room for the others: then it has no first answer to be brought to.
    var hasWaited = false

    /// After how many blocks there is an estimate, or there are no more.
    var forEstimate: Int { min(telling, most) }
  }

  /// Forecasts from a few blocks are rough: a layer is given up only when its first answer is this many times farther away
  /// than the time that is left. One of which fewer than five blocks fit is not given more than there is.
  static let patience = 1.5

  /// With so many blocks a metric has an estimate and an interval. A layer that can't have so many is not begun.
  static let telling = 3

  /// The index of the next candidate; `nil` when no further block can be expected to decide anything in the time left, or to make an
  /// estimate worth telling of what matters most. As long as a metric that matters most can be decided, only those are looked at; but a
  /// layer whose answer would take more than a third of the time left gets as many blocks as an estimate takes, and goes on when the
  /// others are through.
  /// - Parameters:
  ///   - least: After how many blocks a metric can be called different at all.
  ///   - leastHeadline: The same of those that matter most.
  static func next(_ candidates: [Candidate], least: Int, leastHeadline: Int, secondsLeft: Double) -> Int? {
    let first = candidates.map { candidate in
      var candidate = candidate
      candidate.needed = candidate.headline
      let open = candidate.headline.compactMap(\.self).min() ?? .max
      // "One more block" may be said block after block: what took long so far may take half as long again.
      let overdue = candidate.blocks > leastHeadline ? candidate.blocks / 2 : 0
      let nearest = max(open, leastHeadline - candidate.blocks, overdue)
      let isDear = Double(nearest) * (candidate.blockSeconds ?? 0) > secondsLeft / 3
      guard !candidate.headline.isEmpty, isDear else { return candidate }
      let estimate = candidate.forEstimate - candidate.blocks
      candidate.needed = estimate > 0 ? [estimate] : []
      return candidate
    }
    if let index = next(first, least: leastHeadline, secondsLeft: secondsLeft) { return index }
    let all = candidates.map { candidate in
      var candidate = candidate
      candidate.hasWaited = !candidate.headline.isEmpty && candidate.blocks >= candidate.forEstimate
      return candidate
    }
    return next(all, least: least, secondsLeft: secondsLeft)
      ?? candidates.firstIndex {
        !$0.headline.isEmpty && !$0.isTold && $0.blocks >= $0.forEstimate && ($0.blockSeconds ?? 0) <= secondsLeft
      }
  }

  /// Each layer that can get so far is brought to its first answer, the nearest one first: a small budget answers something rather than
  /// nearly everything. From there on the layer goes first that decides most metrics a second, going by the forecasts of its open metrics;
  /// of equals the one with fewer blocks.
  /// - Parameter least: After how many blocks a metric can be decided at all.
  static func next(_ candidates: [Candidate], least: Int, secondsLeft: Double) -> Int? {
    guard secondsLeft > 0 else { return nil }
    let open = candidates.indices.filter { !candidates[$0].needed.isEmpty }
    // What a block takes is not known: it is worth one.
    if let unknown = open.first(where: { candidates[$0].blockSeconds == nil }) { return unknown }
    let worthwhile = open.compactMap { index in
      value(candidates[index], secondsLeft: secondsLeft).map { (index: index, value: $0) }
    }
    let early = worthwhile.filter { candidates[$0.index].blocks < least && !candidates[$0.index].hasWaited }
    let nearest = early.min { secondsToGo(candidates[$0.index], least) < secondsToGo(candidates[$1.index], least) }
    if let nearest { return nearest.index }
    return worthwhile.max { ($0.value, -candidates[$0.index].blocks) < ($1.value, -candidates[$1.index].blocks) }?.index
  }

  private static func secondsToGo(_ candidate: Candidate, _ least: Int) -> Double {
    Double(least - candidate.blocks) * (candidate.blockSeconds ?? 0)
  }

  /// Metrics decided a second; `nil` where none can be hoped for, and no estimate either.
  private static func value(_ candidate: Candidate, secondsLeft: Double) -> Double? {
    let cost = max(candidate.blockSeconds ?? 0, 1e-6)
    guard cost <= secondsLeft else { return nil }
    let estimate = candidate.forEstimate - candidate.blocks
    guard estimate <= 0 || Double(estimate) * cost <= secondsLeft else { return nil }
    let limit = cost * 5 > secondsLeft ? secondsLeft : secondsLeft * patience
    let needed = candidate.needed.compactMap { $0 }.sorted().filter { Double($0) * cost <= limit }
    let value = needed.enumerated().map { Double($0.offset + 1) / (Double($0.element) * cost) }.max()
    // Until there is an estimate no forecast is worth much.
    return value ?? (estimate > 0 ? 1 / (Double(estimate) * cost) : nil)
  }
}
