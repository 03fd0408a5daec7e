import CLibrary
import Shared

/// A ratio of head over base in words: whole percents or two digits of a factor, and finer where its interval is narrow enough.
struct RatioFormatter: Equatable, Sendable {
  var ratio: Double
  var interval: ClosedRange<Double>?

  init(ratio: Double, interval: ClosedRange<Double>?) {
    self.ratio = ratio
    self.interval = interval
  }

  init(_ metric: ComparisonDocument.Metric) {
    ratio = metric.ratio
    if let low = metric.low, let high = metric.high, low <= high { interval = low...high }
  }

  /// The change as a percentage: `-73%`, `+4.5%`.
  var percent: String {
    let percent = (ratio - 1) * 100
    // Whole percents are enough for a large change, tenths for a small one.
    let finest = abs(percent) < 10 ? -1 : 0
    let exponent = Self.exponent(of: percent, finest: finest, width: interval.map { 100 * Self.width($0) })
    // Never coarser than whole percents: the medians stand beside it, and the interval says how sure it is.
    return Self.signed(percent, to: min(0, exponent))
  }

  /// The interval as a change: `-74…-72%`; `nil` where it has no end on a side.
  var range: String? {
    guard let interval, interval.lowerBound.isFinite, interval.upperBound.isFinite else { return nil }
    let ends = [interval.lowerBound, interval.upperBound].map { ($0 - 1) * 100 }
    let width = ends[1] - ends[0]
    // One digit more than the width's first, so that a narrow interval is not told as one number.
    let exponent = width > 0 ? min(0, Int(log10(width).rounded(.down)) - 1) : 0
    let words = ends.map { Self.signed($0, to: max(-1, exponent)).dropLast() }
    return "\(words[0])…\(words[1])%"
  }

  /// How many times faster or slower: `3.75x`; `nil` when the percentage says it better.
  var factor: String? {
    guard ratio > 0 else { return nil }
    let factor = ratio < 1 ? 1 / ratio : ratio
    guard factor >= 1.5 else { return nil }
    let range = interval.flatMap { $0.lowerBound > 0 ? (ratio < 1 ? 1 / $0.upperBound...1 / $0.lowerBound : $0) : nil }
    let finest = Int(log10(factor).rounded(.down)) - 2
    let exponent = Self.exponent(of: factor, finest: finest, width: range.map { Self.width($0) })
    // Two digits at least: the medians stand beside it.
    return Numbers.rounded(factor, to: min(exponent, Int(log10(factor).rounded(.down)) - 1)) + "x"
  }

  /// `62x faster`, `18% less time`, `8% slower`: a percentage of time is no percentage of speed, so it says which.
  var faster: String {
    if let factor { return "\(factor) \(ratio < 1 ? "faster" : "slower")" }
    return "\(percent.drop { $0 == "-" || $0 == "+" }) \(ratio < 1 ? "less time" : "slower")"
  }

  /// The same of memory: `6.4x less`, `5% more`.
  var smaller: String {
    let amount = factor ?? String(percent.drop { $0 == "-" || $0 == "+" })
    return "\(amount) \(ratio < 1 ? "less" : "more")"
  }

  private static func width(_ range: ClosedRange<Double>) -> Double { range.upperBound - range.lowerBound }

  /// The power of ten to round to: the leading digit of the interval's width, not finer than `finest` and not so
  /// coarse that nothing is left of the value.
  private static func exponent(of value: Double, finest: Int, width: Double?) -> Int {
    let leading = value == 0 ? finest : Int(log10(abs(value)).rounded(.down))
    guard let width, width > 0 else { return min(finest, leading) }
    return max(min(Int(log10(width).rounded(.down)), leading), finest)
  }

  private static func signed(_ percent: Double, to exponent: Int) -> String {
    // Nothing gets faster by all of its time.
    if percent > -100, Numbers.rounded(percent, to: exponent) == "-100" { return percent > -99.9 ? "-99%" : "-99.9%" }
    let text = Numbers.rounded(percent, to: exponent)
    return (percent > 0 && text.contains { ("1"..."9").contains($0) } ? "+" : "") + text + "%"
  }
}
