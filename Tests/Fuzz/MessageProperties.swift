import Shared

/// What can be read can be written, what was written is one line, and reads as the same again.
enum MessageProperties {
  static func checkRequest(_ input: [UInt8]) throws -> Bool {
    guard let request = try readable({ () throws(WireError) in try AgentRequest(line: input) }) else { return false }
    if case .unknown = request { return false }
    let line = try whole(try request.line())
    try promise(try AgentRequest(line: line) == request, "a request reads as another one when it was written again")
    return true
  }

  static func checkMessage(_ input: [UInt8]) throws -> Bool {
    guard let message = try readable({ () throws(WireError) in try self.message(input) }) else { return false }
    if case .unknown = message { return false }
    if case .event(_, let line) = message {
      try promise(line == input, "an event's line was changed")
      return true
    }
    let line = try whole(try message.line())
    try promise(try self.message(line) == message, "a message reads as another one when it was written again")
    return true
  }

  static func checkEvent(_ input: [UInt8]) throws -> Bool {
    guard let event = try readable({ () throws(WireError) in try NumberedEvent(line: input) }) else { return false }
    if case .unknown = event.event { return false }
    // Times are written by the agent alone, which puts nothing into them that JSON would have to escape.
    let plain = NumberedEvent(number: abs(event.number % (1 << 50)), time: "2026-01-31T12:34:56Z", event: event.event)
    let line = try whole(try plain.line())
    try promise(try NumberedEvent(line: line) == plain, "an event reads as another one when it was written again")
    let number = line.withUnsafeBytes { NumberedEvent.number(ofLine: $0) }
    try promise(number == plain.number, "its number is \(plain.number), and \(String(describing: number)) undecoded")
    return true
  }

  private static func message(_ line: [UInt8]) throws(WireError) -> AgentMessage {
    var result: Result<AgentMessage, WireError>?
    line.withUnsafeBytes { bytes in
      result = Result { () throws(WireError) in try AgentMessage(line: bytes) }
    }
    guard let result else { throw .notOurs(excerpt: "", detail: "nothing was read") }
    return try result.get()
  }

  /// What `read` gives; `nil` when it refuses in words that hold no byte a terminal would act on.
  private static func readable<Value>(_ read: () throws(WireError) -> Value) throws -> Value? {
    do { return try read() } catch {
      guard case .notOurs(let excerpt, let detail) = error else { throw BrokenPromise("refused as \(error)") }
      try promise(excerpt.utf8.allSatisfy { (0x20...0x7e).contains($0) }, "the excerpt holds control bytes")
      try promise(!detail.isEmpty, "refused without a reason")
      return nil
    }
  }

  /// A line without its newline, which must be its only one.
  private static func whole(_ line: [UInt8]) throws -> [UInt8] {
    try promise(line.last == UInt8(ascii: "\n"), "a line without its end")
    try promise(line.dropLast().firstIndex(of: UInt8(ascii: "\n")) == nil, "a line with a newline inside")
    return Array(line.dropLast())
  }
}
