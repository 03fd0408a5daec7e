/// The first bytes a server sent, which are in the clear: its greeting and the algorithms it offers (RFC 4253, sections 4.2
/// and 7.1). Read only after a failed handshake, to say more than libssh2's one sentence for every mismatch.
struct ServerOpening: Sendable, Equatable {
  /// The `SSH-2.0-…` line; `nil` when none came.
  private(set) var greeting: String?
  /// What came instead of a greeting: its first line, printable characters only.
  private(set) var otherWords = ""
  private(set) var keyExchanges: [String] = []
  private(set) var hostKeys: [String] = []
  private(set) var ciphers: [String] = []
  private(set) var integrity: [String] = []

  init(_ bytes: [UInt8]) {
    var rest = bytes[...]
    // A server may say other lines before its greeting.
    while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: rest[..<newline], as: UTF8.self)
      rest = rest[(newline + 1)...]
      if line.hasPrefix("SSH-") {
        greeting = line.trimmingSuffix(while: \.isWhitespace)
        readAlgorithms(rest)
        return
      }
      if otherWords.isEmpty { otherWords = Self.printable(line) }
    }
    if otherWords.isEmpty { otherWords = Self.printable(String(decoding: rest.prefix(80), as: UTF8.self)) }
  }

  private mutating func readAlgorithms(_ bytes: ArraySlice<UInt8>) {
    var reader = SSHWireReader(bytes)
    // packet length, padding length, SSH_MSG_KEXINIT, cookie
    guard reader.uint32() != nil, reader.byte() != nil, reader.byte() == 20, reader.skip(16) else { return }
    guard let keyExchanges = reader.names(), let hostKeys = reader.names(), reader.names() != nil,
      let ciphers = reader.names(), reader.names() != nil, let integrity = reader.names()
    else { return }
    (self.keyExchanges, self.hostKeys, self.ciphers, self.integrity) = (keyExchanges, hostKeys, ciphers, integrity)
  }

  private static func printable(_ text: String) -> String {
    String(text.unicodeScalars.filter { $0.value >= 32 && $0.value < 127 }.map(Character.init).prefix(80))
  }
}

extension StringProtocol {
  /// Without the characters at the end that `predicate` holds for.
  func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
    guard let last = lastIndex(where: { !predicate($0) }) else { return "" }
    return String(self[...last])
  }
}
