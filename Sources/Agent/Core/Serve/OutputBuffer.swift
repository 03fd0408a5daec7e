import Glibc

/// What waits to be written to a descriptor that may be full: bounded, since its owner stops filling it.
final class OutputBuffer {
  private let descriptor: Int32
  private var bytes: [UInt8] = []
  private var sent = 0
  /// The reader is gone.
  private(set) var isBroken = false

  /// Above this nothing more is taken from journals or requests, in bytes.
  private static let fullAt = 256 << 10

  init(descriptor: Int32) { self.descriptor = descriptor }

  var isEmpty: Bool { bytes.count == sent }
  /// Bytes of memory in use, those that were sent among them.
  var held: Int { bytes.count }
  var isFull: Bool { bytes.count - sent >= Self.fullAt }

  func append(_ more: [UInt8]) { bytes += more }

  /// Writes straight to the descriptor where nothing waits, and keeps what it did not take.
  func send(_ more: UnsafeRawBufferPointer) {
    var rest = more
    while isEmpty, !isBroken, !rest.isEmpty {
      let count = write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        if errno != EAGAIN { isBroken = true }
        break
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    bytes.append(contentsOf: rest)
  }

  func flush() {
    while !isEmpty, !isBroken {
      let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress?.advanced(by: sent), bytes.count - sent) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        if errno != EAGAIN { isBroken = true }
        break
      }
      sent += count
    }
    // Also when it never gets empty: a reader that is slower than the journal grows must not make this grow.
    if sent * 2 >= bytes.count {
      bytes.removeFirst(sent)
      sent = 0
    }
  }

  /// Gives a slow reader a last chance.
  func flushFinally(withinSeconds limit: Double) {
    let deadline = MonotonicClock.seconds + limit
    while !isEmpty, !isBroken, MonotonicClock.seconds < deadline {
      var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      poll(&polled, 1, 100)
      flush()
    }
  }
}
