import Foundation
import SSH
import Shared

/// A line of authorized_keys (sshd(8)) that lets a key start the agent and do nothing else.
struct AuthorizedLine {
  var key: PublicKeyLine
  /// The agent's home, where it is not `~/.cf-bench`: an absolute path.
  var home: String?
  /// As sshd writes it: `20261231` or `202612312359`.
  var expires: String?

  init(key: PublicKeyLine, home: String? = nil, expires: String? = nil) throws {
    self.key = key
    self.home = try home.map(Self.checkedHome)
    self.expires = try expires.map { try Self.timeSpecification($0) }
  }

  var text: String {
    var options = ["restrict", "command=\"\(command)\""]
    if let expires { options.append("expiry-time=\"\(expires)\"") }
    return "\(options.joined(separator: ",")) \(key.type) \(key.key)" + (key.comment.isEmpty ? "" : " \(key.comment)")
  }

  /// Means the same to every login shell, which sshd has run it.
  private var command: String {
    guard let home else { return "~/.cf-bench/cf-bench-agent serve" }
    return "env CF_BENCH_HOME=\(home) \(home)/cf-bench-agent serve"
  }

  private static func checkedHome(_ path: String) throws -> String {
    func isPlain(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "@"):
        true
      default: false
      }
    }
    let parts = path.split(separator: "/")
    guard path.hasPrefix("/"), path.utf8.allSatisfy(isPlain), !parts.isEmpty, !parts.contains("..") else {
      throw Problem(
        what: "'\(path)' can't be the agent's home in a line of authorized_keys",
        why: "a shell reads it there: an absolute path of letters, digits and ./_-+@ is safe",
        fix: "write --home /srv/cf-bench, or leave it out for ~/.cf-bench", exitStatus: .usage)
    }
    return "/" + parts.joined(separator: "/")
  }

  /// Takes `2026-12-31`, `2026-12-31T23:59` and sshd's own forms without the punctuation; the benchmark host's time of day.
  static func timeSpecification(_ text: String, now: Date = .now) throws -> String {
    let digits = text.filter { $0 != "-" && $0 != ":" && $0 != "T" }
    let parts = digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Array(digits.utf8).map { Int($0) - 0x30 } : []
    func number(_ range: Range<Int>) -> Int { parts[range].reduce(0) { $0 * 10 + $1 } }
    func refusal(_ why: String) -> Problem {
      Problem(
        what: "'\(text)' is not a date", why: why,
        fix: "write --expires 2027-01-31, or 2027-01-31T18:00",
        exitStatus: .usage)
    }
    guard parts.count == 8 || parts.count == 12 else { throw refusal("a date, or a date and a time of day, is") }
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let hasTime = parts.count == 12
    let wanted = DateComponents(
      year: number(0..<4), month: number(4..<6), day: number(6..<8), hour: hasTime ? number(8..<10) : 0,
      minute: hasTime ? number(10..<12) : 0)
    // The calendar rolls 31 April over into May: what does not come back was no date.
    guard let date = calendar.date(from: wanted),
      calendar.dateComponents([.year, .month, .day, .hour, .minute], from: date) == wanted
    else { throw refusal("there is no such day or time") }
    guard date > now else { throw refusal("it is over") }
    return digits
  }
}
