/// One line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
struct KnownHostsEntry: Sendable {
  enum Marker: Sendable { case none, revoked }

  /// Whose line it is.
  private enum Names: Sendable {
    /// HMAC-SHA1 of the name under the salt.
    case hashed(salt: [UInt8], digest: [UInt8])
    /// Patterns with `*` and `?`; `!` in front excludes.
    case patterns([String])
  }

  let marker: Marker
  let key: HostKey
  private let names: Names

  /// `nil` for a comment, an empty line, a certificate authority (certificates are not used here) and for anything that
  /// is not a line of this format: one bad line does not spoil the others.
  init?(line: String) {
    var fields = line.split(whereSeparator: \.isWhitespace).map(String.init)
    guard let first = fields.first, !first.hasPrefix("#") else { return nil }
    if first.hasPrefix("@") {
      guard first == "@revoked" else { return nil }
      marker = .revoked
      fields.removeFirst()
    } else {
      marker = .none
    }
    guard fields.count >= 3, let blob = bytes(fromBase64: fields[2]), let key = HostKey(blob: blob),
      key.type == fields[1], let names = Self.names(in: fields[0])
    else { return nil }
    self.key = key
    self.names = names
  }

  /// Whether the line speaks of the host of this name: `host` or `[host]:port`, in lower case.
  func matches(_ name: String) -> Bool {
    switch names {
    case .hashed(let salt, let digest):
      return SHA1.hmac(Array(name.utf8), key: salt) == digest
    case .patterns(let patterns):
      let name = Array(name.utf8)
      let excluded = patterns.contains { $0.hasPrefix("!") && matchesPattern(name, Array($0.utf8.dropFirst())) }
      return !excluded && patterns.contains { !$0.hasPrefix("!") && matchesPattern(name, Array($0.utf8)) }
    }
  }

  private static func names(in field: String) -> Names? {
    guard field.hasPrefix("|") else {
      return .patterns(field.lowercased().split(separator: ",").map(String.init))
    }
    let parts = field.split(separator: "|", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[1] == "1", let salt = bytes(fromBase64: parts[2]),
      let digest = bytes(fromBase64: parts[3]), salt.count == 20, digest.count == 20
    else { return nil }
    return .hashed(salt: salt, digest: digest)
  }
}

/// `*` stands for any characters, none included, `?` for exactly one. Takes at most as many steps as the two lengths
/// multiplied.
private func matchesPattern(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
  var (n, p) = (0, 0)
  var retry: (name: Int, pattern: Int)?
  while n < name.count {
    if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
      retry = (n, p + 1)
      p += 1
    } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == name[n] {
      n += 1
      p += 1
    } else if let last = retry {
      n = last.name + 1
      p = last.pattern
      retry = (n, p)
    } else {
      return false
    }
  }
  return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
}
