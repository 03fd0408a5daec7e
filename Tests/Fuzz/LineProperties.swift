import Shared

/// The first byte of an input sets the longest line, the second where the stream is cut; the rest is the stream.
enum LineProperties {
  static func check(_ input: [UInt8]) throws -> Bool {
    guard input.count >= 2 else { return false }
    let limit = Int(input[0])
    let stream = Array(input[2...])
    let expected = reference(stream, limit: limit)
    var pieces = Pieces(of: stream, seed: input[1])
    var framer = LineFramer(limit: limit)
    var lines: [[UInt8]] = []
    var isTooLong = false
    while !isTooLong, let piece = pieces.next() {
      do { try piece.withUnsafeBytes { try framer.append($0) { lines.append(Array($0)) } } } catch {
        guard case WireError.lineTooLong(limit) = error else { throw error }
        isTooLong = true
      }
      try promise(framer.unfinished <= limit + piece.count, "it keeps \(framer.unfinished) bytes")
    }
    try promise(isTooLong == expected.isTooLong, "too long: \(isTooLong), expected \(expected.isTooLong)")
    try promise(lines == expected.lines, "\(lines.count) lines, expected \(expected.lines.count), or others")
    if !isTooLong {
      try promise(framer.unfinished == expected.rest, "\(framer.unfinished) bytes are left, not \(expected.rest)")
    }
    return true
  }

  /// The same without cutting and without hurry.
  private static func reference(_ stream: [UInt8], limit: Int) -> (lines: [[UInt8]], rest: Int, isTooLong: Bool) {
    var lines: [[UInt8]] = []
    var line: [UInt8] = []
    for byte in stream {
      if byte == UInt8(ascii: "\n") {
        lines.append(line)
        line = []
      } else {
        line.append(byte)
        if line.count > limit { return (lines, line.count, true) }
      }
    }
    return (lines, line.count, false)
  }
}

/// A stream in pieces of 1 to 16 bytes, now and then an empty one or a long one.
private struct Pieces {
  private let stream: [UInt8]
  private var position = 0
  private var state: UInt32

  init(of stream: [UInt8], seed: UInt8) {
    self.stream = stream
    state = UInt32(seed)
  }

  mutating func next() -> [UInt8]? {
    guard position < stream.count else { return nil }
    state = state &* 1_664_525 &+ 1_013_904_223  // any will do: the fuzzer picks the seed
    let chance = Int(state >> 24)
    let length = chance < 16 ? 0 : chance > 250 ? stream.count : chance % 16 + 1
    defer { position = min(stream.count, position + length) }
    return Array(stream[position..<min(stream.count, position + length)])
  }
}
