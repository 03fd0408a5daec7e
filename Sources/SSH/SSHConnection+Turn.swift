import CLibrary
import CSSH2

let EAGAINCode = LIBSSH2_ERROR_EAGAIN

/// How the wait for a descriptor ended.
enum PollResult: Sendable { case ready, timedOut }

/// The loop's view of a connection.
extension SSHConnection {
  nonisolated func turn(ready: Int16) -> LoopWait { assumeIsolated { $0.takeTurn(ready) } }

  /// Lets the loop wait for a descriptor. The steps up to the first channel use it; one at a time.
  func awaitSocket(
    _ descriptor: CInt, _ events: Int16, _ deadline: SuspendingClock.Instant
  ) async throws -> PollResult {
    pollResult.updateQuietly { $0 = nil }
    wish = PollRequest(descriptor: descriptor, events: events, deadline: deadline)
    defer { wish = nil }
    return try await pollResult.wait { $0 }
  }

  private func takeTurn(_ ready: Int16) -> LoopWait {
    if let wish { return serve(wish, ready) }
    guard let session, isEstablished else { return LoopWait() }
    let outcome = serveChannels(session)
    let now = SuspendingClock.now
    note(session, now)
    switch outcome {
    case .failed(let error):
      end(error)
      return LoopWait()
    case .halfSent:
      guard let deadline = checkSilence(now) else { return LoopWait() }
      return LoopWait(descriptor: session.socket, events: Int16(POLLOUT), deadline: deadline.instant)
    case .again:
      return LoopWait(again: true)
    case .idle:
      guard let deadline = checkSilence(now) else { return LoopWait() }
      return idleWait(session, ready, deadline.instant)
    }
  }

  private func serve(_ wish: PollRequest, _ ready: Int16) -> LoopWait {
    if ready != 0 {
      pollResult.update { $0 = $0 ?? .ready }
      self.wish = nil
      return LoopWait()
    }
    if SuspendingClock.now >= wish.deadline {
      pollResult.update { $0 = $0 ?? .timedOut }
      self.wish = nil
      return LoopWait()
    }
    if let session, session.socket == wish.descriptor { StreamSocket.acknowledgeQuickly(session.socket) }
    return LoopWait(descriptor: wish.descriptor, events: wish.events, deadline: wish.deadline)
  }

  /// One round over the channels. `again` also when libssh2 took bytes off the socket: it sorts them by channel, so that the
  /// channel they belong to may have been asked before.
  private func serveChannels(_ session: SessionHandle) -> ChannelDriver.Outcome {
    let before = session.handedOver
    var again = false
    if let stuck = unfinished {
      // The one call that is not through comes first, and alone.
      let outcome = stuck.pump(session)
      if case .halfSent = outcome { return outcome }
      if case .failed = outcome { return outcome }
      unfinished = nil
      again = true
    }
    var opener: ChannelDriver?
    for channel in channels {
      if channel.isOpening {
        guard opener == nil else { continue }
        opener = channel
      }
      switch channel.pump(session) {
      case .idle: break
      case .again: again = true
      case .halfSent:
        unfinished = channel
        return .halfSent
      case .failed(let error): return .failed(error)
      }
    }
    channels.removeAll(where: \.isOver)
    let mayRead = channels.contains(where: \.wantsToRead)
    return again || (mayRead && (session.handedOver != before || session.mustComeAgain)) ? .again : .idle
  }

  private func idleWait(
    _ session: SessionHandle, _ ready: Int16, _ deadline: SuspendingClock.Instant?
  ) -> LoopWait {
    guard !channels.isEmpty else {
      // Nothing may be read without a channel, but the end of the connection can be seen.
      let gone = Int16(POLLHUP) | Int16(POLLERR) | StreamSocket.hangUp
      guard ready & gone == 0 else {
        end(.lost)
        return LoopWait()
      }
      return LoopWait(descriptor: session.socket, events: StreamSocket.hangUp)
    }
    // With all readers behind, even a hang-up is not to be seen yet: it would end poll(2) at once, over and over.
    guard channels.contains(where: \.wantsToRead) else { return LoopWait(deadline: deadline) }
    if !channels.allSatisfy(\.isStarted) { StreamSocket.acknowledgeQuickly(session.socket) }
    return LoopWait(descriptor: session.socket, events: Int16(POLLIN), deadline: deadline)
  }

  /// Remembers when the peer was last heard of. A time in which we did not listen does not count against it.
  private func note(_ session: SessionHandle, _ now: SuspendingClock.Instant) {
    let isReading = channels.contains(where: \.wantsToRead)
    if session.received != receivedBefore || !isReading || !wasReading { lastReceived = now }
    receivedBefore = session.received
    wasReading = isReading
  }

  /// When to look again; `nil` when the connection has just been ended, because a channel expects traffic and none came.
  private func checkSilence(_ now: SuspendingClock.Instant) -> (instant: SuspendingClock.Instant?, Void)? {
    var next: SuspendingClock.Instant?
    for channel in channels {
      let watch = channel.mailbox.watch.read { $0 }
      guard let limit = watch.limit else { continue }
      let deadline = max(lastReceived, watch.since) + limit
      guard deadline > now else {
        end(.silent(limit))
        return nil
      }
      next = min(next ?? deadline, deadline)
    }
    return (next, ())
  }
}
