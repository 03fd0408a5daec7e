import CLibrary
import CSSH2

/// From an address to a session whose host is known and which has let us in.
extension SSHConnection {
  func establish(_ authentication: [SSHAuthentication], _ knownHosts: [String]) async throws {
    let known = try KnownHosts(files: knownHosts)
    let session = try SessionHandle(socket: try await dial())
    self.session = session
    setPreferences(of: session, known: known.keyTypes(of: destination))
    let deadline = SuspendingClock.now + limits.handshake
    let code: CInt
    do {
      code = try await complete(.handshake, session, limits.handshake, deadline) { session.handshake() }
    } catch let error as SSHError {
      throw handshakeError(session, error)
    }
    guard code == 0 else {
      let error = SSHError(step: .handshake, cause: .library, code: code, words: session.outputTail)
      throw handshakeError(session, error)
    }
    guard let key = session.hostKey else {
      throw SSHError(step: .hostKey, cause: .library, code: session.lastCode, words: session.outputTail)
    }
    if let problem = known.problem(with: key, of: destination) {
      throw SSHError(step: .hostKey, cause: .hostKey(problem, shown: key))
    }
    try await authenticate(authentication, session)
    isEstablished = true
  }

  /// Repeats one libssh2 call until it has an answer, and lets the loop sleep in between. Nothing else is asked of the session
  /// meanwhile.
  func complete(
    _ step: SSHError.Step, _ session: SessionHandle, _ limit: Duration, _ deadline: SuspendingClock.Instant,
    _ call: () -> CInt
  ) async throws -> CInt {
    while true {
      let code = call()
      guard code == LIBSSH2_ERROR_EAGAIN else { return code }
      if session.mustComeAgain { continue }
      guard try await awaitSocket(session.socket, session.awaitedEvents, deadline) == .ready else {
        throw SSHError(step: step, cause: .limitPassed(limit))
      }
    }
  }

  // MARK: TCP

  private func dial() async throws -> CInt {
    let addresses = try await Resolver.addresses(of: destination, limit: limits.connect)
    let deadline = SuspendingClock.now + limits.connect
    var last = SSHError(step: .connect, cause: .system(EADDRNOTAVAIL))
    for (index, address) in addresses.enumerated() {
      // An address that swallows packets must leave time for the others.
      let left = SuspendingClock.now.duration(to: deadline) / (addresses.count - index)
      do {
        return try await dial(address, until: SuspendingClock.now + left)
      } catch let error as SSHError {
        last = error
      }
    }
    throw last
  }

  private func dial(_ address: SocketAddress, until deadline: SuspendingClock.Instant) async throws -> CInt {
    let descriptor = StreamSocket.make(family: address.family)
    guard descriptor >= 0 else { throw SSHError(step: .connect, cause: .system(errno)) }
    StreamSocket.configure(descriptor, silence: limits.silence)
    let start = SuspendingClock.now
    do {
      try await connect(descriptor, address, deadline)
    } catch {
      closeDescriptor(descriptor)
      throw error
    }
    roundTrip = start.duration(to: .now)
    return descriptor
  }

  private func connect(
    _ descriptor: CInt, _ address: SocketAddress, _ deadline: SuspendingClock.Instant
  ) async throws {
    guard address.connect(descriptor) != 0 else { return }
    guard errno == EINPROGRESS else { throw SSHError(step: .connect, cause: .system(errno)) }
    guard try await awaitSocket(descriptor, Int16(POLLOUT), deadline) == .ready else {
      throw SSHError(step: .connect, cause: .limitPassed(limits.connect))
    }
    let code = StreamSocket.pendingError(descriptor)
    guard code == 0 else { throw SSHError(step: .connect, cause: .system(code)) }
  }

  // MARK: Handshake

  /// Key types of a host in the order in which we ask for them; `ssh-rsa` with its SHA-2 signatures first.
  private static let hostKeyTypes = [
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
  ]

  /// CTR and plain SHA-2 first: they are the fastest that libssh2 1.10 has, and its faults of the last years lie in the code
  /// for the others. A version that does not know one of the names passes over it.
  private func setPreferences(of session: SessionHandle, known: [String]) {
    let ciphers = [
      "aes128-ctr", "aes256-ctr", "aes192-ctr", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
      "chacha20-poly1305@openssh.com",
    ]
    let integrity = [
      "hmac-sha2-256", "hmac-sha2-512", "hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com",
    ]
    for method in [LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC] { session.prefer(method, ciphers) }
    for method in [LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC] { session.prefer(method, integrity) }
    // A host shows the key we ask for first: asking for one that is not in the file would make a known host unknown.
    let types = Self.hostKeyTypes
    let order = types.filter(known.contains) + types.filter { !known.contains($0) }
    let names = order.flatMap { $0 == "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [$0] }
    session.prefer(LIBSSH2_METHOD_HOSTKEY, names)
  }

  /// Says more than libssh2, which has one sentence for every mismatch, by what the server said in the clear.
  private func handshakeError(_ session: SessionHandle, _ error: SSHError) -> SSHError {
    let opening = session.opening
    guard opening.greeting != nil else {
      return opening.otherWords.isEmpty
        ? error
        : SSHError(step: .handshake, cause: .notSSH(said: opening.otherWords), code: error.code, words: error.words)
    }
    guard error.cause == .library, !opening.hostKeys.isEmpty else { return error }
    let kinds: [(String, CInt, [String])] = [
      ("host key", LIBSSH2_METHOD_HOSTKEY, opening.hostKeys),
      ("key exchange", LIBSSH2_METHOD_KEX, opening.keyExchanges),
      ("cipher", LIBSSH2_METHOD_CRYPT_SC, opening.ciphers),
      ("integrity", LIBSSH2_METHOD_MAC_SC, opening.integrity),
    ]
    for (kind, method, theirs) in kinds {
      let ours = session.supported(method)
      guard !ours.contains(where: theirs.contains) else { continue }
      let isRSA = method == LIBSSH2_METHOD_HOSTKEY && theirs.allSatisfy { $0.hasPrefix("rsa-sha2-") }
      let cause: SSHError.Cause = isRSA ? .onlyRSAHostKey : .noCommonAlgorithm(kind: kind, theirs: theirs, ours: ours)
      return SSHError(step: .handshake, cause: cause, code: error.code, words: error.words)
    }
    return error
  }
}
