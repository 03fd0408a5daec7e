import CLibrary
import CSSH2
import Shared

/// One connection to one host: a libssh2 session that is called by nobody but this actor, on a thread of its own.
///
/// A connection ends with ``close()``, when the last reference to it and to its channels is gone, or when it breaks; what
/// waits on it then fails with the reason.
public actor SSHConnection: LoopClient {
  /// What a step before the first channel waits for.
  struct PollRequest {
    let descriptor: CInt
    let events: Int16
    let deadline: SuspendingClock.Instant
  }

  /// Where it leads.
  public nonisolated let destination: SSHDestination
  nonisolated let limits: SSHLimits
  nonisolated let loop: LoopExecutor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// The session, once there is a socket and until the connection has ended.
  var session: SessionHandle?
  /// Why the connection has ended.
  var failure: SSHError?
  var isEstablished = false
  /// How long the TCP handshake took.
  var roundTrip = Duration.zero

  var wish: PollRequest?
  /// Set by the loop when ``wish`` has come true or its time is over.
  nonisolated let pollResult = AsyncCondition<PollResult?>(nil)

  var channels: [ChannelDriver] = []
  /// The channel whose call has left half a packet behind: nobody else may call libssh2 until it is through.
  var unfinished: ChannelDriver?
  var lastReceived = SuspendingClock.now
  var receivedBefore: UInt64 = 0
  var wasReading = false
  nonisolated let readBuffer = ReadBuffer()

  init(to destination: SSHDestination, limits: SSHLimits) throws(SSHError) {
    self.destination = destination
    self.limits = limits
    loop = try LoopExecutor()
  }

  deinit { loop.end() }

  /// Connects, checks the host's key against `knownHosts` (files in the format of ssh, in this order), and only then tries
  /// `authentication`, one after the other.
  /// - Throws: ``SSHError``; `CancellationError` when the task is cancelled.
  public static func connect(
    to destination: SSHDestination, authentication: [SSHAuthentication], knownHosts: [String],
    limits: SSHLimits = .init()
  ) async throws -> SSHConnection {
    do {
      let connection = try SSHConnection(to: destination, limits: limits)
      try connection.loop.start(for: connection)
      do {
        try await connection.establish(authentication, knownHosts)
      } catch {
        await connection.end(.closed)
        throw error
      }
      return connection
    } catch let error as SSHError {
      throw error.at(destination)
    }
  }

  /// Starts a command there, in the user's login shell.
  /// - Parameter expectsTraffic: The peer is dead when no byte of it comes for ``SSHLimits/silence``; for commands that
  ///   answer pings.
  public nonisolated func exec(_ command: String, expectsTraffic: Bool = false) async throws -> SSHChannel {
    let channel = try await openChannel(command)
    let progress = channel.mailbox.progress
    let late = SSHError(
      step: .openChannel, destination: destination, cause: .limitPassed(limits.openChannel))
    try await withLimit(limits.openChannel, late: late) { try await progress.wait(for: \.opened).get() }
    if expectsTraffic { channel.watchSilence(limits.silence) }
    return channel
  }

  /// Says goodbye and ends everything on this connection. May be called more than once.
  public func close() async {
    if let session, isEstablished, unfinished == nil {
      let deadline = SuspendingClock.now + limits.close
      for channel in channels { channel.mailbox.outgoing.update { $0.isClosing = true } }
      isEstablished = false
      while session.disconnect() == EAGAINCode, SuspendingClock.now < deadline {
        // A cancelled task cannot wait; the peer notices the end of the TCP connection as well.
        guard (try? await awaitSocket(session.socket, session.awaitedEvents, deadline)) == .ready else { break }
      }
    }
    end(.closed)
  }

  /// Ends everything on this connection at once, without a word to the peer, who may not hear it: for a line that is dead.
  public func abandon() { end(.closed) }

  /// The cipher of what the host sends, by its name, such as `aes256-ctr`; `nil` when the connection has ended.
  public var cipher: String? { session?.agreed(LIBSSH2_METHOD_CRYPT_SC) }

  private func openChannel(_ command: String) throws(SSHError) -> SSHChannel {
    guard session != nil, isEstablished else {
      throw failure ?? SSHError(step: .openChannel, destination: destination, cause: .closed)
    }
    let mailbox = ChannelBuffers(destination: destination)
    // What is in flight on a long line must fit into the window; on a short one a large window only costs memory.
    let window: UInt32 = roundTrip >= .milliseconds(10) ? 8 << 20 : 2 << 20
    channels.append(
      ChannelDriver(command: command, window: window, mailbox: mailbox, readBuffer: readBuffer.bytes))
    loop.wake()
    return SSHChannel(mailbox: mailbox, connection: self)
  }

  /// Ends the connection for this reason: all that waits on it fails.
  func end(_ cause: SSHError.Cause) { end(SSHError(step: .transfer, destination: destination, cause: cause)) }

  func end(_ error: SSHError) {
    let error = error.at(destination)
    failure = failure ?? error
    isEstablished = false
    for channel in channels { channel.mailbox.fail(error) }
    channels = []
    unfinished = nil
    session = nil
    pollResult.update { $0 = .timedOut }
  }
}

/// The buffer that libssh2 decrypts into.
final class ReadBuffer: @unchecked Sendable {  // only the loop's thread touches the bytes
  let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)

  deinit { bytes.deallocate() }
}
