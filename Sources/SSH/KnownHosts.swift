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
