import Foundation

/// What is fuzzed. Each takes any bytes, and throws ``BrokenPromise`` when the code under it does not keep its word; a crash, a
/// hang or too much memory are for the fuzzer to see.
enum FuzzTarget: String, CaseIterable, Sendable {
  /// `LineFramer`: cutting the stream anywhere gives the same lines.
  case lines
  /// `NumberedEvent.number(ofLine:)`: found without decoding, it is what decoding finds.
  case numbers
  /// `JournalChain`: what was sealed fits, and nothing else does.
  case chain
  /// `AgentRequest`, `AgentMessage`, `NumberedEvent`: what can be read can be written, and read again as the same.
  case requests, messages, events
  /// `JournalWriter` on any file: what fits is kept, the rest is not, and the journal goes on.
  case journal

  /// Whether the input could be read so far that the promise was put to the test.
  @discardableResult
  func check(_ input: [UInt8]) throws -> Bool {
    switch self {
    case .lines: try LineProperties.check(input)
    case .numbers: try NumberProperties.check(input)
    case .chain: try ChainProperties.check(input)
    case .requests: try MessageProperties.checkRequest(input)
    case .messages: try MessageProperties.checkMessage(input)
    case .events: try MessageProperties.checkEvent(input)
    case .journal: try JournalProperties.check(input)
    }
  }
}

struct BrokenPromise: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

func promise(_ holds: Bool, _ words: @autoclosure () -> String) throws {
  if !holds { throw BrokenPromise(words()) }
}
