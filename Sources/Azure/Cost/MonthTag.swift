import FoundationEssentials

/// How long the VM was on this month, kept at the VM itself: `cf-bench-month` is `2026-01=12345`, seconds. All
/// controllers add to it, so it knows what others spent. `cf-bench-counted` is the moment up to which it counts, so that
/// time in which two of them had the VM is counted once.
///
/// Two that end within a second of each other may overwrite one another's sum; each one's own ledger has its share.
public struct MonthTag: Sendable, Equatable {
  static let tag = "cf-bench-month"
  static let countedTag = "cf-bench-counted"

  public var month: String
  public var seconds: TimeInterval
  var counted: Date?

  /// `nil` where there is none, or one that can't be read.
  public init?(board: LeaseTags) {
    guard let parts = board[Self.tag]?.split(separator: "=", maxSplits: 1).map(String.init), parts.count == 2,
      Month.isName(parts[0]), let seconds = Int(parts[1]), seconds >= 0
    else { return nil }
    month = parts[0]
    self.seconds = TimeInterval(seconds)
    counted = board[Self.countedTag].flatMap(TagMoment.date)
  }

  private init(month: String, seconds: TimeInterval, counted: Date) {
    self.month = month
    self.seconds = seconds
    self.counted = counted
  }

  /// The tags after one more stretch of time; a new month starts over.
  static func tags(adding time: BilledTime, to board: LeaseTags) -> [String: String] {
    let before = MonthTag(board: board)
    let month = Month.name(time.to)
    let counted = BilledTime(from: max(time.from, before?.counted ?? time.from), to: time.to)
    let sum = (before?.month == month ? before?.seconds ?? 0 : 0) + (counted.months[month] ?? 0)
    return [
      tag: "\(month)=\(Int(sum.rounded(.up)))",
      countedTag: TagMoment.text(max(time.to, before?.counted ?? time.to)),
    ]
  }
}
