import Foundation
import Shared
import Testing

@Suite("The wire: one line, one message")
struct WireTests {
  private func withoutNewline(_ line: [UInt8]) throws -> [UInt8] {
    #expect(line.last == UInt8(ascii: "\n"))
    let body = Array(line.dropLast())
    #expect(!body.contains(UInt8(ascii: "\n")), "a message must stay one line")
    return body
  }

  private func message(_ text: String) throws -> AgentMessage {
    try Self.message(Array(text.utf8))
  }
  private static func message(_ line: [UInt8]) throws -> AgentMessage {
    try line.withUnsafeBytes { try AgentMessage(line: $0) }
  }

  @Test("every request is read back as it was sent")
  func requests() throws {
    let requests = try EveryMessage.requests()
    for request in requests { #expect(try AgentRequest(line: withoutNewline(request.line())) == request) }
    #expect(Set(requests.map { "\($0)".prefix { $0 != "(" } }).count == 13, "a kind of request has no value here")
  }

  @Test("every message is read back as it was sent")
  func messages() throws {
    let messages = try EveryMessage.messages()
    for message in messages { #expect(try Self.message(withoutNewline(message.line())) == message) }
    #expect(Set(messages.map { "\($0)".prefix { $0 != "(" } }).count == 14, "a kind of message has no value here")
  }

  @Test("every event is read back as it was written, and travels as the very same bytes")
  func events() throws {
    let events = try EveryMessage.numbered()
    for event in events {
      let line = try withoutNewline(event.line())
      #expect(try NumberedEvent(line: line) == event)
      let message = try Self.message(line)
      #expect(message == .event(number: event.number, line: line))
      #expect(try message.line() == event.line())
    }
    #expect(Set(events.map { "\($0.event)".prefix { $0 != "(" } }).count == 24, "a kind of event has no value here")
  }

  @Test("fields that a newer release adds are passed over, at every level")
  func addedFields() throws {
    let ping = #"{"v":1,"type":"ping","new":[1,{"a":null}],"body":{"number":4,"colour":"blue"}}"#
    #expect(try AgentRequest(line: Array(ping.utf8)) == .ping(Ping(number: 4)))
    #expect(try message(ping.replacing("ping", with: "pong")) == .pong(Ping(number: 4)))
    let event = #"{"seq":5,"type":"phase","time":"t","shade":1,"body":{"text":"x","more":{}}}"#
    #expect(try NumberedEvent(line: event.utf8).event == .phase(Phase(text: "x")))
  }

  @Test("kinds that a newer release adds are kept as unknown, an event with its bytes")
  func unknownKinds() throws {
    #expect(try AgentRequest(line: Array(#"{"v":1,"type":"dance","body":7}"#.utf8)) == .unknown(type: "dance"))
    #expect(try message(#"{"v":1,"type":"dance"}"#) == .unknown(type: "dance"))
    let event = #"{"seq":8,"type":"dance","time":"t","body":[1,2]}"#
    #expect(try message(event) == .event(number: 8, line: Array(event.utf8)))
    #expect(try NumberedEvent(line: event.utf8) == NumberedEvent(number: 8, time: "t", event: .unknown(type: "dance")))
    // The number is found even where another writer puts it last.
    let late = #"{"type":"dance","time":"t","body":[1,2],"seq":8}"#
    #expect(try message(late) == .event(number: 8, line: Array(late.utf8)))
    #expect(throws: WireError.self) { try AgentRequest.unknown(type: "dance").line() }
    #expect(throws: WireError.self) { try AgentMessage.unknown(type: "dance").line() }
    #expect(throws: WireError.self) {
      try NumberedEvent(number: 1, time: "t", event: .unknown(type: "dance")).line()
    }
  }

  @Test("an event whose body this release can't decode is one of an unknown kind, with the reason")
  func undecodable() throws {
    let text = #"{"seq":4,"type":"sample","time":"t","body":{"layer":"dance"}}"#
    let event = try NumberedEvent(line: text.utf8)
    guard case .unknown = event.event else {
      Issue.record("decoded as \(event)")
      return
    }
    #expect(event.number == 4 && event.time == "t")
  }

  @Test(
    "what is no message is refused with words, and its start made safe for a terminal",
    arguments: [
      "", "{", "Welcome to Ubuntu\u{1B}[31m", "[]", "null", #"{"v":1}"#, #"{"v":1,"type":"pong"}"#,
      #"{"v":1,"type":"pong","body":{"number":"x"}}"#,
    ])
  func garbage(text: String) throws {
    let error = try #require(throws: WireError.self) { try message(text) }
    let words = error.problem.rendered
    #expect(!words.contains("\u{1B}") && !words.contains("Decod") && !words.contains("AgentMessage"))
    #expect(throws: WireError.self) { try AgentRequest(line: Array(text.replacing("pong", with: "ping").utf8)) }
    #expect(throws: WireError.self) { try NumberedEvent(line: text.utf8) }
  }

  @Test("a missing field is named with its path")
  func missingField() throws {
    let text = #"{"v":1,"type":"doctor","body":{"checks":[{"id":"a","status":"ok"}]}}"#
    let error = try #require(throws: WireError.self) { try message(text) }
    #expect(error.why == "the field 'body.checks[0].detail' is missing")
  }

  @Test("a line over the bound can't be written")
  func bound() throws {
    let fits = JobEvent.phase(Phase(text: String(repeating: "x", count: WireLine.maximumBytes - 100)))
    #expect(try NumberedEvent(number: 1, time: "t", event: fits).line().count <= WireLine.maximumBytes + 1)
    let tooLong = JobEvent.phase(Phase(text: String(repeating: "x", count: WireLine.maximumBytes)))
    #expect(throws: WireError.lineTooLong(limit: WireLine.maximumBytes)) {
      try NumberedEvent(number: 1, time: "t", event: tooLong).line()
    }
  }

