import CSSH2
import FoundationEssentials

/// Proving who we are, once the host is known to be the one we want.
extension SSHConnection {
  /// How many keys of ssh-agent are tried: OpenSSH ends a connection after six, and an end looks like a failure.
  private static let agentKeyLimit = 5

  func authenticate(_ ways: [SSHAuthentication], _ session: SessionHandle) async throws {
    var reasons: [SSHError] = []
    for way in ways {
      do {
        switch way {
        case .keyFile(let path, let passphrase): try await authenticate(keyFile: path, passphrase, session)
        case .agent(let publicKeyFile): try await authenticateByAgent(publicKeyFile, session)
        }
        return
      } catch let error as SSHError {
        reasons.append(error)
        // After these there is nobody to try the next way with.
        switch error.cause {
        case .lost, .limitPassed, .closed: throw error
        default: break
        }
      }
    }
    if reasons.count == 1, let only = reasons.first { throw only }
    throw SSHError(step: .authenticate, cause: .noWayIn(reasons))
  }

  // MARK: Key files

  private func authenticate(keyFile path: String, _ passphrase: String?, _ session: SessionHandle) async throws {
    let file = try PrivateKeyFile(path: path)
    func fail(_ problem: SSHError.KeyFileProblem, _ code: CInt? = nil) -> SSHError {
      SSHError(
        step: .authenticate, cause: .keyFile(path: path, problem), code: code,
        words: code.map { _ in session.outputTail })
    }
    if let cipher = file.cipher, file.hasUnreadableCipher(libraryReadsGCM: SessionHandle.libraryReadsGCMKeys) {
      throw fail(.unsupportedCipher(cipher))
    }
    if file.cipher != nil, passphrase == nil { throw fail(.needsPassphrase) }
    let code = try await attempt(session) {
      session.authenticate(user: destination.user, keyFile: path, passphrase: passphrase)
    }
    switch code {
    case 0: return
    case LIBSSH2_ERROR_FILE: throw fail(file.cipher == nil ? .notAKey : .wrongPassphrase, code)
    case LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
      if file.type == "ssh-rsa", !SessionHandle.libraryUsesRSAWithSHA2 {
        throw fail(.rsaNeedsNewerLibrary(libraryVersion: SessionHandle.libraryVersion), code)
      }
      throw try await refusal(session, code, fingerprint: file.publicKey?.fingerprint, path: path)
    default: throw disconnected(session, code)
    }
  }

  // MARK: ssh-agent

  private func authenticateByAgent(_ publicKeyFile: String?, _ session: SessionHandle) async throws {
    let wanted = try publicKeyFile.map { path throws(SSHError) in try publicKey(inFile: path) }
    let agent = try await AgentClient(on: self, limit: limits.agent)
    let held = try await agent.keys(on: self)
    let usable = held.filter { SessionHandle.libraryUsesRSAWithSHA2 || $0.type != "ssh-rsa" }
    let tried = usable.filter { wanted == nil || $0 == wanted }.prefix(Self.agentKeyLimit)
    guard !tried.isEmpty else {
      throw SSHError(step: .authenticate, cause: .agent(agentProblem(held, wanted, publicKeyFile)))
    }
    var last = SSHError(step: .authenticate, cause: .agent(.noKeys))
    for key in tried {
      do {
        return try await authenticate(key, agent, session)
      } catch let error as SSHError {
        guard case .keyRefused = error.cause else { throw error }
        last = error
      }
    }
    throw last
  }

  private func agentProblem(_ held: [HostKey], _ wanted: HostKey?, _ file: String?) -> SSHError.AgentProblem {
    if held.isEmpty { return .noKeys }
    let onlyRSA = SSHError.AgentProblem.onlyRSA(libraryVersion: SessionHandle.libraryVersion)
    guard let wanted, let file else { return onlyRSA }
    return held.contains(wanted) ? onlyRSA : .lacksKey(publicKeyFile: file)
  }

  private func authenticate(_ key: HostKey, _ agent: AgentClient, _ session: SessionHandle) async throws {
    let slot = SignatureSlot()
    guard slot.isUsable else { throw SSHError(step: .authenticate, cause: .library) }
    while true {
      let code = try await attempt(session) {
        let code = session.authenticate(user: destination.user, key: key.blob, slot: slot)
        return code == LIBSSH2_ERROR_EAGAIN && slot.wantsSignature ? Self.mustSign : code
      }
      switch code {
      case 0: return
      case Self.mustSign:
        guard let data = slot.takeData() else { throw SSHError(step: .authenticate, cause: .library) }
        slot.put(try await agent.sign(data, with: key, on: self))
      case LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
        throw try await refusal(session, code, fingerprint: key.fingerprint, path: nil)
      default: throw disconnected(session, code)
      }
    }
  }

  /// Not a code of libssh2's: the server has asked for a signature.
  private static let mustSign: CInt = 1

  // MARK: Outcomes

  private func attempt(_ session: SessionHandle, _ call: () -> CInt) async throws -> CInt {
    let deadline = SuspendingClock.now + limits.authentication
    return try await complete(.authenticate, session, limits.authentication, deadline, call)
  }

  private func disconnected(_ session: SessionHandle, _ code: CInt) -> SSHError {
    SSHError(step: .authenticate, cause: .lost, code: code, words: session.outputTail)
  }

  /// A refused key, with what the server would accept instead.
  private func refusal(
    _ session: SessionHandle, _ code: CInt, fingerprint: String?, path: String?
  ) async throws -> SSHError {
    let words = session.outputTail
    var accepted: [String] = []
    let listCode = try await attempt(session) {
      guard let names = session.acceptedAuthentications(user: destination.user) else { return session.lastCode }
      accepted = names
      return 0
    }
    // libssh2 has one code for a bad signature and for a line that broke while it waited: then there is nobody to ask.
    let isGone = [LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_SEND].contains(
      listCode)
    if isGone, code == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED { throw disconnected(session, code) }
    // No list, because the server has had enough of us or let us in without proof: the refusal is told all the same.
    if listCode != 0 { accepted = [] }
    let cause = SSHError.Cause.keyRefused(fingerprint: fingerprint, path: path, accepted: accepted)
    return SSHError(step: .authenticate, cause: cause, code: code, words: words)
  }
}
