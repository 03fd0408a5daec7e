/// What passes between the users of a channel and the loop's thread. Each part has its own lock, held only to move values.
final class ChannelBuffers: Sendable {
  /// Bytes on the way out that suspend ``SSHChannel/send(_:)``.
  static let outgoingLimit = 1 << 20
  /// Bytes not yet taken by their reader that stop the reading of a stream.
  static let unreadLimit = 4 << 20

  struct Incoming: Sendable {
    var queue = ByteQueue()
    /// Nothing comes any more, because the stream ended or for this reason.
    var end: Result<Void, SSHError>?
    /// The loop has stopped reading because too much is unread.
    var isHeldBack = false
  }

  struct Outgoing: Sendable {
    var queue = ByteQueue()
    /// Bytes that the loop has taken from the queue and not yet handed to libssh2.
    var inHand = 0
    /// No more input will be sent; the remote host is to see the end of its standard input.
    var isFinished = false
    /// The user has no interest in the channel any more.
    var isClosing = false
    /// Why nothing can be sent any more.
    var failure: SSHError?
  }

  struct Progress: Sendable {
    /// The remote host has confirmed that the command runs, or why not.
    var opened: Result<Void, SSHError>?
    var exit: Result<SSHExit, SSHError>?
    /// libssh2's side of the channel is gone.
    var isOver = false
  }

  struct Watch: Sendable {
    /// The longest silence of the peer; `nil` when silence is fine.
    var limit: Duration?
    var since = SuspendingClock.now
  }

  /// Whose errors these are.
  let destination: SSHDestination
  let standardOutput = AsyncCondition(Incoming())
  let standardError = AsyncCondition(Incoming())
  let outgoing = AsyncCondition(Outgoing())
  let progress = AsyncCondition(Progress())
  let watch = AsyncCondition(Watch())

  init(destination: SSHDestination) { self.destination = destination }

  /// Ends everything that still waits on this channel.
  func fail(_ error: SSHError) {
    let error = error.at(destination)
    for stream in [standardOutput, standardError] {
      stream.update { if $0.end == nil { $0.end = .failure(error) } }
    }
    outgoing.update {
      $0.failure = $0.failure ?? error
      $0.queue.removeAll()
    }
    progress.update {
      $0.opened = $0.opened ?? .failure(error)
      $0.exit = $0.exit ?? (error.cause == .lost ? .success(.lost) : .failure(error))
      $0.isOver = true
    }
  }
}

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
