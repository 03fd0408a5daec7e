import Shared

/// What a call weighs on both sides, in the unit of the profiles, and whether the difference says anything.
struct FrameChange: Equatable {
  var base: Double
  var head: Double

  /// From `head` spending much less to `head` spending much more.
  enum Step: String, CaseIterable {
    case muchLess, less, aLittleLess, same, aLittleMore, more, muchMore
  }

  var difference: Double { head - base }

  /// Steps at a quarter and at half of the heavier side: a call that one side lacks is on the outermost step.
  func step(_ noise: Noise) -> Step {
    guard abs(difference) > noise.threshold(base, head) else { return .same }
    let isMore = difference > 0
    switch abs(difference) / max(base, head) {
    case ...0.25: return isMore ? .aLittleMore : .aLittleLess
    case ...0.5: return isMore ? .more : .less
    default: return isMore ? .muchMore : .muchLess
    }
  }

  /// Differences that two profiles of the same code have too.
  struct Noise: Equatable {
    /// Of the heavier side.
    static let share = 0.03
    /// Of the heavier whole.
    static let shareOfTotal = 0.001

    var total: Double
    /// What one sample weighs; 0 where nothing is sampled.
    var sample: Double

    /// Time is sampled: the lightest stack is one sample, or a few where light ones were left out
    /// (both sides are sampled alike, so the lighter one says more). Tools for memory count.
    init(_ profiles: [StackProfile]) {
      total = profiles.map(\.total).max() ?? 0
      let sampled = profiles.filter { $0.unit == .seconds }
      sample = sampled.compactMap { $0.drawable.map(\.value).min() }.min() ?? 0
    }

    /// The standard deviation of a difference of two counts is the root of their sum (Poisson); twice that is noise.
    func threshold(_ base: Double, _ head: Double) -> Double {
      max(Self.share * max(base, head), Self.shareOfTotal * total, 2 * (sample * (base + head)).squareRoot())
    }
  }
}
