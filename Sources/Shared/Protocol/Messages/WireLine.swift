import FoundationEssentials

/// The form of every line in both directions and of the journal: newline-delimited JSON.
///
/// An event of the journal is `{"seq":N,"type":"…","time":"…","body":{…}}`, in this order, written once and sent as the
/// very same bytes. Any other message is `{"v":1,"type":"…","body":{…}}`.
public enum WireLine {
  /// The longest line either side accepts, without its newline, in bytes. Larger things are split by their writer.
  public static let maximumBytes = 4 << 20

  /// A message without a number, newline included.
  static func message(type: String, body: some Encodable) throws(WireError) -> [UInt8] {
    try line(head: "{\"v\":\(Version.wireProtocol),\"type\":\"\(type)\",\"body\":", type: type, body: body)
  }

  /// A line of the journal, newline included.
  static func event(number: Int, type: String, time: String, body: some Encodable) throws(WireError) -> [UInt8] {
    try line(head: "{\"seq\":\(number),\"type\":\"\(type)\",\"time\":\"\(time)\",\"body\":", type: type, body: body)
  }

  private static func line(head: String, type: String, body: some Encodable) throws(WireError) -> [UInt8] {
    let data: Data
    do { data = try JSONEncoder.line.encode(body) } catch { throw .unencodable(type: type, detail: "\(error)") }
    var line = Array(head.utf8)
    line.reserveCapacity(line.count + data.count + 2)
    line.append(contentsOf: data)
    line.append(UInt8(ascii: "}"))
    guard line.count <= maximumBytes else { throw .lineTooLong(limit: maximumBytes) }
    line.append(UInt8(ascii: "\n"))
    return line
  }
}

/// The outer fields of a line, read before its body.
struct Envelope: Decodable {
  var v: Int?
  var seq: Int?
  var type: String
  var time: String?
}

/// A line's body, decoded as what its type says.
struct Body<Content: Decodable>: Decodable { var body: Content }

/// What can be wrong with a line.
public enum WireError: UserFacingError, Equatable {
  case lineTooLong(limit: Int)
  case notOurs(excerpt: String, detail: String)
  case protocolMismatch(theirs: Int, ours: Int)
  case unencodable(type: String, detail: String)

  public var what: String {
    switch self {
    case .lineTooLong(let limit): "a message is longer than \(limit) bytes"
    case .notOurs(let excerpt, _): "the peer sent something that is not a cf-bench message: \(excerpt)"
    case .protocolMismatch(let theirs, let ours): "the peer speaks protocol \(theirs), this program speaks \(ours)"
    case .unencodable(let type, _): "a message of type '\(type)' can't be written as JSON"
    }
  }
  public var why: String? {
    switch self {
    case .lineTooLong: "either it was damaged on its way or the other end is not cf-bench"
    case .notOurs(_, let detail), .unencodable(_, let detail): detail
    case .protocolMismatch: "controller and agent come from different releases"
    }
  }
  public var fix: String {
    switch self {
    case .lineTooLong, .notOurs:
      "check that the benchmark host's login prints nothing for commands (.bashrc, banners), then try again"
    case .protocolMismatch: "use the same release at both ends; the controller uploads its own agent when it may"
    case .unencodable: "this is a defect in cf-bench: please report it"
    }
  }
  public var exitStatus: ExitStatus { .infrastructure }

  /// The start of a bad line, made safe for a terminal.
  static func excerpt(of line: some Sequence<UInt8>) -> String {
    let printable = line.prefix(80).map { (0x20...0x7e).contains($0) ? Character(UnicodeScalar($0)) : "?" }
    return "'\(String(printable))'"
  }
}
