/// One of the two things compared. A run of a single revision has a ``head`` only.
public enum Side: String, Codable, CaseIterable, Sendable {
  case base, head

  public var other: Side { self == .base ? .head : .base }
}

/// Whose turn it is at a position of a block.
public enum Arm: String, Codable, CaseIterable, Sendable {
  case base, head
  /// The base installed a second time: a control that can't differ from ``base``.
  case copy

  public init(_ side: Side) { self = side == .base ? .base : .head }

  public var side: Side { self == .head ? .head : .base }
}

/// What stands on one side, and where the benchmark host gets it from.
public struct SidePlan: Codable, Equatable, Sendable {
  public var side: Side
  /// The revision as the person wrote it: the name in every table.
  public var label: String
  public var source: SideSource
  /// The first line of the commit's message, where the controller knows it.
  public var subject: String?
  /// What else a reader should know of it, such as `main at 0123456789ab, 3 commits behind its tip`.
  public var note: String?

  public init(side: Side, label: String, source: SideSource, subject: String? = nil, note: String? = nil) {
    self.side = side
    self.label = label
    self.source = source
    self.subject = subject
    self.note = note
  }
}

/// Where the benchmark host gets a side's code from.
public enum SideSource: Equatable, Sendable {
  /// A release on the package index: the requirement, such as `codeflash==0.20.5`.
  case release(requirement: String)
  /// A ref of a repository that the benchmark host can clone; resolved there, once, to a commit.
  case git(repository: String, ref: String)
  /// A commit of a repository on the controller, sent as a git bundle that was uploaded before.
  case bundle(upload: UploadID, commit: String)
  /// A folder on the controller, sent as a tar archive that was uploaded before.
  case tree(upload: UploadID)
}

extension SideSource: Codable {
  private enum Kind: String, Codable { case release, git, bundle, tree }
  private enum Key: String, CodingKey { case kind, requirement, repository, ref, upload, commit }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    switch try container.decode(Kind.self, forKey: .kind) {
    case .release: self = .release(requirement: try container.decode(String.self, forKey: .requirement))
    case .git:
      self = .git(
        repository: try container.decode(String.self, forKey: .repository),
        ref: try container.decode(String.self, forKey: .ref))
    case .bundle:
      self = .bundle(
        upload: try container.decode(UploadID.self, forKey: .upload),
        commit: try container.decode(String.self, forKey: .commit))
    case .tree: self = .tree(upload: try container.decode(UploadID.self, forKey: .upload))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .release(let requirement):
      try container.encode(Kind.release, forKey: .kind)
      try container.encode(requirement, forKey: .requirement)
    case .git(let repository, let ref):
      try container.encode(Kind.git, forKey: .kind)
      try container.encode(repository, forKey: .repository)
      try container.encode(ref, forKey: .ref)
    case .bundle(let upload, let commit):
      try container.encode(Kind.bundle, forKey: .kind)
      try container.encode(upload, forKey: .upload)
      try container.encode(commit, forKey: .commit)
    case .tree(let upload):
      try container.encode(Kind.tree, forKey: .kind)
      try container.encode(upload, forKey: .upload)
    }
  }
}

/// An uploaded file, named by its content: 64 lower-case hexadecimal digits of its SHA-256.
public struct UploadID: Hashable, Sendable, Codable, CustomStringConvertible {
  public let sha256: String
  public var description: String { sha256 }

  /// `nil` unless `sha256` is 64 lower-case hexadecimal digits.
  public init?(sha256: String) {
    let hex = sha256.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
    guard sha256.utf8.count == 64, hex else { return nil }
    self.sha256 = sha256
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let id = UploadID(sha256: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "an upload is named by its SHA-256, 64 hexadecimal digits")
    }
    self = id
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(sha256)
  }
}