  @Test(
    "the number of a journal's line is found without decoding, and in no other line",
    arguments: [
      (#"{"seq":1,"type""#, 1), (#"{"seq":1234567890123,"#, 1_234_567_890_123), (#"{"seq":,"#, nil),
      (#"{"seq":12"#, nil),
      (#"{"seq":-1,"#, nil), (#"{"seq":1.5,"#, nil), (#"{"seq":1}"#, nil), (#" {"seq":1,"#, nil), (#"{"sea":1,"#, nil),
      ("", nil),
      (#"{"seq":99999999999999999999999999,"#, nil),
    ] as [(String, Int?)])
  func fastNumber(line: String, number: Int?) {
    #expect(Array(line.utf8).withUnsafeBytes { NumberedEvent.number(ofLine: $0) } == number)
  }
}

@Suite("The line framer")
struct LineFramerTests {
  @Test("comes to the same lines wherever the stream is cut")
  func everyCut() throws {
    let stream = Array("\none\n\ntwo with some length\r\n{\"a\":1}\nunfinished".utf8)
    let expected = ["", "one", "", "two with some length\r", "{\"a\":1}"]
    for first in 0...stream.count {
      for second in first...stream.count {
        var framer = LineFramer(limit: 30)
        let pieces = [stream[..<first], stream[first..<second], stream[second...]]
        let lines = try pieces.flatMap { try framer.lines(of: Array($0)) }
        #expect(lines.map { String(decoding: $0, as: UTF8.self) } == expected, "cut at \(first) and \(second)")
        #expect(framer.unfinished == 10)
      }
    }
  }

  @Test("a line of just the limit passes, one byte more ends it, however the bytes come", arguments: [1, 2, 3, 7, 100])
  func limit(chunk: Int) throws {
    func feed(_ bytes: [UInt8]) throws -> Int {
      var framer = LineFramer(limit: 16)
      var lines = 0
      for start in stride(from: 0, to: bytes.count, by: chunk) {
        lines += try framer.lines(of: Array(bytes[start..<min(start + chunk, bytes.count)])).count
      }
      return lines
    }
    #expect(try feed(Array("0123456789abcdef\n0123456789abcdef\n".utf8)) == 2)
    #expect(throws: WireError.lineTooLong(limit: 16)) { try feed(Array("ok\n0123456789abcdef0\n".utf8)) }
    #expect(throws: WireError.lineTooLong(limit: 16)) { try feed(Array("0123456789abcdef0".utf8)) }
  }
}

@Suite("The hash chain over a journal")
struct JournalChainTests {
  private func sealed(_ count: Int) throws -> [[UInt8]] {
    var chain = JournalChain()
    return try (1...count).map { number in
      chain.seal(
        try NumberedEvent(
          number: number, time: "2026-01-31T12:34:56Z", event: .phase(Phase(text: "step \(number)"))
        ).line())
    }
  }

  private func verdicts(_ lines: [[UInt8]]) -> [JournalChain.Verdict] {
    var chain = JournalChain()
    return lines.map { line in line.dropLast().withUnsafeBytes { chain.take($0) } }
  }

  @Test("every line that was sealed fits, is still the same event, and names its hash")
  func fits() throws {
    let lines = try sealed(20)
    #expect(verdicts(lines) == Array(repeating: .fits, count: 20))
    for (index, line) in lines.enumerated() {
      let event = try NumberedEvent(line: line.dropLast())
      #expect(event.number == index + 1 && event.event == .phase(Phase(text: "step \(index + 1)")))
      #expect(line.dropLast().withUnsafeBytes { JournalChain.hash(ofLine: $0) }?.count == 32)
    }
  }

  @Test("a changed bit, a lost line, a swapped pair and a line without a hash are seen where they stand")
  func breaks() throws {
    let lines = try sealed(6)
    for bit in 0..<(lines[2].count - 1) * 8 {
      var changed = lines
      changed[2][bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(verdicts(changed)[2] != .fits, "bit \(bit)")
    }
    #expect(verdicts([lines[0], lines[2]]) == [.fits, .broken])
    #expect(verdicts([lines[0], lines[2], lines[1]])[1] == .broken)
    let plain = try NumberedEvent(number: 2, time: "t", event: .phase(Phase(text: "x"))).line()
    #expect(verdicts([lines[0], plain]) == [.fits, .broken])
  }

  @Test("lines of the first release, which have no hash, are taken as they are until a sealed one comes")
  func unsealed() throws {
    let plain = try (1...3).map { try NumberedEvent(number: $0, time: "t", event: .phase(Phase(text: "x"))).line() }
    #expect(verdicts(plain) == [.unsealed, .unsealed, .unsealed])
    #expect(verdicts(plain + [try sealed(1)[0]]).last == .fits)
  }
}
