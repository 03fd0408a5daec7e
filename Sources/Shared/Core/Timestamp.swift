import FoundationEssentials

/// Moments as text: always UTC.
public enum Timestamp {
  /// RFC 3339 with milliseconds: `2026-01-31T12:34:56.789Z`. For events and documents.
  public static func rfc3339(_ date: Date = .now) -> String {
    date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt))
  }

  /// The moment that ``rfc3339(_:)`` wrote.
  public static func date(_ text: String) throws -> Date {
    try Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt).parse(text)
  }

  /// ISO 8601 basic form: `20260131T123456Z`. For the names of folders.
  public static func folder(_ date: Date = .now) -> String {
    rfc3339(date).prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
  }
}
