import FoundationEssentials

/// A file is about to come, in ``Piece``s of this session. For a benchmark host whose key lets in nothing but `serve`.
public struct ReceiveRequest: Codable, Equatable, Sendable {
  /// The largest file that is taken, in bytes.
  public static let maximumBytes = 1 << 30
  /// What a refusal says of a file whose SHA-256 is another one at its end: sent once more, it may be right.
  public static let damaged = "a file arrived damaged on the benchmark host"

  public enum Kind: String, Codable, Sendable {
    /// What a job needs: a bundle or an archive.
    case upload
    /// The program of an agent.
    case agent
    /// The program uv, for a host that has none.
    case uv
  }
  public var file: UploadID
  public var bytes: Int
  public var kind: Kind
  public init(file: UploadID, bytes: Int, kind: Kind) {
    self.file = file
    self.bytes = bytes
    self.kind = kind
  }
}

/// The next bytes of a file, in base64 on the wire, at most ``maximumBytes`` of them.
public struct Piece: Codable, Equatable, Sendable {
  public static let maximumBytes = 256 << 10
  public var data: Data
  public init(data: Data) { self.data = data }
}

/// All of a file's pieces came, its SHA-256 is the one that was told, and it is in its place.
public struct Received: Codable, Equatable, Sendable {
  public var file: UploadID
  public init(file: UploadID) { self.file = file }
}

/// The agent of this digest is to take over the session.
public struct UpgradeRequest: Codable, Equatable, Sendable {
  public var agent: UploadID
  public init(agent: UploadID) { self.agent = agent }
}

public struct Upgrading: Codable, Equatable, Sendable {
  public var agent: UploadID
  public init(agent: UploadID) { self.agent = agent }
}
