import CLibrary
import CSSH2
import FoundationEssentials

/// Owns one LIBSSH2_SESSION, its socket and its receive buffer. Not Sendable on purpose: whoever holds it is the only one who
/// may call libssh2 with it, and that is the loop's thread. A thin binding: no waiting, no policy.
final class SessionHandle {
  let socket: CInt
  private let raw: OpaquePointer
  private let receiver: UnsafeMutablePointer<cssh2_receiver>

  /// How many bytes one call may take off the socket: it ends a call of a fast download early enough to hand out what is there.
  private static let budget = 256 << 10

  /// libssh2_init() is not safe to call from two threads; a global is made once.
  private static let isInitialised = libssh2_init(0) == 0

  /// Takes over the socket, also when it fails.
  init(socket: CInt) throws(SSHError) {
    guard Self.isInitialised, let receiver = cssh2_receiver_new(Self.budget) else {
      closeDescriptor(socket)
      throw SSHError(step: .handshake, cause: .system(ENOMEM))
    }
    guard let raw = cssh2_session_new(receiver) else {
      cssh2_receiver_free(receiver)
      closeDescriptor(socket)
      throw SSHError(step: .handshake, cause: .system(ENOMEM))
    }
    self.socket = socket
    self.receiver = receiver
    self.raw = raw
  }

  deinit {
    // With a silent peer libssh2 would refuse to free what it cannot say goodbye to; on a socket that is shut it does not try.
    shutdown(socket, CInt(SHUT_RDWR))
    begin()
    var code = libssh2_session_free(raw)
    for _ in 0..<64 where code == LIBSSH2_ERROR_EAGAIN { code = libssh2_session_free(raw) }
    closeDescriptor(socket)
    // Had libssh2 kept the session, it would still know the receiver.
    if code == 0 { cssh2_receiver_free(receiver) }
  }

  /// libssh2's version, as `1.10.0`.
  static var libraryVersion: String { libssh2_version(0).map { String(cString: $0) } ?? "" }

  /// Whether the library is at least 1.11, which signs RSA with SHA-2.
  static var libraryUsesRSAWithSHA2: Bool { libssh2_version(0x010b00) != nil }

  /// Whether the library is at least 1.11.1, which reads keys encrypted with AES-GCM.
  static var libraryReadsGCMKeys: Bool { libssh2_version(0x010b01) != nil }

  // MARK: State

  /// The last call has left half a packet behind: it must be repeated as it was before anything else is asked of the session.
  var hasHalfSentPacket: Bool { libssh2_session_block_directions(raw) & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0 }

  /// poll(2) events that the last call waits for.
  var awaitedEvents: Int16 {
    let directions = libssh2_session_block_directions(raw)
    var events: Int16 = 0
    if directions & LIBSSH2_SESSION_BLOCK_INBOUND != 0 { events |= Int16(POLLIN) }
    if directions & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0 { events |= Int16(POLLOUT) }
    return events == 0 ? Int16(POLLIN) : events
  }

  /// Bytes received from the socket since the beginning.
  var received: UInt64 { receiver.pointee.received }

  /// Bytes of those that libssh2 has taken. When a round over the channels changes it, some channel may have new data that
  /// poll(2) cannot see.
  var handedOver: UInt64 { receiver.pointee.handed_over }

  /// libssh2 was told to come again although there are bytes.
  var mustComeAgain: Bool {
    receiver.pointee.come_again || receiver.pointee.head != receiver.pointee.tail
  }

  /// The first bytes of the connection, in the clear.
  var opening: ServerOpening {
    let bytes = UnsafeBufferPointer(
      start: cssh2_receiver_opening(receiver), count: receiver.pointee.opening_count)
    return ServerOpening(Array(bytes))
  }

  /// libssh2's words for the last error.
  var outputTail: String {
    var words: UnsafeMutablePointer<CChar>?
    var count: CInt = 0
    libssh2_session_last_error(raw, &words, &count, 0)
    return words.map { String(cString: $0) } ?? ""
  }

  var lastCode: CInt { libssh2_session_last_errno(raw) }

  // MARK: Session

  func prefer(_ method: CInt, _ names: [String]) {
    // Fails only when the library knows none of the names, and then keeps its own.
    libssh2_session_method_pref(raw, method, names.joined(separator: ","))
  }

  /// The algorithm of this kind that was agreed on.
  func agreed(_ method: CInt) -> String? { libssh2_session_methods(raw, method).map { String(cString: $0) } }

  /// The algorithms of this kind that the library has.
  func supported(_ method: CInt) -> [String] {
    var names: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    let count = libssh2_session_supported_algs(raw, method, &names)
    guard count > 0, let names else { return [] }
    defer { libssh2_free(raw, names) }
    return (0..<Int(count)).compactMap { names[$0].map { String(cString: $0) } }
  }

  func handshake() -> CInt {
    begin()
    return libssh2_session_handshake(raw, socket)
  }

  var hostKey: HostKey? {
    var count = 0
    var type: CInt = 0
    guard let key = libssh2_session_hostkey(raw, &count, &type) else { return nil }
    let bytes = UnsafeRawBufferPointer(start: key, count: count)
    return HostKey(blob: Array(bytes))
  }

