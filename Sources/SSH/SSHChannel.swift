import Shared

/// One command on the remote host: its standard input, output and error, and how it ended.
///
/// Both outputs must be read: unread bytes of one stream fill the window they share, and then neither goes on. Dropping the
/// last reference closes the channel.
public final class SSHChannel: Sendable {
  let mailbox: ChannelBuffers
  private let connection: SSHConnection

  init(mailbox: ChannelBuffers, connection: SSHConnection) {
    self.mailbox = mailbox
    self.connection = connection
  }

  deinit { requestClose() }

  /// Queues bytes for the command's standard input; waits while more than a mebibyte is queued.
  /// - Throws: ``SSHError`` with ``SSHError/Cause/inputClosed`` once the command has ended.
  public func send(_ bytes: [UInt8]) async throws {
    let closed = SSHError(step: .transfer, destination: connection.destination, cause: .closed)
    try await mailbox.outgoing.wait { state -> Result<Void, SSHError>? in
      if let failure = state.failure { return .failure(failure) }
      guard !state.isFinished, !state.isClosing else { return .failure(closed) }
      guard state.queue.count + state.inHand < ChannelBuffers.outgoingLimit else { return nil }
      state.queue.append(bytes)
      return .success(())
    }.get()
    connection.loop.wake()
  }

  /// Ends the command's standard input once everything queued has gone.
  public func finishInput() async {
    mailbox.outgoing.update { $0.isFinished = true }
    connection.loop.wake()
  }

  /// What the command writes to its standard output, as it comes.
  public var standardOutput: SSHByteStream { SSHByteStream(incoming: mailbox.standardOutput, channel: self) }

  /// What the command writes to its standard error, as it comes.
  public var standardError: SSHByteStream { SSHByteStream(incoming: mailbox.standardError, channel: self) }

  /// Waits for the command's end. Its output must be read to the end for it to come.
  public func exit() async throws -> SSHExit { try await mailbox.progress.wait(for: \.exit).get() }

  /// From now on the peer counts as dead when no byte of it came for so long; `nil` ends the watch. The whole connection
  /// then fails with ``SSHError/Cause/silent(_:)``.
  public func watchSilence(_ limit: Duration?) {
    mailbox.watch.updateQuietly { $0 = .init(limit: limit, since: .now) }
    connection.loop.wake()
  }

  /// Closes the channel, whether or not the command has ended: its standard input and output are cut. Waits at most
  /// ``SSHLimits/close`` for the remote host.
  public func close() async {
    requestClose()
    let progress = mailbox.progress
    let late = SSHError(step: .close, cause: .limitPassed(connection.limits.close))
    // Whoever closes has no more questions: that the remote host is slow or the task cancelled changes nothing for him.
    try? await withLimit(connection.limits.close, late: late) {
      try await progress.wait { $0.isOver ? () : nil }
    }
  }

  fileprivate func wakeReader() { connection.loop.wake() }

  private func requestClose() {
    mailbox.outgoing.update { $0.isClosing = true }
    connection.loop.wake()
  }
}

/// How a command ended.
public enum SSHExit: Sendable, Equatable {
  /// It ended by itself with this status.
  case status(Int32)
  /// A signal ended it; its name without `SIG`, as `TERM`.
  case signal(String)
  /// The connection broke before the remote host said how it ended: it may still be running.
  case lost
}

/// The bytes of one stream, in chunks of no particular length. For one reader; ends with the stream.
/// - Throws: ``SSHError`` when the connection ends before the stream does: an end that is not one is never told as one.
public struct SSHByteStream: AsyncSequence, AsyncIteratorProtocol, Sendable {
  let incoming: AsyncCondition<ChannelBuffers.Incoming>
  /// Keeps the channel open while somebody reads.
  let channel: SSHChannel

  public func makeAsyncIterator() -> SSHByteStream { self }

  public func next() async throws -> [UInt8]? {
    let (chunk, mustWake) = try await incoming.wait { state -> (Result<[UInt8]?, SSHError>, Bool)? in
      if let chunk = state.queue.popFirst() {
        guard state.isHeldBack, state.queue.count < ChannelBuffers.unreadLimit / 2 else {
          return (.success(chunk), false)
        }
        state.isHeldBack = false
        return (.success(chunk), true)
      }
      return state.end.map { ($0.map { nil }, false) }
    }
    if mustWake { channel.wakeReader() }
    return try chunk.get()
  }
}
