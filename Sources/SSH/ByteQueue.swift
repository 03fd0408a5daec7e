/// Chunks of bytes, first in, first out.
struct ByteQueue: Sendable {
  private var chunks: [[UInt8]] = []
  private var head = 0
  /// Bytes in it.
  private(set) var count = 0

  var isEmpty: Bool { head == chunks.count }

  mutating func append(_ chunk: [UInt8]) {
    guard !chunk.isEmpty else { return }
    chunks.append(chunk)
    count += chunk.count
  }

  mutating func popFirst() -> [UInt8]? {
    guard head < chunks.count else { return nil }
    let chunk = chunks[head]
    chunks[head] = []
    head += 1
    count -= chunk.count
    if head == chunks.count {
      chunks.removeAll(keepingCapacity: true)
      head = 0
    }
    return chunk
  }

  /// The first chunk, with the following ones joined to it while they fit into `limit` bytes: many small messages travel in
  /// one packet.
  mutating func popJoined(upTo limit: Int) -> [UInt8]? {
    guard var joined = popFirst() else { return nil }
    while head < chunks.count, joined.count + chunks[head].count <= limit, let next = popFirst() { joined += next }
    return joined
  }

  mutating func removeAll() { self = ByteQueue() }
}