  func authenticate(user: String, keyFile: String, passphrase: String?) -> CInt {
    begin()
    return libssh2_userauth_publickey_fromfile_ex(raw, user, UInt32(user.utf8.count), nil, keyFile, passphrase ?? "")
  }

  func authenticate(user: String, key: [UInt8], slot: SignatureSlot) -> CInt {
    begin()
    return cssh2_authenticate_signed(raw, user, key, key.count, slot.pointer)
  }

  /// The ways of authentication the server accepts; `nil` while the answer is not there.
  func acceptedAuthentications(user: String) -> [String]? {
    begin()
    let names = libssh2_userauth_list(raw, user, UInt32(user.utf8.count))
    return names.map { String(cString: $0).split(separator: ",").map(String.init) }
  }

  func disconnect() -> CInt {
    begin()
    return libssh2_session_disconnect_ex(raw, SSH_DISCONNECT_BY_APPLICATION, "bye", "")
  }

  // MARK: Channels (freed at the latest with the session)

  /// `nil` while it is not open; then ``lastCode`` says whether it will be.
  func openChannel(window: UInt32) -> OpaquePointer? {
    begin()
    return libssh2_channel_open_ex(raw, "session", 7, window, UInt32(LIBSSH2_CHANNEL_PACKET_DEFAULT), nil, 0)
  }

  func start(_ command: [UInt8], on channel: OpaquePointer) -> CInt {
    begin()
    return command.withUnsafeBytes {
      libssh2_channel_process_startup(
        channel, "exec", 4, $0.bindMemory(to: CChar.self).baseAddress, UInt32(command.count))
    }
  }

  /// Writes from `offset` on; the number of bytes written or a negative code.
  func write(_ bytes: [UInt8], from offset: Int, to channel: OpaquePointer) -> Int {
    begin()
    return bytes.withUnsafeBytes {
      let rest = UnsafeRawBufferPointer(rebasing: $0[offset...]).bindMemory(to: CChar.self)
      return libssh2_channel_write_ex(channel, 0, rest.baseAddress, rest.count)
    }
  }

  /// Reads from stream 0 or 1 (SSH_EXTENDED_DATA_STDERR); the number of bytes or a negative code.
  func read(_ stream: CInt, of channel: OpaquePointer, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    begin()
    return libssh2_channel_read_ex(channel, stream, buffer.bindMemory(to: CChar.self).baseAddress, buffer.count)
  }

  func sendEOF(_ channel: OpaquePointer) -> CInt {
    begin()
    return libssh2_channel_send_eof(channel)
  }

  func isAtEOF(_ channel: OpaquePointer) -> Bool { libssh2_channel_eof(channel) == 1 }

  func waitClosed(_ channel: OpaquePointer) -> CInt {
    begin()
    return libssh2_channel_wait_closed(channel)
  }

  func close(channel: OpaquePointer) -> CInt {
    begin()
    return libssh2_channel_close(channel)
  }

  func free(_ channel: OpaquePointer) -> CInt {
    begin()
    return libssh2_channel_free(channel)
  }

  /// How the command ended. The status alone would say 0 for a command that died of a signal.
  func exit(of channel: OpaquePointer) -> SSHExit {
    var signal: UnsafeMutablePointer<CChar>?
    let code = libssh2_channel_get_exit_signal(channel, &signal, nil, nil, nil, nil, nil)
    if code == 0, let signal {
      defer { libssh2_free(raw, signal) }
      return .signal(String(cString: signal))
    }
    return .status(libssh2_channel_get_exit_status(channel))
  }

  private func begin() { cssh2_receiver_begin_call(receiver, Self.budget) }
}

/// Where libssh2 leaves what ssh-agent is to sign, and finds the signature.
// Unchecked: made, filled and freed within the actor of one connection, whose thread alone calls libssh2; the compiler can't
// follow it through the retry closure.
final class SignatureSlot: @unchecked Sendable {
  fileprivate let pointer: UnsafeMutablePointer<UnsafeMutablePointer<cssh2_signature_slot>?>

  init() {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: cssh2_signature_slot_new())
  }

  deinit {
    if let slot = pointer.pointee { cssh2_signature_slot_free(slot) }
    pointer.deallocate()
  }

  var isUsable: Bool { pointer.pointee != nil }

  /// libssh2 has asked for a signature and not got it.
  var wantsSignature: Bool { pointer.pointee?.pointee.data != nil }

  /// What is to be signed; `nil` while libssh2 has not asked, and once it has been taken.
  func takeData() -> [UInt8]? {
    guard let slot = pointer.pointee, let data = slot.pointee.data else { return nil }
    defer {
      free(data)
      slot.pointee.data = nil
    }
    return Array(UnsafeBufferPointer(start: data, count: slot.pointee.data_count))
  }

  func put(_ signature: [UInt8]) {
    guard let slot = pointer.pointee, let copy = malloc(max(signature.count, 1)) else { return }
    signature.withUnsafeBytes { copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: $0.count) }
    slot.pointee.signature = copy.assumingMemoryBound(to: UInt8.self)
    slot.pointee.signature_count = signature.count
  }
}
