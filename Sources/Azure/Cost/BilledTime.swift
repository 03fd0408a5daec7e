import FoundationEssentials

/// A stretch of time in which a VM was on.
public struct BilledTime: Sendable, Equatable {
  public var from: Date
  public var to: Date

  public init(from: Date, to: Date) {
    self.from = from
    self.to = max(from, to)
  }

  public var seconds: TimeInterval { to.timeIntervalSince(from) }

  /// Seconds of it in each month, `2026-01`, UTC.
  public var months: [String: TimeInterval] {
    var months: [String: TimeInterval] = [:]
    var moment = from
    while moment < to {
      let end = min(to, Month.end(of: moment))
      months[Month.name(moment), default: 0] += end.timeIntervalSince(moment)
      moment = end
    }
    return months
  }

  /// The same time without overlaps: a VM that two commands had at once is billed once.
  public static func union(_ times: [BilledTime]) -> [BilledTime] {
    times.sorted { $0.from < $1.from }.reduce(into: []) { merged, next in
      if let last = merged.last, next.from <= last.to {
        merged[merged.count - 1].to = max(last.to, next.to)
      } else {
        merged.append(next)
      }
    }
  }
}

/// Months of the calendar that bills go by: UTC.
public enum Month {
  private static let calendar: Calendar = {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    return calendar
  }()

  /// `2026-01`.
  public static func name(_ date: Date = .now) -> String { String(TagMoment.text(date).prefix(7)) }

  /// The first moment of the next one.
  static func end(of date: Date) -> Date {
    calendar.dateInterval(of: .month, for: date)?.end ?? date + 86_400
  }

  public static func isName(_ text: String) -> Bool {
    text.wholeMatch(of: /\d{4}-(0[1-9]|1[0-2])/) != nil
  }
}
