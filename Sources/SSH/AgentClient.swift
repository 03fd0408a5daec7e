import CLibrary
import FoundationEssentials

/// Asks ssh-agent (draft-miller-ssh-agent) for keys and signatures. Our own, because libssh2's waits for an agent that does not
/// answer for ever, and with it the whole connection.
final class AgentClient {
  private let descriptor: CInt
  private let limit: Duration

  /// The longest answer that is believed; OpenSSH's own limit.
  private static let answerLimit = 256 << 10

  /// Connects to the agent of SSH_AUTH_SOCK.
  init(on connection: isolated SSHConnection, limit: Duration) async throws {
    guard let path = getenv("SSH_AUTH_SOCK").map({ String(cString: $0) }), !path.isEmpty else {
      throw Self.error(.notSet)
    }
    guard let address = SocketAddress(unixPath: path) else {
      throw Self.error(.unreachable(path: path, code: ENAMETOOLONG))
    }
    descriptor = StreamSocket.make(family: address.family)
    self.limit = limit
    guard descriptor >= 0, address.connect(descriptor) == 0 else {
      throw Self.error(.unreachable(path: path, code: errno))
    }
  }

  deinit { if descriptor >= 0 { closeDescriptor(descriptor) } }

  /// The public halves of the keys it holds.
  func keys(on connection: isolated SSHConnection) async throws -> [HostKey] {
    let answer = try await ask([11], on: connection)  // SSH_AGENTC_REQUEST_IDENTITIES
    var reader = SSHWireReader(answer)
    guard reader.byte() == 12, let count = reader.uint32() else { throw Self.error(.broken) }
    var keys: [HostKey] = []
    for _ in 0..<min(count, 1024) {
      guard let blob = reader.bytes(), reader.bytes() != nil else { throw Self.error(.broken) }
      if let key = HostKey(blob: blob) { keys.append(key) }
    }
    return keys
  }

  /// The signature's bytes, without the algorithm's name.
  func sign(_ data: [UInt8], with key: HostKey, on connection: isolated SSHConnection) async throws -> [UInt8] {
    var request = SSHWireWriter()
    request.byte(13)  // SSH_AGENTC_SIGN_REQUEST
    request.string(key.blob)
    request.string(data)
    request.uint32(Self.flags(for: data))
    let answer = try await ask(request.bytes, on: connection)
    var reader = SSHWireReader(answer)
    let kind = reader.byte()
    guard kind != 5 else { throw Self.error(.refusedToSign(fingerprint: key.fingerprint)) }  // SSH_AGENT_FAILURE
    guard kind == 14, let blob = reader.bytes() else { throw Self.error(.broken) }
    var signature = SSHWireReader(blob)
    guard signature.text() != nil, let bytes = signature.bytes() else { throw Self.error(.broken) }
    return bytes
  }

  /// Which hash an RSA key is to sign with: the algorithm's name stands in the data itself (RFC 4252, section 7).
  private static func flags(for data: [UInt8]) -> UInt32 {
    var reader = SSHWireReader(data)
    guard reader.bytes() != nil, reader.byte() != nil, reader.bytes() != nil, reader.bytes() != nil,
      reader.bytes() != nil, reader.byte() != nil, let algorithm = reader.text()
    else { return 0 }
    return switch algorithm {
    case "rsa-sha2-256": 2
    case "rsa-sha2-512": 4
    default: 0
    }
  }

  private func ask(_ message: [UInt8], on connection: isolated SSHConnection) async throws -> [UInt8] {
    let deadline = SuspendingClock.now + limit
    var framed = SSHWireWriter()
    framed.string(message)
    var rest = framed.bytes[...]
    while !rest.isEmpty {
      let count = StreamSocket.send(descriptor, rest)
      if count > 0 {
        rest = rest.dropFirst(count)
      } else {
        try await waitAfterFailure(Int16(POLLOUT), deadline, connection)
      }
    }
    var header = SSHWireReader(try await receive(4, deadline, connection))
    guard let length = header.uint32(), 1...Self.answerLimit ~= Int(length) else { throw Self.error(.broken) }
    return try await receive(Int(length), deadline, connection)
  }

  private func receive(
    _ count: Int, _ deadline: SuspendingClock.Instant, _ connection: isolated SSHConnection
  ) async throws -> [UInt8] {
    var received: [UInt8] = []
    while received.count < count {
      var got = 0
      received += [UInt8](unsafeUninitializedCapacity: count - received.count) { buffer, filled in
        got = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        filled = max(got, 0)
      }
      if got == 0 { throw Self.error(.broken) }
      if got < 0 { try await waitAfterFailure(Int16(POLLIN), deadline, connection) }
    }
    return received
  }

  private func waitAfterFailure(
    _ events: Int16, _ deadline: SuspendingClock.Instant, _ connection: isolated SSHConnection
  ) async throws {
    guard errno == EAGAIN || errno == EINTR else { throw Self.error(.broken) }
    guard try await connection.awaitSocket(descriptor, events, deadline) == .ready else {
      throw Self.error(.silent(limit))
    }
  }

  private static func error(_ problem: SSHError.AgentProblem) -> SSHError {
    SSHError(step: .authenticate, cause: .agent(problem))
  }
}
