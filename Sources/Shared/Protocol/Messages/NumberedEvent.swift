import FoundationEssentials

/// One line of a job's journal. Numbers start at 1 and have no gaps.
public struct NumberedEvent: Equatable, Sendable {
  public var number: Int
  /// When the agent wrote it, RFC 3339 in UTC.
  public var time: String
  public var event: JobEvent

  public init(number: Int, time: String, event: JobEvent) {
    self.number = number
    self.time = time
    self.event = event
  }

  /// The number at the start of a journal line (`{"seq":12,…`), found without decoding; `nil` for any other line.
  public static func number(ofLine line: UnsafeRawBufferPointer) -> Int? {
    let prefix = StaticString("{\"seq\":")
    guard line.count > prefix.utf8CodeUnitCount else { return nil }
    for index in 0..<prefix.utf8CodeUnitCount where line[index] != prefix.utf8Start[index] { return nil }
    var number = 0
    var index = prefix.utf8CodeUnitCount
    while index < line.count, number < 1 << 50, (0x30...0x39).contains(line[index]) {
      number = number * 10 + Int(line[index] - 0x30)
      index += 1
    }
    return index > prefix.utf8CodeUnitCount && index < line.count && line[index] == UInt8(ascii: ",") ? number : nil
  }

  /// The event as a line of the journal, newline included.
  public func line() throws(WireError) -> [UInt8] {
    try event.withBody(number: number, time: time)
  }

  /// Reads a line of a journal; one whose body can't be decoded is an event of an unknown kind.
  /// - Throws: ``WireError/notOurs(excerpt:detail:)``
  public init(line: some Sequence<UInt8>) throws(WireError) {
    let data = Data(line)
    do {
      let envelope = try JSONDecoder().decode(Envelope.self, from: data)
      guard let number = envelope.seq else {
        throw WireError.notOurs(excerpt: WireError.excerpt(of: data), detail: "it has no number")
      }
      self.init(number: number, time: envelope.time ?? "", event: JobEvent(type: envelope.type, data: data))
    } catch let error as WireError {
      throw error
    } catch {
      throw .notOurs(excerpt: WireError.excerpt(of: data), detail: DecodingErrorText.describe(error))
    }
  }
}
