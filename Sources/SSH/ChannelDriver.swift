import CSSH2

/// libssh2's side of one channel: moves bytes between the mailbox and the session, one step after the other. Belongs to the
/// loop's thread.
final class ChannelDriver {
  /// What a round has come to.
  enum Outcome {
    /// Nothing more to do until the socket or the user moves.
    case idle
    /// There may be more at once.
    case again
    /// Half a packet is on its way: only ``ChannelDriver/pump(_:)`` of this channel may be called until it is gone.
    case halfSent
    /// The connection is of no use any more.
    case failed(SSHError)
  }

  private enum Phase {
    case opening
    case starting(OpaquePointer)
    case open(OpaquePointer)
    /// Both streams have ended; the remote host has still to say how.
    case ending(OpaquePointer)
    case closing(OpaquePointer)
    case freeing(OpaquePointer)
    case over
  }

  /// The call that has left half a packet behind while the channel is open.
  private enum HalfSent { case write, finish, read(CInt) }

  let mailbox: ChannelBuffers
  private let command: [UInt8]
  private let window: UInt32
  private let readBuffer: UnsafeMutableRawBufferPointer
  private var phase = Phase.opening
  private var halfSent: HalfSent?
  private var inHand: [UInt8]?
  private var offset = 0
  private var hasSentEOF = false

  /// - Parameter readBuffer: Shared by all channels of the connection; used only within a call.
  init(command: String, window: UInt32, mailbox: ChannelBuffers, readBuffer: UnsafeMutableRawBufferPointer) {
    self.command = Array(command.utf8)
    self.window = window
    self.mailbox = mailbox
    self.readBuffer = readBuffer
  }

  var isOver: Bool { if case .over = phase { true } else { false } }

  /// libssh2 opens one channel at a time; the state of it is the session's.
  var isOpening: Bool { if case .opening = phase { true } else { false } }

  var isStarted: Bool {
    switch phase {
    case .opening, .starting: false
    case .open, .ending, .closing, .freeing, .over: true
    }
  }

  /// Whether bytes from the peer would be taken now.
  var wantsToRead: Bool {
    guard case .open = phase else { return !isOver }
    return hasRoom(mailbox.standardOutput) || hasRoom(mailbox.standardError)
  }

  /// Goes on as far as possible without waiting.
  func pump(_ session: SessionHandle) -> Outcome {
    switch phase {
    case .opening: open(session)
    case .starting(let channel): start(channel, session)
    case .open(let channel): exchange(channel, session)
    case .ending(let channel): awaitExit(channel, session)
    case .closing(let channel): close(channel, session)
    case .freeing(let channel): free(channel, session)
    case .over: .idle
    }
  }

  // MARK: Beginning

  private func open(_ session: SessionHandle) -> Outcome {
    guard let channel = session.openChannel(window: window) else {
      let code = session.lastCode
      if code == LIBSSH2_ERROR_EAGAIN { return session.hasHalfSentPacket ? .halfSent : .idle }
      let words = session.outputTail
      guard code == LIBSSH2_ERROR_CHANNEL_FAILURE else { return lost(code, session) }
      mailbox.fail(SSHError(step: .openChannel, cause: .notAllowed, code: code, words: words))
      phase = .over
      return .again
    }
    phase = .starting(channel)
    return pump(session)
  }

  private func start(_ channel: OpaquePointer, _ session: SessionHandle) -> Outcome {
    let code = session.start(command, on: channel)
    if code == LIBSSH2_ERROR_EAGAIN { return session.hasHalfSentPacket ? .halfSent : .idle }
    guard code == 0 else {
      guard code == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED else { return lost(code, session) }
      mailbox.fail(SSHError(step: .exec, cause: .notAllowed, code: code, words: session.outputTail))
      phase = .closing(channel)
      return .again
    }
    mailbox.progress.update { $0.opened = .success(()) }
    phase = .open(channel)
    return .again
  }

  // MARK: Open

  private func exchange(_ channel: OpaquePointer, _ session: SessionHandle) -> Outcome {
    if let outcome = finishHalfSent(channel, session) { return outcome }
    if mailbox.outgoing.read(\.isClosing) {
      phase = .closing(channel)
      return pump(session)
    }
    if let outcome = write(channel, session) { return outcome }
    var again = false
    for (stream, incoming) in [(CInt(0), mailbox.standardOutput), (CInt(1), mailbox.standardError)]
    where hasRoom(incoming) {
      switch read(stream, channel, session) {
      case .again: again = true
      case .idle: break
      case .halfSent: return .halfSent
      case .failed(let error): return .failed(error)
      }
    }
    guard !again, session.isAtEOF(channel) else { return again ? .again : .idle }
    for incoming in [mailbox.standardOutput, mailbox.standardError] { incoming.update { $0.end = .success(()) } }
    phase = .ending(channel)
    return pump(session)
  }

