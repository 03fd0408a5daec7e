import CLibrary
import Shared

/// A user at a host that speaks SSH.
public struct SSHDestination: Sendable, Equatable, CustomStringConvertible {
  /// A name or an address; an IPv6 address without brackets.
  public var host: String
  /// The TCP port.
  public var port: Int
  /// The name to log in with.
  public var user: String

  public init(host: String, port: Int = 22, user: String) {
    self.host = host
    self.port = port
    self.user = user
  }

  /// Reads `[ssh://][user@]host[:port]`, where an IPv6 address with a port stands in brackets.
  /// Without a user it is the one who runs this process, as with `ssh`.
  public init(parsing text: String) throws(SSHError) {
    func refuse(_ reason: String) -> SSHError {
      SSHError(step: .parse, cause: .invalidDestination(text, reason: reason))
    }
    var rest = text[...]
    if rest.hasPrefix("ssh://") {
      rest = rest.dropFirst(6)
      if rest.hasSuffix("/") { rest = rest.dropLast() }
    }
    guard !rest.contains(where: { $0.isWhitespace || $0 == "/" }) else {
      throw refuse("blanks and paths have no place in it")
    }
    guard text.utf8.count <= 512 else { throw refuse("it is longer than any name") }
    guard !rest.unicodeScalars.contains(where: \.isHidden) else {
      throw refuse("it holds a control character or an invisible one")
    }
    if let at = rest.lastIndex(of: "@") {
      user = String(rest[..<at])
      rest = rest[rest.index(after: at)...]
      guard !user.contains(":") else { throw refuse("passwords are not used, only keys") }
      guard !user.isEmpty, !user.hasPrefix("-") else { throw refuse("the user before the @ is missing") }
    } else {
      user = Self.currentUser
    }
    guard let (name, digits) = Self.split(rest) else { throw refuse("a bracket is not closed") }
    guard !name.isEmpty, !name.hasPrefix("-") else { throw refuse("the host is missing") }
    host = String(name)
    guard let digits else {
      port = 22
      return
    }
    guard let number = Int(digits), digits.allSatisfy(\.isNumber), 1...65535 ~= number else {
      throw refuse("a port is a number from 1 to 65535, not '\(digits)'")
    }
    port = number
  }

  /// `user@host`, with the port when it is not 22.
  public var description: String { "\(user)@\(hostAndPort)" }

  /// `host`, `host:port` or `[v6]:port`.
  var hostAndPort: String {
    let bracketed = host.contains(":") ? "[\(host)]" : host
    return port == 22 ? host : "\(bracketed):\(port)"
  }

  /// The name this host has in a known_hosts file: `host`, or `[host]:port` when the port is not 22.
  var knownHostsName: String { port == 22 ? host.lowercased() : "[\(host.lowercased())]:\(port)" }

  private static func split(_ text: Substring) -> (host: Substring, port: Substring?)? {
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { return nil }
      let host = text[text.index(after: text.startIndex)..<close]
      let rest = text[text.index(after: close)...]
      if rest.isEmpty { return (host, nil) }
      return rest.hasPrefix(":") ? (host, rest.dropFirst()) : nil
    }
    // Two colons without brackets are an IPv6 address, which then has no port.
    guard text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") else { return (text, nil) }
    return (text[..<colon], text[text.index(after: colon)...])
  }

  private static var currentUser: String {
    guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return "root" }
    return String(cString: name)
  }
}
