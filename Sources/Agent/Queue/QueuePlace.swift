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
  ///   - before: the tickets with lower numbers, in their order.
  ///   - lockHolder: the content of the machine's lock, when somebody holds it.
  init(before: [QueueEntry], lockHolder: String?, now: Date = .now) {
    // An agent of the first release has the lock and no ticket.
    let stranger = lockHolder.flatMap { text in before.contains { $0.holder == text } ? nil : text }
    holder = lockHolder ?? before.first?.holder ?? ""
    ahead = before.count + (stranger == nil ? 0 : 1)
    expectedStart = stranger == nil ? now + before.map { $0.secondsLeft(now) }.reduce(0, +) : nil
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