  /// Repeats the one call that is not through; `nil` when nothing is in the way any more.
  private func finishHalfSent(_ channel: OpaquePointer, _ session: SessionHandle) -> Outcome? {
    switch halfSent {
    case nil: return nil
    case .write, .finish: return write(channel, session)
    case .read(let stream):
      switch read(stream, channel, session) {
      case .again, .idle: return nil
      case .halfSent: return .halfSent
      case .failed(let error): return .failed(error)
      }
    }
  }

  /// `nil` when everything is written, or when the window of the remote host is full, which is no reason not to read.
  private func write(_ channel: OpaquePointer, _ session: SessionHandle) -> Outcome? {
    halfSent = nil
    while let bytes = inHand ?? takeOutgoing() {
      inHand = bytes
      let count = session.write(bytes, from: offset, to: channel)
      if count == LIBSSH2_ERROR_EAGAIN {
        guard session.hasHalfSentPacket else { return nil }
        halfSent = .write
        return .halfSent
      }
      guard count >= 0 else { return lost(CInt(count), session) }
      offset += count
      guard offset == bytes.count else { continue }
      (inHand, offset) = (nil, 0)
      mailbox.outgoing.update { $0.inHand = 0 }
    }
    guard !hasSentEOF, mailbox.outgoing.read({ $0.isFinished && $0.queue.isEmpty }) else { return nil }
    let code = session.sendEOF(channel)
    if code == LIBSSH2_ERROR_EAGAIN {
      guard session.hasHalfSentPacket else { return nil }
      halfSent = .finish
      return .halfSent
    }
    guard code == 0 else { return lost(code, session) }
    hasSentEOF = true
    return nil
  }

  private func takeOutgoing() -> [UInt8]? {
    mailbox.outgoing.updateQuietly {
      let bytes = $0.queue.popJoined(upTo: 32 << 10)
      $0.inHand = bytes?.count ?? 0
      return bytes
    }
  }

  private func read(_ stream: CInt, _ channel: OpaquePointer, _ session: SessionHandle) -> Outcome {
    halfSent = nil
    let count = session.read(stream, of: channel, into: readBuffer)
    if count == LIBSSH2_ERROR_EAGAIN {
      guard session.hasHalfSentPacket else { return .idle }
      halfSent = .read(stream)
      return .halfSent
    }
    guard count >= 0 else { return lost(CInt(count), session) }
    guard count > 0 else { return .idle }
    let chunk = Array(UnsafeRawBufferPointer(rebasing: readBuffer[..<count]))
    (stream == 0 ? mailbox.standardOutput : mailbox.standardError).update { $0.queue.append(chunk) }
    return .again
  }

  private func hasRoom(_ incoming: AsyncCondition<ChannelBuffers.Incoming>) -> Bool {
    incoming.updateQuietly {
      $0.isHeldBack = $0.queue.count >= ChannelBuffers.unreadLimit
      return !$0.isHeldBack
    }
  }

  // MARK: End

  /// The remote host closes the channel once the command has ended, which may be long after it closed its output.
  private func awaitExit(_ channel: OpaquePointer, _ session: SessionHandle) -> Outcome {
    if let outcome = finishHalfSent(channel, session) { return outcome }
    if mailbox.outgoing.read(\.isClosing) {
      phase = .closing(channel)
      return pump(session)
    }
    let code = session.waitClosed(channel)
    if code == LIBSSH2_ERROR_EAGAIN {
      if session.hasHalfSentPacket { return .halfSent }
      return write(channel, session) ?? .idle
    }
    guard code == 0 else { return lost(code, session) }
    let exit = session.exit(of: channel)
    let inputClosed = SSHError(step: .transfer, destination: mailbox.destination, cause: .inputClosed)
    mailbox.outgoing.update {
      $0.failure = $0.failure ?? inputClosed
      $0.queue.removeAll()
    }
    mailbox.progress.update { $0.exit = .success(exit) }
    phase = .closing(channel)
    return pump(session)
  }

  private func close(_ channel: OpaquePointer, _ session: SessionHandle) -> Outcome {
    let code = session.close(channel: channel)
    if code == LIBSSH2_ERROR_EAGAIN { return session.hasHalfSentPacket ? .halfSent : .idle }
    // Another code does not matter: the channel is given up in any case.
    phase = .freeing(channel)
    return pump(session)
  }

  private func free(_ channel: OpaquePointer, _ session: SessionHandle) -> Outcome {
    let code = session.free(channel)
    if code == LIBSSH2_ERROR_EAGAIN { return session.hasHalfSentPacket ? .halfSent : .idle }
    phase = .over
    mailbox.fail(SSHError(step: .close, cause: .closed))
    return .again
  }

  private func lost(_ code: CInt, _ session: SessionHandle) -> Outcome {
    .failed(SSHError(step: .transfer, cause: .lost, code: code, words: session.outputTail))
  }
}
