import FoundationEssentials
import Shared

/// Somebody's claim that the VM be on: a tag of its own, `cf-bench-lease-RUN`, written before the start.
///
/// Every controller has its own tag, and Azure merges tags one by one, so that two can't overwrite each other's.
public struct Lease: Sendable, Equatable {
  public enum Kind: String, Sendable {
    /// For a job: without one, the VM is idle and its watchdog may stop it.
    case run
    /// Somebody asked for the VM to stay on until then.
    case keep
  }

  public var run: String
  public var until: Date
  /// One more than any that was seen: tells a claim from an older one.
  public var generation: Int
  public var kind: Kind
  public var owner: String

  public init(run: String, until: Date, generation: Int, kind: Kind, owner: String) {
    self.run = run
    self.until = until
    self.generation = generation
    self.kind = kind
    self.owner = owner
  }

  static let prefix = "cf-bench-lease-"

  var tag: String { Self.prefix + run }

  var value: String {
    let shortOwner = String(owner.filter { !";=".contains($0) && $0.isASCII }.prefix(100))
    return "until=\(TagMoment.text(until));generation=\(generation);kind=\(kind.rawValue);owner=\(shortOwner)"
  }

  /// `nil` for a tag that is no lease, or one that can't be read: of a newer version, or by another hand.
  init?(tag: String, value: String) {
    guard tag.hasPrefix(Self.prefix) else { return nil }
    let fields = TagFields(value)
    guard let until = fields.moment("until") else { return nil }
    run = String(tag.dropFirst(Self.prefix.count))
    self.until = until
    generation = fields["generation"].flatMap { Int($0) } ?? 0
    kind = fields["kind"].flatMap { Kind(rawValue: $0) } ?? .run
    owner = fields["owner"] ?? "somebody"
  }

  /// Clocks of controllers differ; a lease counts for this much longer than it says.
  public static let grace: TimeInterval = 120

  public func isOver(at now: Date = .now) -> Bool { until + Self.grace < now }
}

/// `a=b;c=d`, as in our tags.
struct TagFields {
  private var fields: [Substring: Substring] = [:]

  init(_ value: String) {
    for field in value.split(separator: ";") {
      guard let equals = field.firstIndex(of: "=") else { continue }
      fields[field[..<equals]] = field[field.index(after: equals)...]
    }
  }

  subscript(name: String) -> String? { fields[name[...]].map { String($0) } }
  func moment(_ name: String) -> Date? { self[name].flatMap(TagMoment.date) }
}

/// `2026-01-31T12:34:56Z`: to the second, UTC.
public enum TagMoment {
  private static let style = Date.ISO8601FormatStyle(timeZone: .gmt)
  public static func text(_ date: Date) -> String { date.formatted(style) }
  static func date(_ text: String) -> Date? { try? style.parse(text) }
}
