import CLibrary

/// Cuts a stream of bytes into lines. Pure: bytes in, lines out; comes to the same lines wherever the stream is cut.
public struct LineFramer: Sendable {
  private var pending: [UInt8] = []
  private let limit: Int

  public init(limit: Int = WireLine.maximumBytes) { self.limit = limit }

  /// Bytes that came after the last newline.
  public var unfinished: Int { pending.count }

  /// Takes the next bytes and hands each finished line, without its newline, to `line`.
  /// - Throws: ``WireError/lineTooLong(limit:)`` once a line passes the limit; what came before it has been handed out.
  public mutating func append(
    _ bytes: UnsafeRawBufferPointer, line: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var start = 0
    while let newline = Self.newline(in: bytes, from: start) {
      let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<newline])
      if pending.isEmpty {
        guard piece.count <= limit else { throw WireError.lineTooLong(limit: limit) }
        try line(piece)
      } else {
        pending.append(contentsOf: piece)
        guard pending.count <= limit else { throw WireError.lineTooLong(limit: limit) }
        let whole = pending
        pending.removeAll(keepingCapacity: true)
        try whole.withUnsafeBytes(line)
      }
      start = newline + 1
    }
    pending.append(contentsOf: bytes[start...])
    guard pending.count <= limit else { throw WireError.lineTooLong(limit: limit) }
  }

  /// `memchr` looks at many bytes at once, which is most of the work where lines are many.
  private static func newline(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard start < bytes.count, let base = bytes.baseAddress,
      let found = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
    else { return nil }
    return UnsafeRawPointer(found) - base
  }

  /// The finished lines of `bytes`, as arrays.
  public mutating func lines(of bytes: [UInt8]) throws -> [[UInt8]] {
    var lines: [[UInt8]] = []
    try bytes.withUnsafeBytes { try append($0) { lines.append(Array($0)) } }
    return lines
  }
}
