import Foundation
import Shared

/// A job's place in the queue, for its owner.
enum QueueFormatter {
  /// `2 jobs ahead; ada@laptop measures (20260131T123456Z-k3); expected to start at 14:05`.
  static func line(_ queued: Queued, timeZone: TimeZone = .current) -> String {
    var parts: [String] = []
    if let ahead = queued.ahead { parts.append("\(ahead) job\(ahead == 1 ? "" : "s") ahead") }
    let words = queued.holder.split(separator: " ", maxSplits: 2).map(String.init)
    if words.count == 3, words[1] == "of" {
      parts.append("\(words[2]) measures (\(words[0]))")
    } else {
      parts.append(queued.holder.isEmpty ? "somebody measures" : "\(queued.holder) measures")
    }
    // A time that can't be read is left out: the place says the most.
    if let start = queued.expectedStart.flatMap({ try? Timestamp.date($0) }) {
      parts.append("expected to start at \(clock(start, timeZone))")
    }
    return "waiting for the machine: " + parts.joined(separator: "; ")
  }

  private static func clock(_ date: Date, _ timeZone: TimeZone) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = timeZone
    let parts = calendar.dateComponents([.hour, .minute], from: date)
    func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
    return "\(two(parts.hour)):\(two(parts.minute))"
  }
}
