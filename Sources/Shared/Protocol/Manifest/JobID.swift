/// The name of a job, safe as a folder's name: letters, digits, `-`, `_`, `.`; at most 96 of them; no leading dot or dash.
public struct JobID: Hashable, Sendable, CustomStringConvertible {
  public let text: String
  public var description: String { text }

  /// `nil` when `text` could not be a folder's name.
  public init?(_ text: String) {
    guard (1...96).contains(text.utf8.count), let first = text.utf8.first, first != UInt8(ascii: "."),
      first != UInt8(ascii: "-"), text.utf8.allSatisfy(Self.isAllowed)
    else { return nil }
    self.text = text
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}

extension JobID: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let id = JobID(text) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "a job id has 1 to 96 letters, digits, '-', '_' or '.', and starts with none of '.' and '-'")
    }
    self = id
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
