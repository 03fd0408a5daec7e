import FoundationEssentials
import Shared

/// Who comes before a job, and when its turn may come.
struct QueuePlace: Equatable {
  /// Who has the machine, or will have it next: `JOB of OWNER`.
  var holder: String
  var ahead: Int
  /// `nil` when one of those before it has not said how long it takes.
  var expectedStart: Date?

  /// - Parameters:
  ///   - index: how many tickets have lower numbers.
  ///   - tickets: all, in their order.
  ///   - lockHolder: the content of the machine's lock, when somebody holds it.
  init(before index: Int, of tickets: [QueueEntry], lockHolder: String?, now: Date = .now) {
    var before = Array(tickets[..<index])
    var hasStranger = false
    if let lockHolder, !before.contains(where: { $0.holder == lockHolder }) {
      // A job that got its old place back waits for one with a higher number. An agent of the first release has none.
      if let later = tickets[index...].first(where: { $0.holder == lockHolder }) {
        before.append(later)
      } else {
        hasStranger = true
      }
    }
    holder = lockHolder ?? before.first?.holder ?? ""
    ahead = before.count + (hasStranger ? 1 : 0)
    expectedStart = hasStranger ? nil : now + before.map { $0.secondsLeft(now) }.reduce(0, +)
  }

  var event: Queued {
    Queued(holder: holder, ahead: ahead, expectedStart: expectedStart.map { Timestamp.rfc3339($0) })
  }

  /// Whether this is news for somebody who was told `other`: a start that moved by seconds is not.
  func isNews(after other: QueuePlace?) -> Bool {
    guard let other, other.holder == holder, other.ahead == ahead else { return true }
    guard let start = expectedStart, let told = other.expectedStart else { return expectedStart != other.expectedStart }
    return abs(start.timeIntervalSince(told)) >= 60
  }
}
