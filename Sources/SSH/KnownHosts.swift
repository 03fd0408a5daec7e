import CLibrary
import FoundationEssentials

/// Which key belongs to which host, as the user's known_hosts files say. Our own reader, because libssh2's overlooks
/// `@revoked`, wildcards and exclusions, and gives up a whole file for one bad line.
struct KnownHosts: Sendable {
  struct Line: Sendable {
    let file: String
    /// From 1.
    let number: Int
    let entry: KnownHostsEntry
  }

  private let files: [String]
  private let lines: [Line]

  /// Reads the files in this order. One that is not there is like an empty one.
  init(files: [String]) throws(SSHError) {
    self.files = files
    var lines: [Line] = []
    for file in files { lines += try Self.lines(of: file) }
    self.lines = lines
  }

  /// The types of the keys that the host is known by, in the order of the files.
  func keyTypes(of destination: SSHDestination) -> [String] {
    lines(for: destination).filter { $0.entry.marker == .none }.map(\.entry.key.type)
  }

  /// What is wrong with this key for that host; `nil` when the host is known by it.
  func problem(with key: HostKey, of destination: SSHDestination) -> SSHError.HostKeyProblem? {
    let own = lines.filter { $0.entry.matches(destination.knownHostsName) }
    let candidates = lines(for: destination)
    if let line = (own + candidates).first(where: { $0.entry.marker == .revoked && $0.entry.key == key }) {
      return .revoked(file: line.file, line: line.number)
    }
    let known = candidates.filter { $0.entry.marker == .none }
    if known.contains(where: { $0.entry.key == key }) { return nil }
    // A line for the bare host allows another port's key only when it is the same; it is no reason to call it changed.
    guard own.contains(where: { $0.entry.marker == .none }) else { return .unknown(files: files) }
    if let line = known.first(where: { $0.entry.key.type == key.type }) {
      return .changed(file: line.file, line: line.number)
    }
    guard let line = known.first else { return .unknown(files: files) }
    return .otherType(known: known.map(\.entry.key.type), file: line.file, line: line.number)
  }

  /// The lines for `[host]:port`, or, when there are none, those for the host without a port, as ssh does it; and the
  /// revoked keys of both.
  private func lines(for destination: SSHDestination) -> [Line] {
    let own = lines.filter { $0.entry.matches(destination.knownHostsName) }
    let bareName = destination.host.lowercased()
    guard destination.knownHostsName != bareName else { return own }
    let bare = lines.filter { $0.entry.matches(bareName) }
    if own.contains(where: { $0.entry.marker == .none }) { return own + bare.filter { $0.entry.marker == .revoked } }
    return own + bare
  }

  private static func lines(of file: String) throws(SSHError) -> [Line] {
    let bytes: [UInt8]
    do {
      bytes = try readWhole(file, limit: 16 << 20)
    } catch {
      if error.code == ENOENT { return [] }
      throw SSHError(step: .hostKey, cause: .knownHostsUnreadable(path: file, code: error.code))
    }
    let texts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return texts.enumerated().compactMap { index, text in
      KnownHostsEntry(line: String(decoding: text, as: UTF8.self)).map {
        Line(file: file, number: index + 1, entry: $0)
      }
    }
  }
}

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
